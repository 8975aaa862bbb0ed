//! ICE candidates as they travel: an `RTCIceCandidateInit` in JSON (protocol §4.5).

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Echo, SignalTarget};
use crate::limits::CANDIDATE_INIT_BYTES;

/// One ICE candidate (`TrickleRequest`, protocol §4.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trickle {
    /// The JSON of an `RTCIceCandidateInit`.
    pub candidate_init: String,
    /// Which connection.
    pub target: SignalTarget,
    /// The last one.
    pub last: bool,
}

/// Why a candidate cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CandidateError {
    /// More than [`CANDIDATE_INIT_BYTES`].
    #[error("candidate of {0} bytes is too large")]
    TooLarge(usize),
    /// Not JSON, or not an object with a text named `candidate`.
    #[error("candidate is not valid JSON")]
    Json(#[from] serde_json::Error),
}

/// What clients may leave out; anything else in the object is skipped.
#[derive(Deserialize)]
struct Received {
    candidate: Option<String>,
}

/// What official Rust clients insist on: all three, none of them null.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sent<'a> {
    candidate: &'a str,
    sdp_mid: &'a str,
    #[serde(rename = "sdpMLineIndex")]
    line_index: u16,
}

impl Trickle {
    /// A candidate to send: its text as in SDP (`candidate:…`), and the section it belongs to by name
    /// and by number.
    pub fn new(target: SignalTarget, candidate: &str, mid: &str, index: u16, last: bool) -> Self {
        let sent = Sent { candidate, sdp_mid: mid, line_index: index };
        let candidate_init = serde_json::to_string(&sent).expect("texts and a number are always JSON");
        Self { candidate_init, target, last }
    }

    /// The candidate's text; `None` for the empty one that ends the list.
    ///
    /// # Errors
    /// It is too large, or not such JSON.
    pub fn candidate(&self) -> Result<Option<String>, CandidateError> {
        if self.candidate_init.len() > CANDIDATE_INIT_BYTES {
            return Err(CandidateError::TooLarge(self.candidate_init.len()));
        }
        let received: Received = serde_json::from_str(&self.candidate_init)?;
        Ok(received.candidate.filter(|candidate| !candidate.trim().is_empty()))
    }

    /// What is sent back when it cannot be used.
    pub fn echo(&self) -> Echo {
        self.into()
    }
}

#[cfg(test)]
mod tests;
