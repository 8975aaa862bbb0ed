//! What a participant can be told to do.

use serde::Deserialize;

use crate::encryption::{KeyChange, Keys};
use crate::schema::{Encoding, SchemaName};
use crate::talk::Talk;

/// What a participant is to do.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum Call {
    Connect(Joining),
    Publish {
        name: String,
        #[serde(flatten)]
        description: Description,
    },
    Push {
        name: String,
        #[serde(flatten)]
        frame: Frame,
    },
    Unpublish {
        name: String,
    },
    IsPublished {
        name: String,
    },
    Subscribe {
        publisher: String,
        name: String,
        target_fps: Option<u32>,
    },
    Unsubscribe {
        publisher: String,
        name: String,
    },
    /// What is known of another participant's track.
    Describe {
        publisher: String,
        name: String,
    },
    FetchSchema {
        publisher: String,
        name: String,
    },
    StoreSchema {
        schema: SchemaName,
        text: String,
    },
    /// Besides data tracks.
    Talk {
        talk: Talk,
    },
    Key(KeyChange),
    KeyStats,
    Sid,
    Participants,
    IsSingle,
    Close,
}

/// How to join.
#[derive(Debug, Deserialize)]
pub(crate) struct Joining {
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) single: bool,
    pub(crate) keys: Option<Keys>,
}

/// What is announced of a track beside its name.
#[derive(Debug, Deserialize)]
pub(crate) struct Description {
    pub(crate) frame_encoding: Option<Encoding>,
    pub(crate) schema: Option<SchemaName>,
    /// Who subscribes later gets the last frame.
    #[serde(default)]
    pub(crate) latch: bool,
}

/// A frame to push.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Frame {
    pub(crate) sequence: u32,
    pub(crate) size: usize,
    pub(crate) timestamp: Option<u64>,
}
