//! How long packets are: as small as lets a frame pass receivers' queues, never so long
//! that one blocks other tracks for long.

use trackyard_wire::{HEADER_BYTES_MAX, PACKETS_PER_FRAME_MAX};

/// A frame is cut into so many packets at most, as long as they need not be longer than
/// [`PACKET_BYTES_MAX`] for that: official receivers queue so many.
pub const PACKETS_PER_FRAME_AIM: u16 = 16;

/// A packet is not made shorter than what one datagram carries.
pub const PACKET_BYTES_MIN: usize = 1_060;

/// Official senders make none longer (protocol §5.5).
pub const PACKET_BYTES_MAX: usize = trackyard_wire::PACKET_BYTES_DEFAULT;

/// How a track's frames are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PacketSize {
    /// The smallest packets that keep a frame within so many.
    Within(u16),
    /// Packets of so many bytes, header included; longer ones for frames that would need more than
    /// receivers take.
    Bytes(usize),
}

impl Default for PacketSize {
    fn default() -> Self {
        Self::Within(PACKETS_PER_FRAME_AIM)
    }
}

impl PacketSize {
    /// Bytes of a packet at most, for a frame of this length with headers of this length, on a
    /// channel that takes messages of at most `limit` bytes.
    pub(super) fn packet_bytes(self, payload: usize, header: usize, limit: usize) -> usize {
        let wanted = match self {
            Self::Within(packets) => header + payload.div_ceil(usize::from(packets.max(1))),
            Self::Bytes(bytes) => bytes,
        };
        let needed = header + payload.div_ceil(PACKETS_PER_FRAME_MAX);
        let longest = limit.clamp(HEADER_BYTES_MAX + 1, PACKET_BYTES_MAX);
        wanted.max(needed).max(PACKET_BYTES_MIN).min(longest)
    }
}

#[cfg(test)]
mod tests {
    use super::PacketSize;

    #[track_caller]
    fn check(size: PacketSize, payload: usize, expected: usize) {
        assert_eq!(size.packet_bytes(payload, 12, 65_535), expected, "{payload} bytes");
    }

    #[test]
    fn packets_are_as_small_as_keeps_a_frame_within_sixteen() {
        let size = PacketSize::default();
        check(size, 0, 1_060);
        check(size, 1_048 * 16, 1_060);
        check(size, 1_048 * 16 + 1, 1_061);
        check(size, 75_000, 4_700);
        check(size, 15_988 * 16, 16_000);
        check(size, 15_988 * 16 + 1, 16_000);
        check(size, 2_040_000, 16_000);
    }

    #[test]
    fn a_size_that_was_asked_for_is_kept_while_the_frame_fits() {
        check(PacketSize::Bytes(1_200), 50_000, 1_200);
        check(PacketSize::Bytes(1_200), 1_188 * 128, 1_200);
        check(PacketSize::Bytes(1_200), 1_188 * 128 + 1, 1_201);
        check(PacketSize::Bytes(10), 100, 1_060);
        check(PacketSize::Bytes(60_000), 100_000, 16_000);
        check(PacketSize::Within(64), 75_000, 1_184);
        check(PacketSize::Within(0), 5_000, 5_012);
    }

    #[test]
    fn no_packet_is_longer_than_the_channel_takes() {
        let bytes = |limit| PacketSize::default().packet_bytes(1_000_000, 12, limit);
        assert_eq!([1_200, 41, 0].map(bytes), [1_200, 41, 41]);
    }
}
