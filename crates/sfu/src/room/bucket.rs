//! A token bucket: how fast a session may send signal messages.

use std::time::Instant;

/// Full at first; empties by one per message and fills at a steady rate.
#[derive(Debug, Clone, Copy)]
pub(super) struct TokenBucket {
    burst: f64,
    rate_hz: f64,
    level: f64,
    at: Instant,
}

impl TokenBucket {
    /// Full.
    pub(super) fn new(burst: u32, rate_hz: u32, now: Instant) -> Self {
        let burst = f64::from(burst);
        Self { burst, rate_hz: f64::from(rate_hz), level: burst, at: now }
    }

    /// Takes one token; `false`: there is none.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.level = (self.level + elapsed * self.rate_hz).min(self.burst);
        self.at = now;
        let enough = self.level >= 1.0;
        if enough {
            self.level -= 1.0;
        }
        enough
    }
}
