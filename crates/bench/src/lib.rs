//! What a benchmark of data tracks sends, measures and reports.
//!
//! It never opens a socket or a file and never reads a clock: whoever drives it says what time it is,
//! hands frames in, and hands in the text of `/proc`. Moments are [`Duration`](std::time::Duration)s since
//! the epoch of the run, which is whatever publishers and subscribers agree upon.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests need a moment to begin at"))]

pub mod link;
pub mod measure;
pub mod pacing;
pub mod payload;
pub mod plan;
pub mod process;
pub mod report;
pub mod units;
