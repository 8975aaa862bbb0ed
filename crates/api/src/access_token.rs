//! Tokens that let clients in (protocol §2).

use std::time::Duration;

use trackyard_auth::{ParticipantKind, RoomConfig, SignError, Token, TrackNames, VideoGrant};

use crate::clock;

/// A token that lets a client in, once it is signed with an API key.
///
/// ```
/// use std::time::Duration;
///
/// use trackyard_api::AccessToken;
///
/// let token = AccessToken::new("robot-1")
///     .room("yard")
///     .name("Robot 1")
///     .attribute("model", "m2")
///     .validity(Duration::from_secs(3600))
///     .sign("my-key", "my-secret-of-32-characters-and-more")?;
/// assert_eq!(token.split('.').count(), 3);
/// # Ok::<(), trackyard_api::SignError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct AccessToken(Token);

impl AccessToken {
    /// For a client of this identity; it may do nothing yet, and is valid for six hours.
    pub fn new(identity: impl Into<String>) -> Self {
        Self(Token::new(identity))
    }

    /// Allows to join this room.
    pub fn room(self, room: impl Into<String>) -> Self {
        Self(self.0.room(room))
    }

    /// Replaces all that it allows.
    pub fn grant(self, grant: VideoGrant) -> Self {
        Self(self.0.grant(grant))
    }

    /// Sets the display name.
    pub fn name(self, name: impl Into<String>) -> Self {
        Self(self.0.name(name))
    }

    /// Sets the participant's first metadata.
    pub fn metadata(self, metadata: impl Into<String>) -> Self {
        Self(self.0.metadata(metadata))
    }

    /// Adds one of the participant's first attributes.
    pub fn attribute(self, key: impl Into<String>, value: impl Into<String>) -> Self {
        Self(self.0.attribute(key, value))
    }

    /// Sets what kind of program it is.
    pub fn kind(self, kind: ParticipantKind) -> Self {
        Self(self.0.kind(kind))
    }

    /// Sets how the room is made if it is not there yet.
    pub fn room_config(self, config: RoomConfig) -> Self {
        Self(self.0.room_config(config))
    }

    /// Limits the data tracks it may touch, by name; servers other than Trackyard take no notice.
    pub fn track_names(self, names: TrackNames) -> Self {
        Self(self.0.track_names(names))
    }

    /// Sets how long it is valid; whole seconds count.
    pub fn validity(self, validity: Duration) -> Self {
        Self(self.0.validity(validity))
    }

    /// Signs it, from now on.
    ///
    /// # Errors
    /// [`SignError`] if the secret or a claim cannot be used.
    pub fn sign(&self, api_key: &str, secret: &str) -> Result<String, SignError> {
        self.0.to_jwt(api_key, secret, clock::unix_s())
    }
}
