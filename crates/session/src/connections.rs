//! The peer connections of a session (protocol §4): one in single mode, two in dual mode.

use std::collections::VecDeque;
use std::time::Instant;

use trackyard_peer::{
    ChannelKind, Connection, ConnectionEvent, ConnectionFactory, ConnectionOutput, Datagram, LocalAddress,
    Role, Target, Transmit,
};
use trackyard_proto::Request;
use trackyard_proto::signal::SessionDescription;

use crate::addresses::Addresses;

/// What the connections want or tell.
#[derive(Debug)]
pub(crate) enum Outcome {
    Transmit(Target, Transmit),
    Event(Target, ConnectionEvent),
    Signal(Request),
    /// A description cannot be used: the connections are of no more use.
    Failed(String),
}

/// Connections that have been opened, and what they say.
pub(crate) struct Connections<F: ConnectionFactory> {
    publisher: F::Connection,
    /// Made when the server offers it.
    subscriber: Option<F::Connection>,
    addresses: Addresses,
    /// In dual mode the server tells which connection decides.
    primary: Target,
    offer_id: u32,
    /// A restart of ICE is wanted and waits for an earlier offer's answer.
    restart_wanted: bool,
    wakes: [Option<Instant>; 2],
    outcomes: VecDeque<Outcome>,
    unusable_candidates: u64,
    /// By target: ICE and DTLS are up.
    up: [bool; 2],
}

impl<F: ConnectionFactory> Connections<F> {
    pub(crate) fn new(factories: &[F; 2], addresses: Addresses, now: Instant) -> Self {
        let mut publisher = factories[0].open(Role::ClientOffering, now);
        addresses.of(Target::Publisher).for_each(|address| publisher.add_local_address(address));
        Self {
            publisher,
            subscriber: None,
            addresses,
            primary: Target::Publisher,
            offer_id: 0,
            restart_wanted: false,
            wakes: [Some(now), None],
            outcomes: VecDeque::new(),
            unusable_candidates: 0,
            up: [false; 2],
        }
    }

    pub(crate) fn set_primary(&mut self, primary: Target) {
        self.primary = primary;
    }

    /// Both that are needed are up, and what is published can be sent.
    pub(crate) fn are_established(&self) -> bool {
        self.up[self.primary as usize] && self.up[0] && self.publisher.is_open(ChannelKind::DataTrack)
    }

    pub(crate) fn publisher(&mut self) -> &mut F::Connection {
        &mut self.publisher
    }

    /// The next offer of the publisher connection, `None` while another is unanswered.
    pub(crate) fn offer(&mut self, ice_restart: bool, now: Instant) -> Option<SessionDescription> {
        let offer = self.publisher.create_offer(ice_restart, now);
        self.drain(Target::Publisher);
        match offer {
            Ok(Some(sdp)) => {
                self.offer_id += 1;
                Some(SessionDescription { id: self.offer_id, sdp, ..SessionDescription::default() })
            }
            Ok(None) => {
                self.restart_wanted |= ice_restart;
                None
            }
            Err(error) => {
                self.outcomes.push_back(Outcome::Failed(error.to_string()));
                None
            }
        }
    }

    /// Offers new ICE credentials; an offer that nobody will answer any more is forgotten by the answer to
    /// this one.
    pub(crate) fn restart_ice(&mut self, now: Instant) {
        if let Some(offer) = self.offer(true, now) {
            self.outcomes.push_back(Outcome::Signal(Request::Offer(offer)));
        }
    }

    /// The server's answer; answers to earlier offers are passed over.
    pub(crate) fn answered(&mut self, answer: &SessionDescription, now: Instant) -> bool {
        if answer.id != 0 && answer.id != self.offer_id {
            return false;
        }
        let accepted = self.publisher.accept_answer(&answer.sdp, now);
        self.drain(Target::Publisher);
        if let Err(error) = accepted {
            self.outcomes.push_back(Outcome::Failed(error.to_string()));
            return false;
        }
        if std::mem::take(&mut self.restart_wanted) {
            self.restart_ice(now);
            return false;
        }
        true
    }

