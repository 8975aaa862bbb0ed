//! User packets on their way through the server (protocol §6.1): what has to be known of one to forward it, and who has
//! sent it, written behind what is there.
//!
//! A packet is never decoded and encoded again, so fields and kinds of value that nobody knows here arrive as
//! they were sent. In protobuf the last value of a field counts, and parts of a message add up.

mod outline;
mod seal;

pub use outline::{MalformedPacket, Outline, Value};
pub use seal::{Sender, seal};

/// On which kind of channel a packet travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// In order, and never lost while the session lasts.
    Reliable,
    /// Once, and perhaps not at all.
    Lossy,
}
