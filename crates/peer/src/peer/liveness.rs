//! When a connection is given up (protocol §4.7).

use std::time::{Duration, Instant};

use crate::connection::ChannelKind;

/// ICE without a path for so long has failed.
const INTERRUPTED_MAX: Duration = Duration::from_secs(15);
/// ICE and DTLS are up, but the user channels are not, for so long.
const ESTABLISH_MAX: Duration = Duration::from_secs(20);

/// Whether one connection still lives.
#[derive(Debug, Default)]
pub(super) struct Liveness {
    interrupted_until: Option<Instant>,
    establish_until: Option<Instant>,
    /// Reliable, lossy.
    open: [bool; 2],
    /// No channels were offered, so none are waited for.
    without_channels: bool,
    described: bool,
}

impl Liveness {
    /// Only the first description decides whether channels are expected.
    pub(super) fn described(&mut self, with_channels: bool) {
        if !std::mem::replace(&mut self.described, true) {
            self.without_channels = !with_channels;
        }
    }

    pub(super) fn connected(&mut self, now: Instant) {
        self.interrupted_until = None;
        if !self.established() {
            self.establish_until = Some(now + ESTABLISH_MAX);
        }
    }

    pub(super) fn opened(&mut self, kind: ChannelKind) {
        match kind {
            ChannelKind::Reliable => self.open[0] = true,
            ChannelKind::Lossy => self.open[1] = true,
            ChannelKind::DataTrack => {}
        }
        if self.established() {
            self.establish_until = None;
        }
    }

    pub(super) fn interrupted(&mut self, now: Instant) {
        self.interrupted_until = Some(now + INTERRUPTED_MAX);
    }

    pub(super) fn restored(&mut self) {
        self.interrupted_until = None;
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.interrupted_until.into_iter().chain(self.establish_until).min()
    }

    /// `true` if the connection has to be given up now; once.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> bool {
        let failed = self.poll_timeout().is_some_and(|at| at <= now);
        if failed {
            self.interrupted_until = None;
            self.establish_until = None;
        }
        failed
    }

    fn established(&self) -> bool {
        self.without_channels || self.open == [true, true]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_lost_for_15_s_has_failed_once() {
        let now = Instant::now();
        let mut liveness = Liveness::default();
        liveness.interrupted(now);
        assert!(!liveness.handle_timeout(now + Duration::from_millis(14_999)));
        assert!(liveness.handle_timeout(now + Duration::from_secs(15)));
        assert!(!liveness.handle_timeout(now + Duration::from_secs(16)));
    }

    #[test]
    fn a_path_that_comes_back_is_kept() {
        let now = Instant::now();
        let mut liveness = Liveness::default();
        liveness.interrupted(now);
        liveness.restored();
        assert!(!liveness.handle_timeout(now + Duration::from_secs(60)));
    }

    #[test]
    fn channels_that_never_open_fail_the_connection_unless_none_were_offered() {
        let now = Instant::now();
        let mut liveness = Liveness::default();
        liveness.described(true);
        liveness.connected(now);
        liveness.opened(ChannelKind::Reliable);
        assert!(liveness.handle_timeout(now + ESTABLISH_MAX));

        let mut media_only = Liveness::default();
        media_only.described(false);
        media_only.connected(now);
        assert_eq!(media_only.poll_timeout(), None);
    }
}
