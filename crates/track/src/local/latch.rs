//! The last frame of a track that the server keeps for those who come late.
//!
//! The server's copy ends with its session. So the last frame is kept here as well, and goes out first when the track is
//! published anew: those who come later get it although nothing was pushed since.

use std::time::Instant;

use super::{LocalTrackId, LocalTracks};
use crate::Frame;

/// What is kept of one track.
#[derive(Debug, Default)]
pub(super) struct Latch {
    /// The server keeps the last frame.
    is_kept: bool,
    /// It was pushed last.
    last: Option<Frame>,
    /// The session that had it is gone.
    is_owed: bool,
}

impl Latch {
    /// The server has taken the track, and keeps its last frame or does not.
    pub(super) fn set_kept(&mut self, is_kept: bool) {
        self.is_kept = is_kept;
        if !is_kept {
            self.last = None;
        }
    }

    /// A frame was pushed.
    pub(super) fn pushed(&mut self, frame: &Frame) {
        if self.is_kept {
            self.last = Some(frame.clone());
        }
        self.is_owed = false;
    }

    /// The session is gone, and with it what the server kept.
    pub(super) fn session_lost(&mut self) {
        self.is_owed = self.last.is_some();
    }

    /// What the server has to be given again.
    fn take_owed(&mut self) -> Option<Frame> {
        std::mem::take(&mut self.is_owed).then(|| self.last.clone()).flatten()
    }
}

impl LocalTracks {
    /// Gives the server what it has lost with a session, once it can take it.
    pub(super) fn give_again(&mut self, now: Instant) {
        if !self.is_open {
            return;
        }
        let owed = self.tracks.iter_mut().filter(|(_, track)| track.sid().is_some());
        let owed: Vec<(LocalTrackId, Frame)> =
            owed.filter_map(|(id, track)| Some((*id, track.latch.take_owed()?))).collect();
        for (id, frame) in owed {
            // What cannot be pushed is counted as any other frame.
            let _ = self.try_push(id, frame, now);
        }
    }
}
