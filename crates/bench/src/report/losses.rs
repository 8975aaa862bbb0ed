//! Where frames and datagrams went that did not arrive.

use serde::{Deserialize, Serialize};
use trackyard_link::LinkStats;

/// Frames that one side has dropped for one reason, warm-up included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropReport {
    /// Who has dropped them, or missed them.
    pub side: Side,
    /// The name by which the client's counters know the reason.
    pub reason: String,
    /// How many, over all clients and tracks of that side.
    pub frames: u64,
}

/// The clients on one side of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Those that send.
    Publishers,
    /// Those that receive.
    Subscribers,
}

/// What one direction of all emulated links of a side has carried, from the first client's joining on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkReport {
    /// Whose links they are.
    pub side: Side,
    /// `up` is towards the server, `down` from it.
    pub direction: String,
    /// Accepted.
    pub datagrams_carried: u64,
    /// Their bytes, IP and UDP included.
    pub bytes_carried: u64,
    /// Vanished by chance, as the link is to lose some.
    pub datagrams_lost: u64,
    /// Found the queue full.
    pub datagrams_overflowed: u64,
}

impl LinkReport {
    /// One direction.
    #[must_use]
    pub fn new(side: Side, direction: &str, stats: &LinkStats) -> Self {
        Self {
            side,
            direction: direction.to_owned(),
            datagrams_carried: stats.carried,
            bytes_carried: stats.carried_bytes,
            datagrams_lost: stats.lost,
            datagrams_overflowed: stats.overflowed,
        }
    }
}
