//! What has become of the frames that were pushed.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use trackyard::{LocalDataTrack, LocalDropReason, LocalTrackStats};

use crate::text::printable;

/// How often progress is shown.
const STEP: Duration = Duration::from_millis(500);

/// What has become of the frames that were pushed.
#[derive(Debug)]
pub(super) struct Summary {
    pub(super) name: String,
    pub(super) publisher: String,
    pub(super) sid: Option<String>,
    /// How long frames were pushed.
    pub(super) pushing: Duration,
    pub(super) stats: LocalTrackStats,
}

impl Summary {
    /// For people.
    pub(super) fn text(&self) -> String {
        let Self { stats, .. } = self;
        format!(
            "{}: pushed {} in {:.2} s, {}\n",
            printable(&self.name),
            stats.pushed,
            self.pushing.as_secs_f64(),
            fate(stats)
        )
    }

    /// For programs, always with the same keys.
    pub(super) fn json(&self) -> Value {
        let Self { stats, .. } = self;
        let reason = |reason: LocalDropReason| (reason.label().to_owned(), stats.dropped(reason).into());
        let dropped: Map<String, Value> = LocalDropReason::ALL.into_iter().map(reason).collect();
        json!({
            "track": self.name,
            "publisher": self.publisher,
            "sid": self.sid,
            "seconds": self.pushing.as_secs_f64(),
            "pushed": stats.pushed,
            "sent": stats.sent,
            "dropped": stats.dropped_total(),
            "dropped_by_reason": dropped,
            "packets_sent": stats.packets_sent,
            "bytes_sent": stats.bytes_sent,
        })
    }
}

fn fate(stats: &LocalTrackStats) -> String {
    let reasons = LocalDropReason::ALL.into_iter().map(|reason| (reason.label(), stats.dropped(reason)));
    let reasons: Vec<String> = reasons
        .filter(|(_, frames)| *frames > 0)
        .map(|(label, frames)| format!("{label} {frames}"))
        .collect();
    let reasons = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
    format!("sent {}, dropped {}{reasons}", stats.sent, stats.dropped_total())
}

/// Shows on a terminal how it goes.
#[derive(Debug)]
pub(super) struct Progress {
    is_shown: bool,
    last: Instant,
}

impl Progress {
    pub(super) fn new(json: bool) -> Self {
        Self { is_shown: !json && std::io::stderr().is_terminal(), last: Instant::now() }
    }

    pub(super) fn show(&mut self, track: &LocalDataTrack) {
        if !self.is_shown || self.last.elapsed() < STEP {
            return;
        }
        self.last = Instant::now();
        let stats = track.stats();
        // A terminal that has gone away is told nothing more.
        let _ = write!(std::io::stderr(), "\rpushed {}, {}\x1b[K", stats.pushed, fate(&stats));
        let _ = std::io::stderr().flush();
    }
}

/// The line it was shown on is free again.
impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_shown {
            // As above.
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
