//! The server: configuration, HTTP and WebSocket, metrics, and the wiring of rooms to workers.
//!
//! This is an edge: it reads clocks, opens ports and starts tasks, and leaves every decision about
//! rooms and packets to the pure crates. It never touches a packet of a data track.

mod api;
mod app;
mod clock;
pub mod config;
mod demo;
mod faults;
mod http;
mod memory;
mod metrics;
mod rooms;
mod run;
mod webhooks;

pub use faults::Faults;
pub use run::{Endpoints, RunOptions, Server, run};
