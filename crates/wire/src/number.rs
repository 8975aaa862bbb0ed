//! Counters of 16 bits that wrap; all arithmetic on them lives here.

/// Defines a wrapping counter, so that the two kinds can never be mixed.
macro_rules! wrapping_number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub struct $name(u16);

        impl $name {
            /// From the number on the wire.
            #[must_use]
            pub const fn new(value: u16) -> Self {
                Self(value)
            }

            /// The number on the wire.
            #[must_use]
            pub const fn get(self) -> u16 {
                self.0
            }

            /// The one that follows; 0 follows 65,535.
            #[must_use]
            pub const fn next(self) -> Self {
                self.advanced(1)
            }

            /// The one so many steps later.
            #[must_use]
            pub const fn advanced(self, steps: u16) -> Self {
                Self(self.0.wrapping_add(steps))
            }

            /// How many steps this one lies behind `other`, the short way round: positive if it is
            /// newer, negative if older. Two that are 32,768 apart are older than each other.
            #[must_use]
            pub const fn distance_from(self, other: Self) -> i16 {
                self.0.wrapping_sub(other.0).cast_signed()
            }

            /// Newer than `other`, the short way round.
            #[must_use]
            pub const fn is_newer_than(self, other: Self) -> bool {
                self.distance_from(other) > 0
            }
        }
    };
}

wrapping_number! {
    /// Numbers the packets of one track; starts at 0 and wraps.
    Sequence
}

wrapping_number! {
    /// Numbers the frames of one track; starts at 0 and wraps.
    FrameNumber
}

#[cfg(test)]
mod tests {
    use super::{FrameNumber, Sequence};

    #[track_caller]
    fn check(a: u16, b: u16, distance: i16) {
        assert_eq!(Sequence::new(a).distance_from(Sequence::new(b)), distance);
        assert_eq!(FrameNumber::new(a).distance_from(FrameNumber::new(b)), distance);
    }

    #[test]
    fn distance_takes_the_short_way_round() {
        check(0, 0, 0);
        check(1, 0, 1);
        check(0, 1, -1);
        check(0, u16::MAX, 1);
        check(u16::MAX, 0, -1);
        check(2, 65_533, 5);
        check(32_767, 0, 32_767);
        check(32_768, 0, -32_768);
        check(0, 32_768, -32_768);
    }

    #[test]
    fn next_wraps() {
        assert_eq!(Sequence::new(u16::MAX).next(), Sequence::default());
        assert_eq!(FrameNumber::new(41).next().get(), 42);
        assert_eq!(Sequence::new(65_530).advanced(10).get(), 4);
    }

    #[test]
    fn newer_is_strict() {
        let last = Sequence::new(u16::MAX);
        assert!(last.next().is_newer_than(last));
        assert!(!last.is_newer_than(last.next()));
        assert!(!last.is_newer_than(last));
    }
}
