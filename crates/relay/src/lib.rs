//! A relay on this machine with emulated links between any clients and any LiveKit-compatible server, for
//! measurements and tests: a client connects to the relay's address in place of the server's.
//!
//! Signalling passes through, with the server's UDP candidates replaced by the relay's; its TCP candidates
//! are left out, so that what is measured is the link, unless they are to stay, and clients' candidates are kept from the server. Datagrams take an emulated link each way, one pair
//! of links for each of a client's sockets. Time is kept to the millisecond.
//!
//! It never listens on anything but loopback, and everything in it ends with the [`Relay`].

mod candidates;
mod relay;
mod signal;
mod udp;

pub use relay::{Relay, RelayConfig, RelayStats};
pub use trackyard_link::{LinkConfig, LinkStats};
