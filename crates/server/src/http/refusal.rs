//! An HTTP answer that is not a success: a status and a line of text, as clients expect it (protocol §1.2, §1.3).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use trackyard_sfu::room::admission;

/// Seconds after which whoever is refused for now may try again: overload is told from a moment's rush by then.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The status; clients decide by it whether to try again.
    pub(crate) status: StatusCode,
    /// The body; some clients look for exact words.
    pub(crate) text: String,
    /// The node has too much to do.
    pub(crate) is_for_overload: bool,
}

impl Refusal {
    /// A refusal with this status and text.
    pub(crate) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), is_for_overload: false }
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
        let is_for_overload = refusal.kind == admission::RefusalKind::Overloaded;
        Self { status, text: refusal.text, is_for_overload }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.text).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        response
    }
}
