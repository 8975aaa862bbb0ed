//! Senders that are asked to pause, because much of what they send to someone by name waits for it.
//!
//! It is a request: who does not know it goes on, and whoever then falls too far behind has to begin anew. What is for
//! everyone makes nobody be asked; but whoever pauses holds back all its streams, those for others too.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use trackyard_proto::Response;

use super::Room;
use super::timers::Timer;
use crate::control::PeerId;

/// How often senders are asked again; a pause lapses after 12 s.
const REPEAT_INTERVAL: Duration = Duration::from_secs(5);

/// Senders, and for whom what they send waits.
#[derive(Debug, Default)]
pub(super) struct Flows(BTreeMap<PeerId, BTreeSet<PeerId>>);

impl Room {
    /// Much of what `sender` sends waits for `receiver`, or little again.
    pub(super) fn flow_changed(&mut self, receiver: PeerId, sender: PeerId, pauses: bool) {
        if pauses && self.members.get(sender).is_some() && self.members.get(receiver).is_some() {
            let receivers = self.flows.0.entry(sender).or_default();
            if receivers.insert(receiver) && receivers.len() == 1 {
                self.tell(sender, Response::PauseStreams(true));
                self.timers.set_by(Timer::Flows, self.now.instant + REPEAT_INTERVAL);
            }
        } else {
            self.flow_ended(receiver, sender);
        }
    }

    /// A session is gone: it neither sends nor waits.
    pub(super) fn flows_of_gone(&mut self, peer: PeerId) {
        self.flows.0.remove(&peer);
        let senders: Vec<_> = self.flows.0.keys().copied().collect();
        senders.into_iter().for_each(|sender| self.flow_ended(peer, sender));
    }

    /// A pause lapses unless it is asked for again.
    pub(super) fn repeat_pauses(&mut self) {
        let senders: Vec<_> = self.flows.0.keys().copied().collect();
        if !senders.is_empty() {
            self.timers.set(Timer::Flows, self.now.instant + REPEAT_INTERVAL);
        }
        senders.into_iter().for_each(|sender| self.tell(sender, Response::PauseStreams(true)));
    }

    /// A client that has come back begins without pause.
    pub(super) fn repeat_pause(&mut self, peer: PeerId) {
        if self.flows.0.contains_key(&peer) {
            self.tell(peer, Response::PauseStreams(true));
        }
    }

    fn flow_ended(&mut self, receiver: PeerId, sender: PeerId) {
        let Some(receivers) = self.flows.0.get_mut(&sender) else { return };
        if receivers.remove(&receiver) && receivers.is_empty() {
            self.flows.0.remove(&sender);
            self.tell(sender, Response::PauseStreams(false));
        }
    }
}
