//! From a publisher's packet to everyone who receives its track.

use std::time::Instant;

use bytes::Bytes;
use trackyard_peer::ConnectionFactory;
use trackyard_wire::{Header, ParseError};

use super::latched::Taken;
use super::output::Times;
use super::shares::{Ask, units};
use super::slot::contain;
use super::{Crossing, Worker, WorkerOutput};
use crate::control::{PeerId, TrackKey, WorkerId};

impl<F: ConnectionFactory> Worker<F> {
    /// A packet of a track whose publisher lives on another worker.
    pub fn handle_crossing(&mut self, crossing: &Crossing, now: Instant) {
        self.now = Some(now);
        self.counters.crossings_in += 1;
        let times = Times { received: crossing.received, now };
        self.note_wait(crossing.handed, now);
        let delivered = match Header::parse(&crossing.packet) {
            Ok(header) if !self.admits_crossing(crossing, &header, now) => {
                self.counters.frames_refused += u64::from(header.start);
                self.counters.crossings_refused += 1;
                return;
            }
            Ok(header) => self.deliver_local(crossing.track, &header, &crossing.packet, times),
            Err(_) => 0,
        };
        if delivered == 0 {
            self.counters.crossings_unrouted += 1;
        }
        self.settle(now);
    }

    /// What a latch gives again has no publisher: it was admitted when it came.
    fn admits_crossing(&mut self, crossing: &Crossing, header: &Header, now: Instant) -> bool {
        let (Some(from), Some(track)) = (crossing.from, self.routes.track_mut(crossing.track)) else {
            return true;
        };
        let ask = Ask::of(header, crossing.packet.len(), now);
        track.admits(header, || self.shares.admits_guest(from, ask))
    }

    /// A packet that a publisher of this worker has sent.
    pub(super) fn route(&mut self, from: PeerId, packet: &Bytes, times: Times) {
        self.counters.packets_in += 1;
        self.counters.packets_in_bytes += packet.len() as u64;
        let Some(slot) = self.peers.get_mut(&from).filter(|slot| slot.may_publish) else {
            self.counters.data_tracks_disabled += 1;
            return;
        };
        let header = match Header::parse(packet) {
            Ok(header) => header,
            Err(error) => return self.count_malformed(error),
        };
        let Some(key) = self.routes.source(from, header.handle) else {
            self.counters.unknown_handle += 1;
            return;
        };
        let Some(track) = self.routes.track_mut(key) else {
            self.counters.no_route += 1;
            return;
        };
        let ask = Ask::of(&header, packet.len(), times.now);
        if !track.admits(&header, || self.shares.admits(from, &mut slot.share, ask)) {
            self.counters.frames_refused += u64::from(header.start);
            self.counters.packets_refused += 1;
            return;
        }
        if let Some(meter) = &track.meter {
            meter.count(packet.len());
        }
        let Times { received, now: handed } = times;
        let cross = |to: &WorkerId| WorkerOutput::Cross {
            to: *to,
            crossing: Crossing { track: key, from: Some(from), packet: packet.clone(), received, handed },
        };
        self.outputs.extend(track.hops.iter().map(cross));
        let hops = track.hops.len();
        self.counters.crossings_out += hops as u64;
        if self.deliver_local(key, &header, packet, times) + hops == 0 {
            self.counters.no_route += 1;
        } else {
            self.counters.routed += 1;
        }
    }

    /// Hands the packet to the lanes of its subscribers here; answers how many.
    pub(super) fn deliver_local(
        &mut self,
        track: TrackKey,
        header: &Header,
        packet: &Bytes,
        times: Times,
    ) -> usize {
        let Some(track) = self.routes.track_mut(track) else { return 0 };
        track.newest.note(header, times.now);
        if let Some(latch) = &mut track.latch {
            match latch.take(header, packet) {
                Taken::Kept => self.counters.latched_kept += 1,
                Taken::GivenUp => self.counters.latched_given_up += 1,
                Taken::OverShare => {
                    self.counters.latched_given_up += 1;
                    self.counters.latched_over_share += 1;
                }
                Taken::UnderWay | Taken::Ignored => {}
            }
        }
        let sinks = &track.subscribers;
        let (count, is_shared) = (sinks.len(), self.shares.are_on());
        for sink in sinks {
            let Some(slot) = self.peers.get_mut(&sink.peer) else { continue };
            if is_shared {
                slot.share.earn(units(packet.len()));
            }
            match contain(|| {
                slot.peer.push_received(sink.handle, header, packet, (times.received, times.now))
            }) {
                Some(_) => self.agenda.add(sink.peer, slot.touch(packet.len())),
                None => self.lost.push(sink.peer),
            }
        }
        self.counters.forwarded += count as u64;
        self.counters.forwarded_bytes += (count * packet.len()) as u64;
        while let Some(peer) = self.lost.pop() {
            self.lose(peer);
        }
        count
    }

    fn count_malformed(&mut self, error: ParseError) {
        *match error {
            ParseError::Short => &mut self.counters.malformed_short,
            ParseError::Version(_) => &mut self.counters.malformed_version,
            ParseError::HandleZero => &mut self.counters.malformed_handle,
            _ => &mut self.counters.malformed_extensions,
        } += 1;
    }
}
