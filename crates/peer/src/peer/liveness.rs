//! When a connection is interrupted, and when it is given up (protocol §4.7).

use std::time::{Duration, Instant};

use crate::connection::ChannelKind;

/// A connection that hears nothing for so long is interrupted.
const SILENCE_MAX: Duration = Duration::from_secs(10);
/// It has failed after so long. A restart of ICE may still bring it back.
const OUTAGE_MAX: Duration = Duration::from_secs(15);
/// From its first description to ICE and DTLS being up.
const CONNECT_MAX: Duration = Duration::from_secs(60);
/// From ICE and DTLS being up to the user channels being open.
const ESTABLISH_MAX: Duration = Duration::from_secs(20);

/// What has become of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It is up for the first time.
    Connected,
    /// It has lost its path.
    Interrupted,
    /// The path is back.
    Restored,
    /// The path is back after the connection had failed.
    Recovered,
    /// It has failed.
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    New,
    Up,
    Interrupted,
    /// Failed for want of a path, which may come back.
    Failed,
    /// Failed for good.
    Over,
}

/// Whether one connection still lives. Each call answers what has changed, and so does each timeout.
#[derive(Debug, Default)]
pub(super) struct Liveness {
    state: State,
    heard: Option<Instant>,
    /// ICE has no path since.
    lost: Option<Instant>,
    connect_until: Option<Instant>,
    establish_until: Option<Instant>,
    described: bool,
    /// No channels were offered, so none are waited for.
    without_channels: bool,
    reliable: bool,
    lossy: bool,
}

impl Liveness {
    /// Only the first description decides whether channels are expected.
    pub(super) fn described(&mut self, with_channels: bool, now: Instant) {
        if !std::mem::replace(&mut self.described, true) {
            self.without_channels = !with_channels;
            self.connect_until = Some(now + CONNECT_MAX);
        }
    }

    pub(super) fn connected(&mut self, now: Instant) -> Option<Change> {
        if self.state != State::New {
            return None;
        }
        self.state = State::Up;
        self.heard = Some(now);
        self.connect_until = None;
        if !self.is_established() {
            self.establish_until = Some(now + ESTABLISH_MAX);
        }
        Some(Change::Connected)
    }

    pub(super) fn opened(&mut self, kind: ChannelKind) {
        match kind {
            ChannelKind::Reliable => self.reliable = true,
            ChannelKind::Lossy => self.lossy = true,
            ChannelKind::DataTrack => {}
        }
        if self.is_established() {
            self.establish_until = None;
        }
    }

    /// A datagram has come.
    pub(super) fn heard(&mut self, now: Instant) -> Option<Change> {
        if self.heard.is_some() {
            self.heard = Some(now);
        }
        self.restore()
    }

    /// ICE has no path.
    pub(super) fn path_lost(&mut self, now: Instant) -> Option<Change> {
        self.lost.get_or_insert(now);
        self.interrupt()
    }

    /// ICE has a path.
    pub(super) fn path_found(&mut self, now: Instant) -> Option<Change> {
        self.lost = None;
        self.heard(now)
    }

    /// DTLS or SCTP has ended.
    pub(super) fn closed(&mut self) -> Option<Change> {
        self.fail(State::Over)
    }

