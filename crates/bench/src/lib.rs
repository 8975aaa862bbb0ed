//! What a benchmark of data tracks sends, measures and reports.
//!
//! It never opens a socket or a file and never reads a clock: whoever drives it says what time it is,
//! hands frames in, and hands in the text of `/proc`. Moments are [`Duration`](std::time::Duration)s since
//! the epoch of the run, which is whatever publishers and subscribers agree upon.
//!
//! A whole run, over a path that takes a millisecond:
//!
//! ```
//! use std::time::Duration;
//! use trackyard_bench::measure::{Outcome, SendMeter, Series, SubscriberMeter};
//! use trackyard_bench::{pacing::Pacer, payload::{ClockOffset, Payloads, Stamp}, plan::Plan, report};
//!
//! let plan = Plan { frame_bytes: trackyard_bench::units::bytes("1KiB")?, ..Plan::default() };
//! let (run, seed) = (0xfeed, 7);
//! let payloads = Payloads::new(run);
//! let mut pacer = Pacer::new(&plan, 0, seed)?;
//! let mut sender = SendMeter::new(&plan, 0)?;
//! let mut subscriber = SubscriberMeter::new(&plan, ClockOffset::default())?;
//! while let Some(now) = pacer.next_wake() {
//!     while let Some(due) = pacer.poll(now) {
//!         let stamp = Stamp { track: due.track, number: due.number, intended: due.intended };
//!         let frame = payloads.frame(&stamp, plan.frame_bytes)?;
//!         sender.sent(due.track, due.number);
//!         subscriber.record(&payloads.read(&frame), frame.len(), now + Duration::from_millis(1));
//!     }
//! }
//! let outcome = Outcome::tally(&plan, &[sender], &[subscriber]);
//! let target = report::Target { label: plan.to_string(), run, seed, ..report::Target::default() };
//! let report = report::Report::new(&report::Facts {
//!     target: &target,
//!     plan: &plan,
//!     outcome: &outcome,
//!     lateness: pacer.lateness(),
//!     clock: ClockOffset::default(),
//!     subscribers: &[("near".to_owned(), None)],
//!     server: None,
//!     bench: None,
//!     machine: None,
//!     frames_watched: 0,
//!     series: &Series::default(),
//!     drops: &[],
//!     links: &[],
//! });
//! assert_eq!((report.delivery.delivered_percent, report.latency.p99_ms), (100.0, Some(1.0)));
//! assert!(report::table(&[report]).contains("1KiB @ 100Hz, 1 -> 1"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests need a moment to begin at"))]

pub mod link;
pub mod measure;
pub mod pacing;
pub mod payload;
pub mod plan;
pub mod process;
pub mod report;
pub mod soak;
pub mod suite;
pub mod units;
