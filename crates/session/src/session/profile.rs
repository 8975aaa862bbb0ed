//! A session's own participant (protocol §7).

use std::time::Instant;

use trackyard_peer::ConnectionFactory;

use super::Session;
use crate::event::{Output, SessionEvent};
use crate::profile::{ProfileChange, ProfileOutput, ProfileRequestId};

impl<F: ConnectionFactory> Session<F> {
    /// Changes this participant's own name, metadata or attributes; answered once by a [`SessionEvent::Profile`], as
    /// soon as the server has said yes and shows it. What was set and still holds is set again in a new session.
    pub fn change_profile(&mut self, change: ProfileChange, now: Instant) -> ProfileRequestId {
        let request = self.profile.change(change, now);
        self.settle(now);
        request
    }

    pub(super) fn drain_profile(&mut self) -> bool {
        let mut heard = false;
        while let Some(output) = self.profile.poll_output() {
            heard = true;
            match output {
                ProfileOutput::Request(request) => self.engine.signal(request),
                ProfileOutput::Event(event) => {
                    self.outputs.push_back(Output::Event(SessionEvent::Profile(event)));
                }
                ProfileOutput::Made(change) => self.engine.note_profile(&change),
            }
        }
        heard
    }
}
