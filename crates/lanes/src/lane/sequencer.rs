//! Puts a track's packets in sequence, and says when one that is missing is no longer waited for.

use std::time::{Duration, Instant};

use bytes::Bytes;
use trackyard_wire::{Header, Sequence};

/// How long a missing packet is waited for.
pub(crate) const GAP_MAX: Duration = Duration::from_millis(2);
/// Later packets that may pass a missing one.
const HELD_MAX: usize = 3;
/// A jump this far is a publisher that numbers anew rather than a loss.
const JUMP: u16 = 1024;

/// A packet with what its header says.
#[derive(Debug, Clone)]
pub(crate) struct Packet {
    pub(crate) header: Header,
    pub(crate) bytes: Bytes,
}

/// What comes out, in order.
#[derive(Debug)]
pub(crate) enum Step {
    /// The next packet.
    Packet(Packet),
    /// Packets are missing here and will not come.
    Gap,
}

/// Puts packets in sequence.
#[derive(Debug, Default)]
pub(crate) struct Sequencer {
    next: Option<Sequence>,
    /// In order of sequence, with the time each came; never more than [`HELD_MAX`].
    held: Vec<(Instant, Packet)>,
    /// The publisher numbers anew: what is missing before the next packet will never come.
    jumped: bool,
    now: Option<Instant>,
}

impl Sequencer {
    /// A packet has come; `false` if it is too late or known already. Take [`Self::step`]s then.
    pub(crate) fn push(&mut self, packet: Packet, now: Instant) -> bool {
        self.now = Some(now);
        let sequence = packet.header.sequence;
        let next = *self.next.get_or_insert(sequence);
        let distance = sequence.distance_from(next);
        if distance.unsigned_abs() >= JUMP {
            self.held.clear();
            self.held.push((now, packet));
            self.jumped = true;
            return true;
        }
        if distance < 0 {
            return false;
        }
        match self.held.binary_search_by(|(_, held)| held.header.sequence.distance_from(next).cmp(&distance))
        {
            Ok(_) => return false,
            Err(at) => self.held.insert(at, (now, packet)),
        }
        true
    }

    /// Until when a missing packet is waited for.
    pub(crate) fn gap_until(&self) -> Option<Instant> {
        self.held.iter().map(|(arrived, _)| *arrived + GAP_MAX).min()
    }

    /// Time has passed; take [`Self::step`]s then.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.now = Some(now);
    }

    /// What comes next, if anything does yet.
    pub(crate) fn step(&mut self) -> Option<Step> {
        let first = self.held.first()?.1.header.sequence;
        if self.next != Some(first) {
            if !self.gives_up() {
                return None;
            }
            self.next = Some(first);
            self.jumped = false;
            return Some(Step::Gap);
        }
        self.next = Some(first.next());
        Some(Step::Packet(self.held.remove(0).1))
    }

    fn gives_up(&self) -> bool {
        let waited = self.gap_until().is_some_and(|until| self.now.is_some_and(|now| until <= now));
        self.jumped || waited || self.held.len() >= HELD_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trackyard_wire::{FrameNumber, Handle, PacketBuilder};

    fn packet(sequence: u16) -> Packet {
        let builder = PacketBuilder {
            start: true,
            last: true,
            handle: Handle::new(1).unwrap(),
            sequence: Sequence::new(sequence),
            frame: FrameNumber::new(sequence),
            timestamp: 0,
            extensions: trackyard_wire::Extensions::default(),
        };
        let bytes = Bytes::from(builder.build(b"x"));
        Packet { header: Header::parse(&bytes).unwrap(), bytes }
    }

    /// Packets in the order they come; `-1` lets the gap time pass. Gaps come out as `-1`.
    fn check(given: &[i32], expected: &[i32]) {
        let mut now = Instant::now();
        let mut sequencer = Sequencer::default();
        let mut out = Vec::new();
        for given in given {
            match u16::try_from(*given) {
                Ok(sequence) => drop(sequencer.push(packet(sequence), now)),
                Err(_) => {
                    now += GAP_MAX;
                    sequencer.handle_timeout(now);
                }
            }
            while let Some(step) = sequencer.step() {
                out.push(match step {
                    Step::Packet(packet) => i32::from(packet.header.sequence.get()),
                    Step::Gap => -1,
                });
            }
        }
        assert_eq!(out, expected, "{given:?}");
    }

    #[test]
    fn packets_come_out_in_sequence_and_gaps_are_told_once() {
        check(&[5, 6, 7], &[5, 6, 7]);
        check(&[5, 7, 6, 8], &[5, 6, 7, 8]);
        check(&[5, 7, 8], &[5]);
        check(&[5, 7, 8, 9], &[5, -1, 7, 8, 9]);
        check(&[5, 7, -1, 6, 8], &[5, -1, 7, 8]);
        check(&[5, 5, 6, 6], &[5, 6]);
        check(&[5, 7, 7, 7, 7, 6], &[5, 6, 7]);
        check(&[65_534, 0, 65_535, 1], &[65_534, 65_535, 0, 1]);
        check(&[5, 9_000, 9_001], &[5, -1, 9_000, 9_001]);
        check(&[9_000, 0, 1], &[9_000, -1, 0, 1]);
        check(&[5, 7, 10, 12, 8, -1], &[5, -1, 7, 8, -1, 10, -1, 12]);
    }
}
