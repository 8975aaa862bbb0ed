//! Sockets and worker threads: the edge around [`trackyard_sfu::forward`].
//!
//! Each worker is one thread with one poll, its own UDP sockets, its peers and its share of the
//! ICE/TCP connections. Workers share nothing but bounded mailboxes and the table of whose
//! datagrams are whose. Rooms reach them through [`Workers::send`] and hear of them through an
//! [`EventSink`].
//!
//! On the packet path nothing here takes a lock, formats or logs per packet; what crosses to
//! another worker goes in batches. It never decides about rooms, tracks or frames.

mod config;
mod counters;
mod limiter;
mod load;
mod mailbox;
mod names;
mod pace;
mod placement;
mod shared;
mod sink;
mod start;
mod steering;
mod switch;
mod table;
mod tcp;
mod thread;
mod udp;
mod user_packets;
mod wire;
mod workers;

pub use config::{Advertised, NetConfig, StartError};
pub use counters::NetSnapshot;
pub use limiter::source_network;
pub use shared::WorkerSnapshot;
pub use sink::EventSink;
pub use start::{Candidates, start, start_with};
pub use workers::{SendError, SendErrorReason, ShutdownTimeout, Workers};
