//! An HTTP answer that is not a success: a status and a line of text, as clients expect it (protocol §1.2, §1.3).

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use trackyard_sfu::room::admission;

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The status; clients decide by it whether to try again.
    pub(crate) status: StatusCode,
    /// The body; some clients look for exact words.
    pub(crate) text: String,
}

impl Refusal {
    /// A refusal with this status and text.
    pub(crate) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }

    /// The caller has not shown who it is, or may not do this.
    pub(crate) fn unauthorized(text: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, text)
    }

    /// What was sent cannot be used.
    pub(crate) fn bad_request(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    /// Not now.
    pub(crate) fn unavailable(text: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, text)
    }
}

impl From<admission::Refusal> for Refusal {
    fn from(refusal: admission::Refusal) -> Self {
        let status = StatusCode::from_u16(refusal.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, text: refusal.text }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, self.text).into_response()
    }
}