    /// The server offers the subscriber connection, or new credentials for it.
    pub(crate) fn offered(&mut self, factories: &[F; 2], offer: &SessionDescription, now: Instant) {
        let [_, factory] = factories;
        let subscriber = self.subscriber.get_or_insert_with(|| {
            let mut subscriber = factory.open(Role::ClientAnswering, now);
            self.addresses.of(Target::Subscriber).for_each(|address| subscriber.add_local_address(address));
            subscriber
        });
        let outcome = match subscriber.accept_offer(&offer.sdp, now) {
            Ok(sdp) => Outcome::Signal(Request::Answer(SessionDescription {
                id: offer.id,
                sdp,
                ..SessionDescription::default()
            })),
            Err(error) => Outcome::Failed(error.to_string()),
        };
        self.outcomes.push_back(outcome);
        self.drain(Target::Subscriber);
    }

    /// A candidate of the server. One that cannot be read names an address that is not tried.
    pub(crate) fn add_candidate(&mut self, target: Target, candidate: &str) {
        let Some(connection) = self.connection(target) else { return };
        if connection.add_remote_candidate(candidate).is_err() {
            self.unusable_candidates += 1;
        }
        self.drain(target);
    }

    pub(crate) fn unusable_candidates(&self) -> u64 {
        self.unusable_candidates
    }

    /// An address that every connection of this target uses from now on.
    pub(crate) fn add_local_address(&mut self, target: Target, address: LocalAddress) {
        self.addresses.add(target, address);
        if let Some(connection) = self.connection(target) {
            connection.add_local_address(address);
            self.drain(target);
        }
    }

    /// For the connections that take the place of these.
    pub(crate) fn take_addresses(&mut self) -> Addresses {
        std::mem::take(&mut self.addresses)
    }

    pub(crate) fn handle_datagram(&mut self, target: Target, datagram: Datagram<'_>, now: Instant) {
        let Datagram { transport, source, destination, contents } = datagram;
        if let Some(connection) = self.connection(target) {
            connection.handle_datagram(transport, source, destination, contents, now);
            self.drain(target);
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        for target in [Target::Publisher, Target::Subscriber] {
            let due = self.wakes[target as usize].is_some_and(|at| at <= now);
            if let Some(connection) = self.connection(target).filter(|_| due) {
                connection.handle_timeout(now);
                self.drain(target);
            }
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.wakes.iter().flatten().min().copied()
    }

    pub(crate) fn poll(&mut self) -> Option<Outcome> {
        self.outcomes.pop_front()
    }

    pub(crate) fn close(&mut self, now: Instant) {
        for target in [Target::Publisher, Target::Subscriber] {
            if let Some(connection) = self.connection(target) {
                connection.close(now);
                self.drain(target);
            }
        }
    }

    /// Takes everything a connection has to say.
    pub(crate) fn drain(&mut self, target: Target) {
        while let Some(connection) = self.connection(target) {
            match connection.poll_output() {
                ConnectionOutput::Transmit(transmit) => {
                    self.outcomes.push_back(Outcome::Transmit(target, transmit));
                }
                ConnectionOutput::Event(event) => self.note(target, event),
                ConnectionOutput::Timeout(at) => {
                    self.wakes[target as usize] = Some(at);
                    return;
                }
            }
        }
    }

    fn note(&mut self, target: Target, event: ConnectionEvent) {
        match event {
            ConnectionEvent::Connected | ConnectionEvent::Restored => self.up[target as usize] = true,
            ConnectionEvent::Interrupted | ConnectionEvent::Closed => self.up[target as usize] = false,
            ConnectionEvent::ChannelOpen(_)
            | ConnectionEvent::ChannelClosed(_)
            | ConnectionEvent::Message(..) => {}
        }
        self.outcomes.push_back(Outcome::Event(target, event));
    }

    fn connection(&mut self, target: Target) -> Option<&mut F::Connection> {
        match target {
            Target::Publisher => Some(&mut self.publisher),
            Target::Subscriber => self.subscriber.as_mut(),
        }
    }
}
