//! What a bearer may do with rooms (`video`, protocol §2).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// The `video` claim. What may be absent with a meaning of its own is an `Option`; ask the methods.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[allow(missing_docs, reason = "the protocol's own words")]
pub struct VideoGrant {
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub room_create: bool,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub room_list: bool,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub room_record: bool,
    /// Administers the room named in `room`.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub room_admin: bool,
    /// Joins the room named in `room`.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub room_join: bool,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub room: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_publish: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_subscribe: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_publish_data: Option<bool>,
    /// `camera`, `microphone`, `screen_share`, `screen_share_audio`; empty = all.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub can_publish_sources: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_update_own_metadata: Option<bool>,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub ingress_admin: bool,
    /// Others do not see the participant.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub hidden: bool,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub recorder: bool,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub agent: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_subscribe_metrics: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_manage_agent_session: Option<bool>,
    /// Room that participants may be forwarded to.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub destination_room: String,
    /// Keys this crate does not know, so that a refreshed token still carries them.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

impl VideoGrant {
    /// Allows to join `room`, with everything else as if absent.
    #[must_use]
    pub fn join(room: impl Into<String>) -> Self {
        Self { room_join: true, room: room.into(), ..Self::default() }
    }

    /// May publish media; absent = yes.
    #[must_use]
    pub fn can_publish(&self) -> bool {
        self.can_publish.unwrap_or(true)
    }

    /// May subscribe; absent = yes.
    #[must_use]
    pub fn can_subscribe(&self) -> bool {
        self.can_subscribe.unwrap_or(true)
    }

    /// May publish data tracks and data packets; absent = as [`Self::can_publish`].
    #[must_use]
    pub fn can_publish_data(&self) -> bool {
        self.can_publish_data.unwrap_or_else(|| self.can_publish())
    }

    /// May publish media from `source`, a word of `can_publish_sources`.
    #[must_use]
    pub fn can_publish_source(&self, source: &str) -> bool {
        let sources = &self.can_publish_sources;
        self.can_publish() && (sources.is_empty() || sources.iter().any(|allowed| allowed == source))
    }

    /// May change its own name, metadata and attributes; absent = no.
    #[must_use]
    pub fn can_update_own_metadata(&self) -> bool {
        self.can_update_own_metadata.unwrap_or(false)
    }

    /// May subscribe to metrics; absent = no.
    #[must_use]
    pub fn can_subscribe_metrics(&self) -> bool {
        self.can_subscribe_metrics.unwrap_or(false)
    }

    /// May manage agent sessions; absent = no.
    #[must_use]
    pub fn can_manage_agent_session(&self) -> bool {
        self.can_manage_agent_session.unwrap_or(false)
    }
}

/// Some minters write `null` where others leave a key out.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests;