    pub(super) fn is_up(&self) -> bool {
        self.state == State::Up
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let silence = self.heard.filter(|_| self.state == State::Up).map(|at| at + SILENCE_MAX);
        [self.connect_until, self.establish_until, self.outage_end(), silence].into_iter().flatten().min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Option<Change> {
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if is_due(self.connect_until) || is_due(self.establish_until) {
            self.fail(State::Over)
        } else if is_due(self.outage_end()) {
            self.fail(State::Failed)
        } else if is_due(self.heard.map(|at| at + SILENCE_MAX)) {
            self.interrupt()
        } else {
            None
        }
    }

    fn interrupt(&mut self) -> Option<Change> {
        if self.state != State::Up {
            return None;
        }
        self.state = State::Interrupted;
        Some(Change::Interrupted)
    }

    fn restore(&mut self) -> Option<Change> {
        let change = match self.state {
            State::Interrupted => Change::Restored,
            State::Failed => Change::Recovered,
            State::New | State::Up | State::Over => return None,
        };
        if self.lost.is_some() {
            return None;
        }
        self.state = State::Up;
        Some(change)
    }

    fn fail(&mut self, state: State) -> Option<Change> {
        self.connect_until = None;
        self.establish_until = None;
        let former = std::mem::replace(&mut self.state, state);
        (!matches!(former, State::Failed | State::Over)).then_some(Change::Failed)
    }

    /// When an interruption will have lasted too long.
    fn outage_end(&self) -> Option<Instant> {
        if self.state != State::Interrupted {
            return None;
        }
        self.heard.into_iter().chain(self.lost).min().map(|since| since + OUTAGE_MAX)
    }

    fn is_established(&self) -> bool {
        self.without_channels || (self.reliable && self.lossy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixture {
        liveness: Liveness,
        start: Instant,
    }

    impl Fixture {
        #[expect(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]
        fn new() -> Self {
            Self { liveness: Liveness::default(), start: Instant::now() }
        }

        /// Connected and established at the start.
        fn up() -> Self {
            let mut fixture = Self::new();
            fixture.liveness.described(true, fixture.start);
            assert_eq!(fixture.liveness.connected(fixture.start), Some(Change::Connected));
            fixture.liveness.opened(ChannelKind::Reliable);
            fixture.liveness.opened(ChannelKind::Lossy);
            fixture
        }

        fn at(&self, seconds: f64) -> Instant {
            self.start + Duration::from_secs_f64(seconds)
        }

        /// What changes, and when, if nothing but time goes on.
        fn alone(&mut self) -> Vec<(f64, Change)> {
            let mut changes = Vec::new();
            while let Some(at) = self.liveness.poll_timeout() {
                if let Some(change) = self.liveness.handle_timeout(at) {
                    changes.push(((at - self.start).as_secs_f64(), change));
                }
                assert!(changes.len() < 10, "it comes to rest");
            }
            changes
        }
    }

    #[test]
    fn silence_interrupts_after_10_s_and_fails_after_15_s() {
        let mut fixture = Fixture::up();
        assert_eq!(fixture.alone(), [(10.0, Change::Interrupted), (15.0, Change::Failed)]);
    }

    #[test]
    fn what_is_heard_keeps_it_up() {
        let mut fixture = Fixture::up();
        assert_eq!(fixture.liveness.heard(fixture.at(8.0)), None);
        assert_eq!(fixture.liveness.handle_timeout(fixture.at(17.9)), None);
        assert_eq!(fixture.alone(), [(18.0, Change::Interrupted), (23.0, Change::Failed)]);
    }

    #[test]
    fn a_path_that_comes_back_is_told_once() {
        let mut fixture = Fixture::up();
        assert_eq!(fixture.liveness.handle_timeout(fixture.at(10.0)), Some(Change::Interrupted));
        assert_eq!(fixture.liveness.heard(fixture.at(12.0)), Some(Change::Restored));
        assert_eq!(fixture.liveness.heard(fixture.at(12.1)), None);
    }

    #[test]
    fn a_path_lost_to_ice_fails_15_s_after_the_last_sign() {
        let mut fixture = Fixture::up();
        fixture.liveness.heard(fixture.at(4.0));
        assert_eq!(fixture.liveness.path_lost(fixture.at(6.0)), Some(Change::Interrupted));
        assert_eq!(fixture.liveness.heard(fixture.at(6.5)), None, "ICE has not found it yet");
        assert_eq!(fixture.alone(), [(21.0, Change::Failed)]);
        assert_eq!(fixture.liveness.path_found(fixture.at(30.0)), Some(Change::Recovered));
        assert_eq!(fixture.alone(), [(40.0, Change::Interrupted), (45.0, Change::Failed)]);
    }

    #[test]
    fn channels_that_never_open_fail_the_connection_unless_none_were_offered() {
        let mut fixture = Fixture::new();
        fixture.liveness.described(true, fixture.start);
        fixture.liveness.connected(fixture.start);
        fixture.liveness.opened(ChannelKind::Reliable);
        fixture.liveness.heard(fixture.at(19.0));
        assert_eq!(fixture.alone(), [(20.0, Change::Failed)]);
        assert_eq!(fixture.liveness.heard(fixture.at(21.0)), None, "it is over for good");

        let mut media_only = Fixture::new();
        media_only.liveness.described(false, media_only.start);
        media_only.liveness.connected(media_only.start);
        media_only.liveness.heard(media_only.at(30.0));
        assert_eq!(media_only.alone(), [(40.0, Change::Interrupted), (45.0, Change::Failed)]);
    }

    #[test]
    fn one_that_never_connects_fails_and_one_without_description_waits() {
        let mut fixture = Fixture::new();
        assert_eq!(fixture.alone(), []);
        fixture.liveness.described(true, fixture.start);
        fixture.liveness.described(true, fixture.at(30.0));
        assert_eq!(fixture.alone(), [(60.0, Change::Failed)]);
        assert_eq!(fixture.liveness.closed(), None, "told once");
    }
}
