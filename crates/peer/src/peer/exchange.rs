//! The exchange of descriptions and candidates (protocol §4.2–§4.5, §4.8).

use std::time::Instant;

use super::offers::{DescriptionError, Wish};
use super::{Peer, PeerEvent};
use crate::connection::{Connection, Target};
use crate::sdp;

impl<C: Connection> Peer<C> {
    /// The client's offer for its publisher connection.
    ///
    /// # Errors
    /// When it cannot be used. What it has changed by then is not undone: the participant has to join anew.
    pub fn accept_offer(&mut self, _id: u32, sdp: &str, now: Instant) -> Result<String, DescriptionError> {
        let answer = self.publisher.accept_offer(sdp, now).map_err(|error| DescriptionError::new(&error));
        if answer.is_ok() {
            self.liveness[Target::Publisher as usize].described(sdp::has_channels(sdp), now);
        }
        self.credentials(Target::Publisher);
        self.touched(Target::Publisher, now);
        answer
    }

    /// Offers the subscriber connection, as soon as no other offer is unanswered. If ICE is to be
    /// restarted, an unanswered offer is sent once more: the client may never have got it.
    pub fn request_offer(&mut self, ice_restart: bool, now: Instant) {
        if self.subscriber.is_none() {
            return;
        }
        match self.offers.request(ice_restart) {
            Wish::Make => self.send_offer(now),
            Wish::Repeat(offer) => self.event(PeerEvent::Offer { id: offer.id, sdp: offer.sdp }),
            Wish::Wait => {}
        }
    }

    /// The client's answer to our offer; one to an older offer is passed over.
    ///
    /// # Errors
    /// When it cannot be used, or there is no subscriber connection.
    pub fn accept_answer(&mut self, id: u32, sdp: &str, now: Instant) -> Result<(), DescriptionError> {
        let Some(subscriber) = &mut self.subscriber else { return Err(DescriptionError::no_offer()) };
        if !self.offers.answers(id) {
            return Ok(());
        }
        let accepted = subscriber.accept_answer(sdp, now).map_err(|error| DescriptionError::new(&error));
        self.credentials(Target::Subscriber);
        self.touched(Target::Subscriber, now);
        accepted?;
        if self.offers.answered() {
            self.send_offer(now);
        }
        Ok(())
    }

    /// A candidate of the client.
    ///
    /// # Errors
    /// When it is garbled.
    pub fn add_remote_candidate(&mut self, target: Target, candidate: &str) -> Result<(), DescriptionError> {
        let Some(connection) = self.connection(target) else { return Ok(()) };
        connection.add_remote_candidate(candidate).map_err(|error| DescriptionError::new(&error))
    }

    /// By which ICE user name a connection is found.
    pub fn ufrag(&mut self, target: Target) -> Option<String> {
        self.connection(target).map(Connection::local_ufrag)
    }

    fn send_offer(&mut self, now: Instant) {
        let Some(subscriber) = &mut self.subscriber else { return };
        let ice_restart = self.offers.next_is_restart();
        match subscriber.create_offer(ice_restart, now) {
            Ok(Some(sdp)) => {
                let id = self.offers.sent(&sdp);
                self.liveness[Target::Subscriber as usize].described(true, now);
                self.credentials(Target::Subscriber);
                self.event(PeerEvent::Offer { id, sdp });
            }
            Ok(None) => self.offers.nothing_to_offer(),
            Err(_) => {
                let change = self.liveness[Target::Subscriber as usize].closed();
                self.on_change(Target::Subscriber, change);
            }
        }
        self.touched(Target::Subscriber, now);
    }

    /// Tells new ICE credentials before anything by which the client could use them.
    pub(super) fn credentials(&mut self, target: Target) {
        let ufrag = self.ufrag(target);
        if ufrag != self.ufrags[target as usize] {
            self.ufrags[target as usize].clone_from(&ufrag);
            if let Some(ufrag) = ufrag {
                self.event(PeerEvent::Credentials { target, ufrag });
            }
        }
    }
}
