//! Whether the server still answers on the signal connection (protocol §1.5).

use std::time::{Duration, Instant};

/// For a server that names no interval.
const INTERVAL: Duration = Duration::from_secs(10);

/// Asks at an interval, and gives up when nothing has come for longer than the server allows.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    interval: Duration,
    timeout: Duration,
    next: Instant,
    heard: Instant,
    /// Milliseconds, of the last answer.
    round_trip_ms: i64,
    asked: Option<Instant>,
}

/// What is due.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Beat {
    /// Ask; with the last round trip in milliseconds.
    Ask(i64),
    /// The server is silent.
    Lost,
}

impl Heartbeat {
    pub(crate) fn new(interval_s: i32, timeout_s: i32, now: Instant) -> Self {
        let seconds = |value: i32| u64::try_from(value).ok().filter(|value| *value > 0);
        let interval = seconds(interval_s).map_or(INTERVAL, Duration::from_secs);
        let timeout = seconds(timeout_s).map_or(interval * 3, Duration::from_secs);
        Self { interval, timeout, next: now + interval, heard: now, round_trip_ms: 0, asked: None }
    }

    /// Anything has come.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard = now;
    }

    /// The last question was answered.
    pub(crate) fn answered(&mut self, now: Instant) {
        if let Some(asked) = self.asked.take() {
            let elapsed = now.saturating_duration_since(asked).as_millis();
            self.round_trip_ms = i64::try_from(elapsed).unwrap_or(i64::MAX);
        }
    }

    pub(crate) fn poll_timeout(&self) -> Instant {
        self.next.min(self.heard + self.timeout)
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Option<Beat> {
        if now >= self.heard + self.timeout {
            return Some(Beat::Lost);
        }
        if now < self.next {
            return None;
        }
        self.next = now + self.interval;
        self.asked = Some(now);
        Some(Beat::Ask(self.round_trip_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]
    fn begin() -> Instant {
        Instant::now()
    }

    #[test]
    fn it_asks_at_its_interval_with_the_last_round_trip() {
        let start = begin();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut heartbeat = Heartbeat::new(5, 15, start);
        assert_eq!(heartbeat.poll_timeout(), at(5));
        assert_eq!(heartbeat.handle_timeout(at(4)), None);
        assert_eq!(heartbeat.handle_timeout(at(5)), Some(Beat::Ask(0)));
        heartbeat.heard(at(6));
        heartbeat.answered(at(6));
        assert_eq!(heartbeat.handle_timeout(at(10)), Some(Beat::Ask(1_000)));
    }

    #[test]
    fn a_silent_server_is_given_up() {
        let start = begin();
        let mut heartbeat = Heartbeat::new(5, 12, start);
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        assert_eq!(heartbeat.handle_timeout(at(5)), Some(Beat::Ask(0)));
        assert_eq!(heartbeat.handle_timeout(at(10)), Some(Beat::Ask(0)));
        assert_eq!(heartbeat.poll_timeout(), at(12));
        assert_eq!(heartbeat.handle_timeout(at(12)), Some(Beat::Lost));
    }

    #[test]
    fn a_server_that_names_no_interval_is_asked_all_the_same() {
        let start = begin();
        let heartbeat = Heartbeat::new(0, 0, start);
        assert_eq!(heartbeat.poll_timeout(), start + INTERVAL);
    }
}
