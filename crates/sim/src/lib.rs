//! Simulation: a virtual network, a raw protocol client, and whole servers with their clients in one
//! thread and in virtual time. For tests only.
//!
//! It never opens a socket or reads a clock, so that the raw client and the links serve over real
//! sockets as well as in virtual time. The same seed gives the same run.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests need a moment to begin at"))]

pub mod client;
pub mod message;
mod ours;
pub mod world;

pub use trackyard_link as link;

pub use ours::{Guest, GuestEvent, MixedWorld};
