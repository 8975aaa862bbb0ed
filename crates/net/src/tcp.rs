//! ICE/TCP: framing, connections, and how many there may be.

mod connection;
mod framing;
mod permit;

pub(crate) use connection::{Connection, Ended, Filled};
pub(crate) use permit::Permits;
