//! The selective forwarding unit: rooms decide, workers forward.
//!
//! [`room`] is the control plane: membership, permissions, tracks, subscriptions. [`forward`] is
//! the data plane: a worker owns peers and routing tables and moves packets. They speak only
//! through the messages of [`control`], so that they may run on different threads, and a packet
//! never waits on a room.
//!
//! Nothing here opens a socket, reads a clock or starts a thread.

pub mod control;
pub mod directory;
pub mod forward;
mod nonces;
pub mod room;
