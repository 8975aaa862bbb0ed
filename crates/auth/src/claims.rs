//! What a token says about its bearer (protocol §2).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::grant::{VideoGrant, is_default, null_as_default};
use crate::pattern::NamePatterns;
use crate::room_config::RoomConfig;

/// All claims but those about the token itself (issuer and times).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Claims {
    /// Unique in the room; empty unless the bearer is to join one.
    #[serde(rename = "sub", deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub identity: String,
    /// Display name.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub name: String,
    /// The participant's first metadata.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub metadata: String,
    /// The participant's first attributes.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub attributes: BTreeMap<String, String>,
    /// What kind of program it is.
    #[serde(skip_serializing_if = "is_default")]
    pub kind: ParticipantKind,
    /// Finer than `kind`, passed through.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub kind_details: Vec<String>,
    /// Base64 of the SHA-256 of a body this token signs.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub sha256: String,
    /// How the room is to be created if it is not there yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_config: Option<RoomConfig>,
    /// A named configuration of the server.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub room_preset: String,
    /// What it may do with rooms; absent = nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video: Option<VideoGrant>,
    /// Our own claim: which data tracks it may publish and subscribe to.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub trackyard: TrackNames,
    /// Claims this crate does not know, so that a refreshed token still carries them.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// Which data tracks a bearer may touch, by name. It narrows the grant, it never widens it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TrackNames {
    /// Absent = all; empty = none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish_tracks: Option<NamePatterns>,
    /// Absent = all; empty = none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscribe_tracks: Option<NamePatterns>,
}

impl TrackNames {
    /// A data track of this name may be published, as far as names go.
    #[must_use]
    pub fn may_publish(&self, name: &str) -> bool {
        self.publish_tracks.as_ref().is_none_or(|patterns| patterns.matches(name))
    }

    /// A data track of this name may be subscribed to, as far as names go.
    #[must_use]
    pub fn may_subscribe(&self, name: &str) -> bool {
        self.subscribe_tracks.as_ref().is_none_or(|patterns| patterns.matches(name))
    }
}

/// What kind of program a participant is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[allow(missing_docs, reason = "the protocol's own words")]
pub enum ParticipantKind {
    /// Also anything unknown.
    #[default]
    Standard,
    Ingress,
    Egress,
    Sip,
    Agent,
    Connector,
    Bridge,
}

impl ParticipantKind {
    const ALL: [Self; 7] =
        [Self::Standard, Self::Ingress, Self::Egress, Self::Sip, Self::Agent, Self::Connector, Self::Bridge];

    /// The word in a token.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Ingress => "ingress",
            Self::Egress => "egress",
            Self::Sip => "sip",
            Self::Agent => "agent",
            Self::Connector => "connector",
            Self::Bridge => "bridge",
        }
    }

    /// From the word in a token; an unknown one is [`Self::Standard`].
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        let named = |kind: &Self| kind.as_str().eq_ignore_ascii_case(word);
        Self::ALL.into_iter().find(named).unwrap_or_default()
    }
}

impl Serialize for ParticipantKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ParticipantKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = Option::<String>::deserialize(deserializer)?;
        Ok(word.map_or_else(Self::default, |word| Self::from_word(&word)))
    }
}

#[cfg(test)]
mod tests;
