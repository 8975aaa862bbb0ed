//! Frames that are made up.

use bytes::Bytes;
use clap::ValueEnum;

/// What made-up frames hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Pattern {
    /// Random bytes, others in each frame
    #[default]
    Random,
    /// The frame's number, counted from 0, in 8 bytes, the highest first, and then bytes that count up
    /// from its last
    Counter,
}

impl Pattern {
    /// The payload of this frame.
    #[expect(clippy::cast_possible_truncation, reason = "bytes count round")]
    pub(super) fn payload(self, number: u64, size: usize) -> Bytes {
        let mut payload = vec![0; size];
        match self {
            Self::Random => fastrand::fill(&mut payload),
            Self::Counter => {
                for (place, byte) in payload.iter_mut().enumerate() {
                    *byte = (number as u8).wrapping_add(place as u8).wrapping_sub(7);
                }
                let head = number.to_be_bytes();
                let length = size.min(head.len());
                payload[..length].copy_from_slice(&head[head.len() - length..]);
            }
        }
        payload.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_begins_with_the_number() {
        assert_eq!(Pattern::Counter.payload(0x0102, 11).as_ref(), [0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5]);
        assert_eq!(Pattern::Counter.payload(0x0102, 1).as_ref(), [2]);
        assert!(Pattern::Counter.payload(1, 0).is_empty());
    }

    #[test]
    fn random_frames_differ() {
        assert_ne!(Pattern::Random.payload(0, 64), Pattern::Random.payload(0, 64));
    }
}
