//! Who is asking: the access token of a request (protocol §1.2).

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use trackyard_auth::{Keys, Verified};

use super::Refusal;

const SCHEME: &str = "Bearer ";

/// The verified token of a request, from the header or the query; `None` if there is none at all.
pub(crate) fn authenticate(
    headers: &HeaderMap,
    query_token: Option<&str>,
    keys: &Keys,
    unix_s: u64,
) -> Result<Option<Verified>, Refusal> {
    let token = match headers.get(AUTHORIZATION) {
        Some(value) => {
            Some(value.to_str().ok().and_then(|text| text.strip_prefix(SCHEME)).ok_or_else(|| {
                Refusal::unauthorized("invalid authorization header. Must start with Bearer ")
            })?)
        }
        None => query_token.filter(|token| !token.is_empty()),
    };
    // The error's text is the protocol's; it never holds the token, for bodies end up in logs.
    token
        .map(|token| keys.verify(token, unix_s).map_err(|error| Refusal::unauthorized(error.to_string())))
        .transpose()
}
