//! The data plane: one worker's peers, and the packets between them.
//!
//! A [`Worker`] owns peers, their timers and its part of the routing tables; rooms change these by
//! [`Command`](crate::control::Command)s. A packet's header is parsed once, its bytes are shared by
//! all who receive it, and it crosses to each other worker at most once.
//!
//! **The one rule of use:** after any calls that change a worker, drain `poll_output` until it
//! answers `Timeout`. Several datagrams may be handed in before that.

mod commands;
mod counters;
mod demux;
mod fan_out;
mod ids;
mod last_will;
mod latched;
mod messages;
mod output;
mod police;
mod routes;
mod seats;
mod shares;
mod slot;
mod stun;
mod timers;
mod worker;

pub use counters::WorkerCounters;
pub use demux::{DemuxKey, Endpoint};
pub use output::{Crossing, Demux, Foreign, WorkerOutput};
pub use stun::Garbage;
pub use worker::{Worker, WorkerConfig};

#[cfg(test)]
mod tests;
