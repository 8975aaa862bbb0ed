//! The join request of `/rtc/v1` (protocol §1.3, §1.4).

mod decode;
mod query;
mod query_text;

use std::collections::BTreeMap;

pub use decode::JoinDecodeError;
pub use query::{AttributesError, JoinQuery};

use crate::client::{ClientInfo, ConnectionSettings};
use crate::signal::{Echo, SessionDescription};

/// Everything a client says when it connects; from a `join_request` or from v0 query parameters.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JoinRequest {
    /// The client's software.
    pub client: ClientInfo,
    /// How it wants to be served.
    pub settings: ConnectionSettings,
    /// Replaces the token's metadata if allowed.
    pub metadata: String,
    /// Merged into the token's attributes if allowed.
    pub attributes: BTreeMap<String, String>,
    /// The first offer, so that the answer can follow the join at once.
    pub publisher_offer: Option<SessionDescription>,
    /// The media tracks asked for along with the join, each as what is sent back in a refusal.
    pub add_tracks: Vec<Echo>,
    /// Resume an existing session.
    pub reconnect: bool,
    /// The session to resume.
    pub participant_sid: String,
}
