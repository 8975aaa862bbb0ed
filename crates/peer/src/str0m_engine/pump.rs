//! Inputs into str0m, and what it answers.

use std::time::{Duration, Instant};

use str0m::net::{Protocol, Receive};
use str0m::{Event, IceConnectionState, Input, Output};

use super::{Route, Str0m};
use crate::connection::{ConnectionEvent, ConnectionOutput, Datagram, Transmit, Transport};

/// Datagrams fed before outputs are taken: the DTLS engine holds 30 records.
const FED_MAX: u32 = 16;
/// By which the first byte of a datagram tells STUN and DTLS from the rest (RFC 7983).
const STUN_FIRST_BYTES: u8 = 4;
const DTLS_FIRST_BYTES: std::ops::RangeInclusive<u8> = 20..=63;
/// Far enough to mean never.
const NEVER: Duration = Duration::from_secs(86_400);

impl Str0m {
    pub(super) fn receive(&mut self, datagram: Datagram<'_>, now: Instant) {
        if self.ended {
            return;
        }
        self.advance(now);
        let first = datagram.contents.first().copied().unwrap_or_default();
        if self.connected && DTLS_FIRST_BYTES.contains(&first) {
            return self.receive_record(datagram);
        }
        if first < STUN_FIRST_BYTES {
            // The client may be about to choose another path.
            self.route = None;
        }
        self.feed(datagram);
        // str0m holds one RTP packet between polls: a second one would take its place.
        let is_media = first & 0xC0 == 0x80;
        if is_media || self.fed >= FED_MAX {
            self.pump();
        }
    }

    fn feed(&mut self, datagram: Datagram<'_>) {
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
        if self.rtc.handle_input(Input::Receive(self.now, receive)).is_err() {
            self.malformed += 1;
        }
    }

    pub(super) fn time_passed(&mut self, now: Instant) {
        if self.ended {
            return;
        }
        self.advance(now);
        if self.now >= self.wake || !self.connected {
            // Its timers are ICE's: what they bring may choose another path.
            self.route = None;
            self.tell_time();
        }
        if self.sctp.poll_timeout().is_some_and(|at| at <= self.now) {
            self.sctp.handle_timeout(self.now);
            self.stirred = true;
        }
    }

    /// Something was changed through another door.
    pub(super) fn changed(&mut self, now: Instant) {
        if self.ended {
            return;
        }
        self.advance(now);
        self.route = None;
        self.tell_time();
        self.pump();
    }

    /// Inputs of one pass may be told out of order, and str0m ignores a time that goes back.
    pub(super) fn advance(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }

    /// Tells str0m the time, which wakes it.
    pub(super) fn tell_time(&mut self) {
        self.fed += 1;
        if self.rtc.handle_input(Input::Timeout(self.now)).is_err() {
            self.end();
        }
    }

    /// Takes everything there is to say.
    pub(super) fn work(&mut self) {
        if self.fed > 0 {
            self.pump();
        }
        if std::mem::take(&mut self.stirred) {
            self.exchange();
        }
    }

    /// Takes everything str0m has to say.
    pub(super) fn pump(&mut self) {
        self.fed = 0;
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Transmit(transmit)) => self.transmit(transmit),
                Ok(Output::Event(event)) => self.event(&event),
                Ok(Output::Timeout(at)) => {
                    self.wake = at;
                    return self.take_records();
                }
                // Asking again might never come to an end.
                Err(_) => return self.end(),
            }
        }
    }

    /// When there is nothing more until then.
    pub(super) fn timeout(&mut self) -> ConnectionOutput {
        self.outputs.shrink_to(super::OUTPUTS_KEPT);
        if self.ended {
            return ConnectionOutput::Timeout(self.wake + NEVER);
        }
        ConnectionOutput::Timeout(self.sctp.poll_timeout().map_or(self.wake, |at| at.min(self.wake)))
    }

    /// The connection is over, and says so once.
    pub(super) fn end(&mut self) {
        self.sctp.end();
        (self.fed, self.stirred) = (0, false);
        if !std::mem::replace(&mut self.ended, true) && !self.closing {
            self.push(ConnectionEvent::Closed);
        }
    }

    fn transmit(&mut self, transmit: str0m::net::Transmit) {
        let transport = if transmit.proto == Protocol::Udp { Transport::Udp } else { Transport::Tcp };
        if transmit.contents.first().is_some_and(|first| DTLS_FIRST_BYTES.contains(first)) {
            let (source, destination) = (transmit.source, transmit.destination);
            self.route = Some(Route { transport, source, destination });
        }
        self.outputs.push_back(ConnectionOutput::Transmit(Transmit {
            transport,
            source: transmit.source,
            destination: transmit.destination,
            contents: transmit.contents.into(),
        }));
    }

    fn event(&mut self, event: &Event) {
        let told = match event {
            Event::Connected => {
                self.begin();
                Some(ConnectionEvent::Connected)
            }
            Event::IceConnectionStateChange(state) => self.ice_state(*state),
            Event::Closed => return self.end(),
            // Media is not forwarded yet, and str0m has no channels here.
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

    pub(super) fn push(&mut self, event: ConnectionEvent) {
        self.outputs.push_back(ConnectionOutput::Event(event));
    }
}
