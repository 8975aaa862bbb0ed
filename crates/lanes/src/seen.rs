//! Which of the recent frames have been counted.

use trackyard_wire::FrameNumber;

/// Frames so far behind the newest are not remembered.
const REMEMBERED: u16 = 64;

/// A sliding window of frame numbers, so that a frame all of whose packets come late is counted,
/// and counted once.
#[derive(Debug, Default)]
pub(crate) struct SeenFrames {
    newest: FrameNumber,
    bits: u64,
}

impl SeenFrames {
    /// Remembers a frame that is counted in its order.
    pub(crate) fn mark(&mut self, frame: FrameNumber) {
        let ahead = frame.distance_from(self.newest);
        match u16::try_from(ahead) {
            Ok(steps) if steps < REMEMBERED && self.bits != 0 => {
                self.bits = self.bits << steps | 1;
                self.newest = frame;
            }
            Err(_) if ahead.unsigned_abs() < REMEMBERED => self.bits |= 1 << ahead.unsigned_abs(),
            _ => *self = Self { newest: frame, bits: 1 },
        }
    }

    /// Remembers a frame that comes late; `true` if it was not counted before.
    pub(crate) fn mark_late(&mut self, frame: FrameNumber) -> bool {
        let behind = self.newest.distance_from(frame);
        let Ok(behind @ 0..REMEMBERED) = u16::try_from(behind) else { return false };
        let bit = 1 << behind;
        let unseen = self.bits & bit == 0;
        self.bits |= bit;
        unseen
    }
}

#[cfg(test)]
mod tests {
    use trackyard_wire::FrameNumber;

    use super::SeenFrames;

    #[track_caller]
    fn check(marked: &[u16], late: u16, unseen: bool) {
        let mut seen = SeenFrames::default();
        for frame in marked {
            seen.mark(FrameNumber::new(*frame));
        }
        assert_eq!(seen.mark_late(FrameNumber::new(late)), unseen);
        assert!(!seen.mark_late(FrameNumber::new(late)), "counted twice");
    }

    #[test]
    fn a_late_frame_is_new_once() {
        check(&[5], 5, false);
        check(&[5, 7], 6, true);
        check(&[5, 7], 5, false);
        check(&[65_535, 1], 0, true);
        check(&[65_535, 1], 65_535, false);
        check(&[5, 68], 5, false);
        check(&[5, 69], 5, false);
        check(&[100, 163], 101, true);
        check(&[100, 164], 100, false);
        check(&[100, 2_000], 1_950, true);
        check(&[100, 2_000], 100, false);
        check(&[2_000, 3], 2_000, false);
    }
}
