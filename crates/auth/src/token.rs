//! Mints tokens (protocol §2).

use std::time::Duration;

use jsonwebtoken::Header;

use crate::claims::{Claims, ParticipantKind, TrackNames};
use crate::crypto::{ALGORITHM, ensure_backend};
use crate::grant::VideoGrant;
use crate::keys::Key;
use crate::payload::{NumericDate, Payload};
use crate::room_config::RoomConfig;

/// How long a token is valid unless told otherwise.
pub const VALIDITY_DEFAULT: Duration = Duration::from_secs(6 * 60 * 60);

/// A refreshed token is valid at least this long.
pub const VALIDITY_REFRESHED_MIN: Duration = Duration::from_secs(10 * 60);

/// A token to be signed.
///
/// ```
/// use trackyard_auth::{Keys, Token};
///
/// let now = 1_700_000_000;
/// let jwt = Token::new("robot-1").room("yard").to_jwt("devkey", "secret", now)?;
/// let verified = Keys::parse("devkey: secret")?.verify(&jwt, now)?;
/// assert_eq!(verified.claims.identity, "robot-1");
/// assert_eq!(verified.expires_at_unix_s, now + 6 * 3600);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Token {
    claims: Claims,
    validity: Duration,
    /// It says from when on it is valid.
    has_begin: bool,
}

impl Token {
    /// A token without any grant, valid for [`VALIDITY_DEFAULT`].
    pub fn new(identity: impl Into<String>) -> Self {
        Self::from_claims(Claims { identity: identity.into(), ..Claims::default() })
    }

    /// A token with exactly these claims, valid for [`VALIDITY_DEFAULT`].
    pub fn from_claims(claims: Claims) -> Self {
        Self { claims, validity: VALIDITY_DEFAULT, has_begin: true }
    }

    /// As long as the original, but at least [`VALIDITY_REFRESHED_MIN`], and from whenever on: whoever has it has been
    /// let in already, and comes back with it even if the clock that it was signed by ran ahead and is right again.
    pub(crate) fn refreshed(claims: Claims, expires_at_unix_s: u64, now_unix_s: u64) -> Self {
        let remaining = Duration::from_secs(expires_at_unix_s.saturating_sub(now_unix_s));
        Self { claims, validity: remaining.max(VALIDITY_REFRESHED_MIN), has_begin: false }
    }

    /// Allows to join this room.
    pub fn room(mut self, room: impl Into<String>) -> Self {
        let video = self.claims.video.get_or_insert_default();
        video.room_join = true;
        video.room = room.into();
        self
    }

    /// Replaces the whole grant.
    pub fn grant(mut self, video: VideoGrant) -> Self {
        self.claims.video = Some(video);
        self
    }

    /// Sets the display name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.claims.name = name.into();
        self
    }

    /// Sets the participant's first metadata.
    pub fn metadata(mut self, metadata: impl Into<String>) -> Self {
        self.claims.metadata = metadata.into();
        self
    }

    /// Adds one of the participant's first attributes.
    pub fn attribute(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.claims.attributes.insert(key.into(), value.into());
        self
    }

    /// Sets what kind of program it is.
    pub fn kind(mut self, kind: ParticipantKind) -> Self {
        self.claims.kind = kind;
        self
    }

    /// Sets the base64 of the SHA-256 of the body it signs.
    pub fn sha256(mut self, sha256: impl Into<String>) -> Self {
        self.claims.sha256 = sha256.into();
        self
    }

    /// Sets how the room is created if it is not there yet.
    pub fn room_config(mut self, config: RoomConfig) -> Self {
        self.claims.room_config = Some(config);
        self
    }

    /// Limits the data tracks it may touch, by name.
    pub fn track_names(mut self, names: TrackNames) -> Self {
        self.claims.trackyard = names;
        self
    }

    /// Sets how long it is valid; whole seconds count.
    pub fn validity(mut self, validity: Duration) -> Self {
        self.validity = validity;
        self
    }

    /// Signs it. The result consists of base64url and dots, so it is legal in an HTTP header.
    ///
    /// # Errors
    /// [`SignError`] if the backend refuses the secret or a claim.
    pub fn to_jwt(&self, api_key: &str, secret: &str, now_unix_s: u64) -> Result<String, SignError> {
        sign(&Key::new(api_key.to_owned(), secret), self, now_unix_s)
    }
}

/// Why a token cannot be signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// No such key is configured.
    #[error("no such API key is configured")]
    NoKey,
    /// The claims cannot be encoded or the secret cannot be used.
    #[error("token cannot be signed")]
    Encode(#[from] jsonwebtoken::errors::Error),
}

pub(crate) fn sign(key: &Key, token: &Token, now_unix_s: u64) -> Result<String, SignError> {
    ensure_backend();
    let now = NumericDate::from_unix_s(now_unix_s);
    let expires_at = now_unix_s.saturating_add(token.validity.as_secs());
    let payload = Payload {
        iss: Some(key.name.clone()),
        nbf: token.has_begin.then_some(now),
        iat: Some(now),
        exp: Some(NumericDate::from_unix_s(expires_at)),
        jti: None,
        claims: token.claims.clone(),
    };
    Ok(jsonwebtoken::encode(&Header::new(ALGORITHM), &payload, &key.signing)?)
}

#[cfg(test)]
mod tests;
