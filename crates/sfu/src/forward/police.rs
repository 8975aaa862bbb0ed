//! Holds publishers to their shares while the worker is behind: frames are refused whole before anything is done for
//! them, and from twice the share on datagrams are left unread, which the sender's congestion control notices.

use std::time::Instant;

use trackyard_peer::ConnectionFactory;
use trackyard_wire::Header;

use super::Worker;
use super::routes::Track;
use super::stun::is_application_data;
use crate::control::PeerId;

impl<F: ConnectionFactory> Worker<F> {
    /// An input has waited until now.
    pub(super) fn note_wait(&mut self, since: Instant, now: Instant) {
        if self.shares.is_due(now) {
            let peers = &self.peers;
            self.shares.turn(now, |id| peers.get(&id).map(|slot| &slot.share));
        }
        self.shares.note_wait(since, now);
    }

    /// Whether a datagram of a peer is worth its decryption. Handshakes always are, and so is what answers the frames that
    /// the peer receives.
    pub(super) fn reads(&mut self, peer: PeerId, datagram: &[u8], now: Instant) -> bool {
        let Some(rate) = self.shares.rate() else { return true };
        let slot = self.peers.get_mut(&peer);
        !is_application_data(datagram) || slot.is_none_or(|slot| slot.share.reads(rate, now))
    }
}

impl Track {
    /// Whether a packet goes on; `has_room`: its publisher has some of its share left. What else comes of a refused frame is
    /// refused as well.
    pub(super) fn admits(&mut self, header: &Header, has_room: impl FnOnce() -> bool) -> bool {
        let is_rest = !header.start && self.refused == Some(header.frame);
        let admits = !is_rest && has_room();
        if header.start {
            self.refused = (!admits).then_some(header.frame);
        }
        admits
    }
}
