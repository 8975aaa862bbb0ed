//! Who may enter: the checks that connecting and validating share, in their order (protocol §1.3).
//!
//! Statuses and some texts are part of the protocol: clients decide by them whether to try again.

use std::collections::BTreeMap;

use trackyard_auth::{Verified, VideoGrant};
use trackyard_proto::join::JoinRequest;

use super::config::StateLimits;

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
    /// Whether the node takes more.
    pub capacity: Capacity,
    /// Bounds of names and state.
    pub limits: StateLimits,
}

/// Whether a node takes more sessions. Those that it has may always come back to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Capacity {
    /// It does.
    #[default]
    Free,
    /// It serves as many as it may.
    Full,
    /// It has had too much to do for seconds; one more would be at the cost of those who are here.
    Overloaded,
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
    /// Not now: the node has too much to do.
    Overloaded,
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
            Self::Unavailable | Self::Overloaded => 503,
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
    check_identity(&verified.claims.identity, checks.limits.identity_bytes)?;
    let room = if grant.room.is_empty() { checks.room_parameter } else { &grant.room };
    check_room(room, checks.limits.room_name_bytes)?;
    if !(checks.room_exists)(room) {
        // Clients look for these words; with any other 404 they fall back to the older path.
        return Err(Refusal::new(RefusalKind::NotFound, "requested room does not exist"));
    }
    if !checks.request.reconnect {
        check_capacity(checks.capacity)?;
    }
    check_state(grant, checks)?;
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

fn check_identity(identity: &str, bytes_max: usize) -> Result<(), Refusal> {
    if identity.is_empty() {
        return Err(Refusal::new(RefusalKind::BadRequest, "identity is empty"));
    }
    check_length("identity", identity.len(), bytes_max)
}

fn check_room(room: &str, bytes_max: usize) -> Result<(), Refusal> {
    if room.is_empty() {
        return Err(Refusal::new(RefusalKind::BadRequest, "no room name"));
    }
    check_length("room name", room.len(), bytes_max)
}

fn check_capacity(capacity: Capacity) -> Result<(), Refusal> {
    let (kind, text) = match capacity {
        Capacity::Free => return Ok(()),
        Capacity::Full => (RefusalKind::Unavailable, "the node takes no more participants"),
        Capacity::Overloaded => (RefusalKind::Overloaded, "the node is overloaded; try again later"),
    };
    Err(Refusal::new(kind, text))
}

fn check_state(grant: &VideoGrant, checks: &Checks<'_>) -> Result<(), Refusal> {
    let JoinRequest { metadata, attributes, .. } = checks.request;
    if metadata.is_empty() && attributes.is_empty() {
        return Ok(());
    }
    if !grant.can_update_own_metadata() {
        return Err(Refusal::new(RefusalKind::Unauthorized, "not allowed to set own metadata or attributes"));
    }
    check_length("metadata", metadata.len(), checks.limits.metadata_bytes)?;
    check_length("all attributes together", attribute_bytes(attributes), checks.limits.attributes_bytes)
}

fn check_length(what: &str, bytes: usize, bytes_max: usize) -> Result<(), Refusal> {
    if bytes > bytes_max {
        return Err(Refusal::new(
            RefusalKind::BadRequest,
            format!("{what}: {bytes} bytes, at most {bytes_max}"),
        ));
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
