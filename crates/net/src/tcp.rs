//! ICE/TCP: framing, connections, and how many there may be.

mod connection;
mod connections;
mod framing;
mod listener;
mod permit;

pub(crate) use connection::{Connection, Filled};
pub(crate) use connections::Connections;
pub(crate) use listener::{Listener, listen_all};
pub(crate) use permit::Permits;
