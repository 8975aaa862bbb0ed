//! Inputs into str0m, and what it answers.

use std::time::{Duration, Instant};

use str0m::net::{Protocol, Receive};
use str0m::{Event, IceConnectionState, Input, Output};

use super::Str0m;
use crate::connection::{ConnectionEvent, ConnectionOutput, Datagram, Transmit, Transport};

/// Datagrams fed before outputs are taken: the DTLS engine holds 30 records.
const FED_MAX: u32 = 16;
/// Far enough to mean never.
const NEVER: Duration = Duration::from_secs(86_400);

impl Str0m {
    pub(super) fn receive(&mut self, datagram: Datagram<'_>, now: Instant) {
        if self.ended {
            return;
        }
        let Datagram { transport, source, destination, contents } = datagram;
        let protocol = match transport {
            Transport::Udp => Protocol::Udp,
            Transport::Tcp => Protocol::Tcp,
        };
        let Ok(receive) = Receive::new(protocol, source, destination, contents) else {
            self.malformed += 1;
            return;
        };
        self.fed += 1;
        // Whoever knows an address can forge what fails here, so it must not end the connection. What
        // has really failed shows when time passes.
        if self.rtc.handle_input(Input::Receive(now, receive)).is_err() {
            self.malformed += 1;
        }
        // str0m holds one RTP packet between polls: a second one would take its place.
        let is_media = contents.first().is_some_and(|first| first & 0xC0 == 0x80);
        if is_media || self.fed >= FED_MAX {
            self.pump();
        }
    }

    pub(super) fn time_passed(&mut self, now: Instant) {
        if self.ended {
            return;
        }
        self.fed += 1;
        if self.rtc.handle_input(Input::Timeout(now)).is_err() {
            self.end();
        }
    }

    /// Something was changed through another door.
    pub(super) fn changed(&mut self, now: Instant) {
        self.time_passed(now);
        self.pump();
    }

    /// Takes everything str0m has to say.
    pub(super) fn pump(&mut self) {
        self.fed = 0;
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Transmit(transmit)) => self.transmit(transmit),
                Ok(Output::Event(event)) => self.event(event),
                Ok(Output::Timeout(at)) => {
                    self.wake = at;
                    return;
                }
                // Asking again might never come to an end.
                Err(_) => return self.end(),
            }
        }
    }

    /// When there is nothing more until then.
    pub(super) fn timeout(&mut self) -> ConnectionOutput {
        self.outputs.shrink_to(super::OUTPUTS_KEPT);
        ConnectionOutput::Timeout(if self.ended { self.wake + NEVER } else { self.wake })
    }

    /// The connection is over, and says so once.
    pub(super) fn end(&mut self) {
        self.channels.end();
        self.fed = 0;
        if !std::mem::replace(&mut self.ended, true) && !self.closing {
            self.push(ConnectionEvent::Closed);
        }
    }

    fn transmit(&mut self, transmit: str0m::net::Transmit) {
        let transport = if transmit.proto == Protocol::Udp { Transport::Udp } else { Transport::Tcp };
        self.outputs.push_back(ConnectionOutput::Transmit(Transmit {
            transport,
            source: transmit.source,
            destination: transmit.destination,
            contents: transmit.contents.into(),
        }));
    }

    fn event(&mut self, event: Event) {
        let told = match event {
            Event::Connected => Some(ConnectionEvent::Connected),
            Event::IceConnectionStateChange(state) => self.ice_state(state),
            Event::ChannelOpen(id, label) => self.channels.opened(&mut self.rtc, id, &label),
            Event::ChannelClose(id) => self.channels.closed(id),
            Event::ChannelData(data) => self.channels.message(data),
            Event::Closed => return self.end(),
            // Media is not forwarded yet; a low buffer shows in `buffered`, which is read after each input.
            _ => None,
        };
        if let Some(event) = told {
            self.push(event);
        }
    }

    fn ice_state(&mut self, state: IceConnectionState) -> Option<ConnectionEvent> {
        match state {
            IceConnectionState::Disconnected if !self.interrupted => {
                self.interrupted = true;
                Some(ConnectionEvent::Interrupted)
            }
            IceConnectionState::Connected | IceConnectionState::Completed if self.interrupted => {
                self.interrupted = false;
                Some(ConnectionEvent::Restored)
            }
            _ => None,
        }
    }

    fn push(&mut self, event: ConnectionEvent) {
        self.outputs.push_back(ConnectionOutput::Event(event));
    }
}
