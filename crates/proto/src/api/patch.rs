//! A patch of a room's metadata by RFC 7386: only this server has it, and it speaks JSON alone.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Message;
use crate::limits;
use crate::signal::{DecodeError, Encoding};

/// Merge a patch into the metadata of a room.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PatchRoomMetadata {
    /// Which room.
    #[serde(default)]
    pub room: String,
    /// What changes: fields replace, `null` deletes, objects are merged. Absent or `{}` changes nothing.
    #[serde(default = "nothing")]
    pub patch: Value,
    /// Only if the metadata is of this revision.
    #[serde(default, alias = "ifRevision", skip_serializing_if = "Option::is_none")]
    pub if_revision: Option<u64>,
}

/// A room's metadata, and how often it has changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MetadataRevision {
    /// The metadata.
    pub metadata: String,
    /// Grows with each change while the room exists.
    pub revision: u64,
}

fn nothing() -> Value {
    Value::Object(serde_json::Map::new())
}

/// Both messages are JSON whatever encoding is asked for.
macro_rules! json_message {
    ($name:ty) => {
        impl Message for $name {
            const BYTES_MAX: usize = limits::API_BODY_BYTES;

            fn decode(body: &[u8], _: Encoding) -> Result<Self, DecodeError> {
                super::codec::decode_own(body, Self::BYTES_MAX)
            }

            fn encode(&self, _: Encoding) -> Vec<u8> {
                // Keys are texts, so this can always be written.
                serde_json::to_vec(self).unwrap_or_default()
            }
        }
    };
}

json_message!(PatchRoomMetadata);
json_message!(MetadataRevision);
