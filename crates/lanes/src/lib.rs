//! Whole-frame queues for one receiver of many data tracks (design §5).
//!
//! An [`Outbox`] has one lane per track. Packets go in as they arrive; whole frames come out, in
//! order, newest first in importance, no older than their lane allows, and never more than the
//! path can take without queueing. Every frame that goes in is accounted for: delivered, or
//! dropped for a reason.
//!
//! It never reads a clock, draws a random number, opens a socket or logs.

mod rules;

pub use rules::{LaneRules, Policy};
