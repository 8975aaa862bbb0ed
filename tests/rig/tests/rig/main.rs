//! Raw clients over real sockets against the real server, on loopback only.
//!
//! Tests that load or measure the machine take it alone; the others share it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "figures beside a failure")]

mod api;
mod backend;
mod cores;
mod hostile;
mod ice_tcp;
mod links;
mod machine;
mod overload;
mod resume;
mod scale;
mod shutdown;
mod signalling;
mod soak;
mod surface;
mod user_packets;
mod webhooks;
