//! A token's payload on the wire: the claims and those about the token itself.

use serde::{Deserialize, Serialize};

use crate::claims::Claims;

/// Everything between the two dots of a token.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Payload {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) iss: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nbf: Option<NumericDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) iat: Option<NumericDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) exp: Option<NumericDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) jti: Option<String>,
    #[serde(flatten)]
    pub(crate) claims: Claims,
}

/// Unix seconds; RFC 7519 allows a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum NumericDate {
    Whole(i64),
    Fractional(f64),
}

impl NumericDate {
    /// Whole seconds, rounded down; what is out of range becomes the nearest that is not.
    pub(crate) fn unix_s(self) -> u64 {
        match self {
            Self::Whole(seconds) => u64::try_from(seconds).unwrap_or(0),
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
            Self::Fractional(seconds) => seconds as u64,
        }
    }

    pub(crate) fn from_unix_s(seconds: u64) -> Self {
        Self::Whole(i64::try_from(seconds).unwrap_or(i64::MAX))
    }
}
