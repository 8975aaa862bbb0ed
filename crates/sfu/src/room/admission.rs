//! Who may enter: the checks that connecting and validating share, in their order (protocol §1.3).
//!
//! Statuses and some texts are part of the protocol: clients decide by them whether to try again.

use std::collections::BTreeMap;

use trackyard_auth::{Verified, VideoGrant};
use trackyard_proto::join::JoinRequest;
use trackyard_proto::limits;

/// What is known of a client that wants to enter.
pub struct Checks<'a> {
    /// Its token, if it has shown one.
    pub verified: Option<&'a Verified>,
    /// The room asked for by parameter; the token's goes before it.
    pub room_parameter: &'a str,
    /// The `publish` parameter: a second session of the same identity that only publishes.
    pub publish_parameter: Option<&'a str>,
    /// What it asks for.
    pub request: &'a JoinRequest,
    /// The room exists, or would be made.
    pub room_exists: &'a dyn Fn(&str) -> bool,
    /// The node takes no more.
    pub node_full: bool,
}

/// A client that may enter.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// Its token, as its session is to see it.
    pub verified: Verified,
    /// The room it enters.
    pub room: String,
}

/// Why a client may not enter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Refusal {
    /// Decides the status.
    pub kind: RefusalKind,
    /// The answer's body.
    pub text: String,
}

/// Kinds of refusal, each with a status of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalKind {
    /// The token does not allow it.
    Unauthorized,
    /// What was sent cannot be used.
    BadRequest,
    /// The room does not exist.
    NotFound,
    /// The room is full, or the session could not begin.
    Internal,
    /// Not now.
    Unavailable,
}

impl RefusalKind {
    /// The HTTP status.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Unauthorized => 401,
            Self::BadRequest => 400,
            Self::NotFound => 404,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }
}

impl Refusal {
    /// A refusal of this kind with this text.
    #[must_use]
    pub fn new(kind: RefusalKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }
}

/// Decides whether a client may enter. Whether the room is full is seen only by the room.
///
/// # Errors
/// The first check that fails.
pub fn check(checks: &Checks<'_>) -> Result<Admitted, Refusal> {
    let no_permission = || Refusal::new(RefusalKind::Unauthorized, "no permissions to access the room");
    let verified = checks.verified.ok_or_else(no_permission)?;
    let grant = verified.claims.video.as_ref().filter(|grant| grant.room_join).ok_or_else(no_permission)?;
    let verified = session_token(verified, checks.publish_parameter);
    check_identity(&verified.claims.identity)?;
    let room = check_room(if grant.room.is_empty() { checks.room_parameter } else { &grant.room })?;
    if !(checks.room_exists)(room) {
        // Clients look for these words; with any other 404 they fall back to the older path.
        return Err(Refusal::new(RefusalKind::NotFound, "requested room does not exist"));
    }
    if checks.node_full {
        return Err(Refusal::new(RefusalKind::Unavailable, "the node takes no more participants"));
    }
    check_state(grant, checks.request)?;
    Ok(Admitted { verified, room: room.to_owned() })
}

fn session_token(verified: &Verified, publish: Option<&str>) -> Verified {
    let mut verified = verified.clone();
    if let Some(suffix) = publish.filter(|suffix| !suffix.is_empty()) {
        verified.claims.identity = format!("{}#{suffix}", verified.claims.identity);
        verified.claims.video.get_or_insert_default().can_subscribe = Some(false);
    }
    verified
}

fn check_identity(identity: &str) -> Result<(), Refusal> {
    let refuse = |text: &str| Err(Refusal::new(RefusalKind::BadRequest, text));
    match identity.len() {
        0 => refuse("identity is empty"),
        length if length > limits::NAME_BYTES => refuse("identity is longer than 256 bytes"),
        _ => Ok(()),
    }
}

fn check_room(room: &str) -> Result<&str, Refusal> {
    match room.len() {
        0 => Err(Refusal::new(RefusalKind::BadRequest, "no room name")),
        length if length > limits::NAME_BYTES => {
            Err(Refusal::new(RefusalKind::BadRequest, "room name is longer than 256 bytes"))
        }
        _ => Ok(room),
    }
}

fn check_state(grant: &VideoGrant, request: &JoinRequest) -> Result<(), Refusal> {
    if request.metadata.is_empty() && request.attributes.is_empty() {
        return Ok(());
    }
    if !grant.can_update_own_metadata() {
        return Err(Refusal::new(RefusalKind::Unauthorized, "not allowed to set own metadata or attributes"));
    }
    if request.metadata.len() > limits::METADATA_BYTES {
        return Err(Refusal::new(RefusalKind::BadRequest, "metadata is longer than 512 KiB"));
    }
    if attribute_bytes(&request.attributes) > limits::ATTRIBUTES_BYTES {
        return Err(Refusal::new(RefusalKind::BadRequest, "attributes are longer than 64 KiB"));
    }
    Ok(())
}

/// What attributes count towards their limit: keys and values.
#[must_use]
pub(super) fn attribute_bytes(attributes: &BTreeMap<String, String>) -> usize {
    attributes.iter().map(|(key, value)| key.len() + value.len()).sum()
}

#[cfg(test)]
mod tests;
