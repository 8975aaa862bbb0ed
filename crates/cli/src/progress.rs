//! How far long work has come, shown on a terminal.

use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::quantity::readable_bytes;
use crate::text::printable;

/// How often it is drawn.
const STEP: Duration = Duration::from_millis(200);
/// Places of the bar.
const WIDTH: u32 = 30;
/// What of a name is shown.
const NAME_CHARACTERS: usize = 32;

/// How far long work has come, on one line of a terminal; elsewhere nothing is shown.
#[derive(Debug)]
pub(crate) struct Progress {
    is_shown: bool,
    drawn: Mutex<Option<Instant>>,
}

/// How far a piece of work has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stage<'n> {
    /// What is being done.
    pub(crate) name: &'n str,
    pub(crate) done: u64,
    /// Nothing if nobody knows.
    pub(crate) total: Option<u64>,
    pub(crate) elapsed: Duration,
}

impl Progress {
    /// Of work whose results are for people, unless told otherwise.
    pub(crate) fn new(json: bool) -> Self {
        Self { is_shown: !json && std::io::stderr().is_terminal(), drawn: Mutex::new(None) }
    }

    /// Shows it, unless that was done a moment ago.
    pub(crate) fn show(&self, stage: Stage<'_>) {
        if !self.is_shown {
            return;
        }
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if drawn.is_some_and(|drawn| drawn.elapsed() < STEP) {
            return;
        }
        *drawn = Some(Instant::now());
        // A terminal that has gone away is told nothing more.
        let _ = write!(std::io::stderr(), "\r{}\x1b[K", line(stage));
        let _ = std::io::stderr().flush();
    }

    /// Frees the line.
    pub(crate) fn clear(&self) {
        let drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner).take();
        if drawn.is_some() {
            // As above.
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is shown with three digits")]
fn line(Stage { name, done, total, elapsed }: Stage<'_>) -> String {
    let name: String = printable(name).chars().take(NAME_CHARACTERS).collect();
    let rate = done as f64 / elapsed.as_secs_f64().max(1e-3);
    let (shown, speed) = (readable_bytes(done as f64), readable_bytes(rate));
    let Some(total) = total.filter(|total| *total > 0) else {
        return format!("{name}  {shown}  {speed}/s");
    };
    let part = (done as f64 / total as f64).min(1.0);
    let left = if rate > 0.0 { (total.saturating_sub(done)) as f64 / rate } else { f64::INFINITY };
    let left = if left.is_finite() { format!("  {left:.0} s left") } else { String::new() };
    let percent = part * 100.0;
    format!(
        "{name}  [{}] {percent:3.0} %  {shown} of {}  {speed}/s{left}",
        bar(part),
        readable_bytes(total as f64)
    )
}

fn bar(part: f64) -> String {
    let is_full = |place: u32| f64::from(place) < part * f64::from(WIDTH);
    (0..WIDTH).map(|place| if is_full(place) { '#' } else { '.' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(done: u64, total: Option<u64>) -> String {
        line(Stage { name: "map\x1b[2J", done, total, elapsed: Duration::from_secs(2) })
    }

    #[test]
    fn a_bar_is_as_full_as_the_work_is_done() {
        let half = format!("[{}{}]", "#".repeat(15), ".".repeat(15));
        assert_eq!(
            shown(500_000, Some(1_000_000)),
            format!("map\\u{{1b}}[2J  {half}  50 %  500.00 kB of 1.00 MB  250.00 kB/s  2 s left")
        );
        assert!(shown(0, Some(10)).contains(&format!("[{}]   0 %", ".".repeat(30))));
        assert!(shown(10, Some(10)).contains(&format!("[{}] 100 %", "#".repeat(30))));
    }

    #[test]
    fn more_than_was_announced_is_no_more_than_all() {
        assert!(shown(30, Some(10)).contains("] 100 %"));
    }

    #[test]
    fn nobody_is_told_how_much_is_left_of_what_has_no_length() {
        assert_eq!(shown(2_000, None), "map\\u{1b}[2J  2.00 kB  1.00 kB/s");
        assert_eq!(shown(0, Some(0)), "map\\u{1b}[2J  0 B  0 B/s");
    }
}
