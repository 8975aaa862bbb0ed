//! Raw clients over real sockets against the real server, on loopback only.
//!
//! Tests that load or measure the machine take it alone; the others share it.

mod hostile;
mod ice_tcp;
mod links;
mod machine;
mod resume;
mod shutdown;
mod signalling;
mod soak;
mod surface;
