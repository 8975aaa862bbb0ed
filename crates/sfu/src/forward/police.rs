//! Holds publishers to their shares while the worker is behind: frames are refused whole before anything is done for
//! them, and from twice the share on datagrams are left unread, which the sender's congestion control notices.

use std::time::Instant;

use trackyard_peer::ConnectionFactory;
use trackyard_wire::Header;

use super::routes::Track;
use super::shares::{Ask, units};
use super::stun::is_application_data;
use super::{Crossing, Worker};
use crate::control::{PeerId, TrackKey};

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

    /// Whether a packet of a publisher of this worker goes on.
    pub(super) fn admits(
        &mut self,
        from: PeerId,
        (track, header): (TrackKey, &Header),
        bytes: usize,
        now: Instant,
    ) -> bool {
        let (Some(slot), Some(track)) = (self.peers.get_mut(&from), self.routes.track_mut(track)) else {
            return true;
        };
        let ask = Ask { is_start: header.start, units: units(bytes), now };
        let admits = !belongs_to_refused(track, header) && self.shares.admits(from, &mut slot.share, ask);
        self.counters.frames_refused += u64::from(note(track, header, admits));
        admits
    }

    /// The same for a packet that a publisher of another worker has sent.
    pub(super) fn admits_crossing(&mut self, crossing: &Crossing, header: &Header, now: Instant) -> bool {
        let (Some(from), Some(track)) = (crossing.from, self.routes.track_mut(crossing.track)) else {
            return true;
        };
        let ask = Ask { is_start: header.start, units: units(crossing.packet.len()), now };
        let admits = !belongs_to_refused(track, header) && self.shares.admits_guest(from, ask);
        self.counters.frames_refused += u64::from(note(track, header, admits));
        admits
    }
}

fn belongs_to_refused(track: &Track, header: &Header) -> bool {
    !header.start && track.refused == Some(header.frame)
}

/// Keeps which frame is refused; `true` if it is one more.
fn note(track: &mut Track, header: &Header, admits: bool) -> bool {
    if header.start {
        track.refused = (!admits).then_some(header.frame);
    }
    header.start && !admits
}
