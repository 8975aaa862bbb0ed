//! From a publisher's packet to everyone who receives its track.

use std::time::Instant;

use bytes::Bytes;
use trackyard_peer::ConnectionFactory;
use trackyard_wire::{Header, ParseError};

use super::latched::Taken;
use super::output::Times;
use super::shares::units;
use super::slot::contain;
use super::{Crossing, Worker, WorkerOutput};
use crate::control::{PeerId, TrackKey};

impl<F: ConnectionFactory> Worker<F> {
    /// A packet of a track whose publisher lives on another worker.
    pub fn handle_crossing(&mut self, crossing: &Crossing, now: Instant) {
        self.now = Some(now);
        self.counters.crossings_in += 1;
        let times = Times { received: crossing.received, now };
        self.note_wait(crossing.handed, now);
        let delivered = match Header::parse(&crossing.packet) {
            Ok(header) if !self.admits_crossing(crossing, &header, now) => {
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

    /// A packet that a publisher of this worker has sent.
    pub(super) fn route(&mut self, from: PeerId, packet: &Bytes, times: Times) {
        self.counters.packets_in += 1;
        self.counters.packets_in_bytes += packet.len() as u64;
        if !self.peers.get(&from).is_some_and(|slot| slot.may_publish) {
            self.counters.data_tracks_disabled += 1;
            return;
        }
        let header = match Header::parse(packet) {
            Ok(header) => header,
            Err(error) => return self.count_malformed(error),
        };
        let Some(track) = self.routes.source(from, header.handle) else {
            self.counters.unknown_handle += 1;
            return;
        };
        if !self.admits(from, (track, &header), packet.len(), times.now) {
            self.counters.packets_refused += 1;
            return;
        }
        let hops = self.cross(track, (from, packet), times);
        if self.deliver_local(track, &header, packet, times) + hops == 0 {
            self.counters.no_route += 1;
        } else {
            self.counters.routed += 1;
        }
    }

    /// Counts the packet if its track is metered, and sends it once to each other worker that wants it; answers how many.
    fn cross(&mut self, track: TrackKey, (from, packet): (PeerId, &Bytes), times: Times) -> usize {
        let Some(entry) = self.routes.track(track) else { return 0 };
        if let Some(meter) = &entry.meter {
            meter.count(packet.len());
        }
        for &to in &entry.hops {
            let Times { received, now: handed } = times;
            let crossing = Crossing { track, from: Some(from), packet: packet.clone(), received, handed };
            self.outputs.push_back(WorkerOutput::Cross { to, crossing });
        }
        self.counters.crossings_out += entry.hops.len() as u64;
        entry.hops.len()
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
