//! What must be decided once per room, wherever its parts run: compare-and-set on a few small records.
//!
//! A room asks ([`DirectoryRequest`]) and goes on when the reply arrives, whoever gives it: for one
//! node [`Memory`] answers at once; for several, a shared store will.

mod memory;

use std::sync::Arc;

use crate::control::PeerId;

pub use memory::Memory;

/// Names the state of a record; each change gives it a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

/// Which record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DirectoryKey {
    /// The room itself.
    Room {
        /// Its name.
        room: Arc<str>,
    },
    /// Whose session an identity is.
    Session {
        /// In which room.
        room: Arc<str>,
        /// Whose.
        identity: Arc<str>,
    },
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DirectoryValue {
    /// The room exists.
    Room(RoomRecord),
    /// The identity is taken.
    Session(SessionRecord),
}

/// What all parts of a room share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomRecord {
    /// `RM_…`.
    pub sid: String,
    /// Unix milliseconds.
    pub creation_time_ms: u64,
}

/// Who holds an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// On which node.
    pub node_id: String,
    /// Which session there.
    pub peer: PeerId,
}

/// Change a record if it still is what the sender believes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryRequest {
    /// Returned in the reply.
    pub id: u64,
    /// Which record.
    pub key: DirectoryKey,
    /// What it must be; `None`: absent.
    pub expected: Option<Revision>,
    /// What it becomes; `None`: absent.
    pub value: Option<DirectoryValue>,
}

/// How a request went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryReply {
    /// The request's.
    pub id: u64,
    /// How it went.
    pub outcome: Outcome,
}

/// How a request went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The record is now what was asked for.
    Swapped(Revision),
    /// It was something else, and still is: this, or absent.
    Conflict(Option<(Revision, DirectoryValue)>),
}
