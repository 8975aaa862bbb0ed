//! Whole-frame queues for one receiver of many data tracks.
//!
//! An [`Outbox`] has one lane per track. Packets go in as they arrive; whole frames come out, in
//! order, newest first in importance, no older than their lane allows, and never more than the
//! path can take without queueing. Every frame that goes in is accounted for: delivered, or
//! dropped for a reason.
//!
//! A [`Backlog`] does the same for messages that must all arrive: it decides whose turn it is, and a [`Gauge`]
//! how much of it the channel may hold.
//!
//! It never reads a clock, draws a random number, opens a socket or logs.

mod backlog;
mod config;
mod estimator;
mod frame;
mod gauge;
mod grid;
mod lane;
mod outbox;
mod packet;
mod ring;
mod rules;
mod seen;
mod sequencer;
mod slab;
mod stats;
mod store;
mod timers;

pub use backlog::{Backlog, BacklogFull};
pub use config::OutboxConfig;
pub use gauge::Gauge;
pub use grid::Grid;
pub use outbox::Outbox;
pub use rules::{LaneRules, Policy};
pub use stats::{DropReason, LaneStats};

/// Packets beyond this length are refused: no data channel message is longer (protocol §5.4).
pub const PACKET_BYTES_MAX: usize = 65_535;

/// Official receivers hold no more packets of one frame (protocol §5.5).
pub const FRAME_PACKETS_MAX: u16 = 128;
