//! Whole-frame queues for one receiver of many data tracks (design §5).
//!
//! An [`Outbox`] has one lane per track. Packets go in as they arrive; whole frames come out, in
//! order, newest first in importance, no older than their lane allows, and never more than the
//! path can take without queueing. Every frame that goes in is accounted for: delivered, or
//! dropped for a reason.
//!
//! It never reads a clock, draws a random number, opens a socket or logs.

mod estimator;
mod lane;
mod outbox;
mod rules;
mod stats;

pub use lane::{FRAME_PACKETS_MAX, PACKET_BYTES_MAX};
pub use outbox::{Outbox, OutboxConfig};
pub use rules::{LaneRules, Policy};
pub use stats::{DropReason, LaneStats};
