//! The last packet of a track whose publisher has vanished.

use std::time::Instant;

use bytes::{Bytes, BytesMut};
use trackyard_lanes::LaneRules;
use trackyard_peer::ConnectionFactory;
use trackyard_wire::{FrameNumber, Header, Sequence};

use super::Worker;
use super::output::Times;
use super::slot::Urgency;
use crate::control::TrackKey;

/// Ticks of a packet's clock per millisecond (protocol §5.4).
const TICKS_PER_MS: u64 = 90;
/// A packet further behind the newest is no late one: its sender has begun anew.
const LATE_PACKETS_MAX: i16 = 512;

/// The newest packet of a track that this worker has seen.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Newest(Option<Seen>);

#[derive(Debug, Clone, Copy)]
struct Seen {
    sequence: Sequence,
    frame: FrameNumber,
    timestamp: u32,
    at: Instant,
}

impl Newest {
    /// A packet has come.
    pub(super) fn note(&mut self, header: &Header, now: Instant) {
        let Header { sequence, frame, timestamp, .. } = *header;
        let distance = self.0.map_or(1, |seen| sequence.distance_from(seen.sequence));
        if !(-LATE_PACKETS_MAX..=0).contains(&distance) {
            self.0 = Some(Seen { sequence, frame, timestamp, at: now });
        }
    }

    /// The packet as the one that follows; as its publisher made it if it is the first.
    fn followed_by(self, packet: &Bytes, now: Instant) -> Bytes {
        let Some(seen) = self.0 else { return packet.clone() };
        let millis = now.saturating_duration_since(seen.at).as_millis();
        let ticks = u64::try_from(millis).unwrap_or(u64::MAX).wrapping_mul(TICKS_PER_MS);
        let timestamp = seen.timestamp.wrapping_add((ticks & u64::from(u32::MAX)) as u32);
        let mut packet = BytesMut::from(packet.as_ref());
        if let Some(field) = packet.get_mut(4..12) {
            field[..2].copy_from_slice(&seen.sequence.next().get().to_be_bytes());
            field[2..4].copy_from_slice(&seen.frame.next().get().to_be_bytes());
            field[4..].copy_from_slice(&timestamp.to_be_bytes());
        }
        packet.freeze()
    }
}

impl<F: ConnectionFactory> Worker<F> {
    /// Hands a track's last will to everyone who receives the track here.
    pub(super) fn send_last_will(
        &mut self,
        track: TrackKey,
        (packet, rules): (&Bytes, LaneRules),
        now: Instant,
    ) {
        self.routes.end_source(track);
        let Some(entry) = self.routes.track(track) else { return };
        let packet = entry.newest.followed_by(packet, now);
        let sinks = entry.subscribers.clone();
        let Ok(header) = Header::parse(&packet) else { return };
        for sink in &sinks {
            self.with_peer(sink.peer, |peer| peer.add_lane(sink.handle, rules, now));
            self.mark(sink.peer, Urgency::Soon);
        }
        self.counters.last_wills += self.deliver_local(track, &header, &packet, Times::at(now)) as u64;
    }
}

#[cfg(test)]
mod tests {
    use trackyard_wire::{Extensions, Handle, PacketBuilder};

    use super::*;

    fn packet(sequence: u16, frame: u16, timestamp: u32) -> Bytes {
        let builder = PacketBuilder {
            start: true,
            last: true,
            handle: Handle::new(3).unwrap(),
            sequence: Sequence::new(sequence),
            frame: FrameNumber::new(frame),
            timestamp,
            extensions: Extensions { user_timestamp: Some(77), ..Extensions::default() },
        };
        builder.build(b"stop").into()
    }

    fn check(before: &[(u16, u16, u32)], expected: (u16, u16, u32)) {
        #[expect(clippy::disallowed_methods, reason = "any instant will do; only differences count")]
        let now = Instant::now();
        let mut newest = Newest::default();
        for (sequence, frame, timestamp) in before {
            newest.note(&Header::parse(&packet(*sequence, *frame, *timestamp)).unwrap(), now);
        }
        let later = now + std::time::Duration::from_millis(20);
        let will = newest.followed_by(&packet(0, 0, 5), later);
        assert_eq!(will, packet(expected.0, expected.1, expected.2), "{before:?}");
    }

    #[test]
    fn a_will_follows_the_newest_packet_and_is_otherwise_as_it_was_given() {
        check(&[], (0, 0, 5));
        check(&[(7, 2, 900)], (8, 3, 2_700));
        check(&[(7, 2, 900), (9, 3, 1_000), (8, 3, 1_000)], (10, 4, 2_800));
        check(&[(u16::MAX, u16::MAX, u32::MAX)], (0, 0, 1_799));
        check(&[(40_000, 9, 0), (0, 0, 100)], (1, 1, 1_900));
        check(&[(10_000, 9, 0), (0, 0, 100)], (1, 1, 1_900));
    }
}
