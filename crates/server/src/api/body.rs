//! The body of a request, of bounded length and within bounded time.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, StatusCode, header};
use tokio::sync::SemaphorePermit;
use tokio::time::timeout;
use trackyard_proto::limits::API_BODY_BYTES;

use super::Bodies;
use crate::http::Refusal;

/// How long a body may take to come.
const BODY_MAX: Duration = Duration::from_secs(10);

/// A body, and its share of what may be held at once.
pub(super) struct Held<'a> {
    pub(super) bytes: Bytes,
    _share: SemaphorePermit<'a>,
}

/// Reads a body.
///
/// # Errors
/// It is too long or too slow, or so much is held already.
pub(super) async fn read<'a>(
    body: Body,
    headers: &HeaderMap,
    bodies: &'a Bodies,
) -> Result<Held<'a>, Refusal> {
    // Of unknown length it may be as long as any.
    let length = declared(headers).unwrap_or(API_BODY_BYTES);
    if length > API_BODY_BYTES {
        return Err(too_long());
    }
    let share = u32::try_from(length.div_ceil(1024)).unwrap_or(u32::MAX);
    let share = bodies.0.try_acquire_many(share).map_err(|_| busy())?;
    match timeout(BODY_MAX, to_bytes(body, API_BODY_BYTES)).await {
        Ok(Ok(bytes)) => Ok(Held { bytes, _share: share }),
        // Whoever has gone meanwhile reads no answer.
        Ok(Err(_)) => Err(too_long()),
        Err(_) => Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time")),
    }
}

fn declared(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_long() -> Refusal {
    let text = format!("a body has at most {API_BODY_BYTES} bytes");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, text)
}

fn busy() -> Refusal {
    Refusal::unavailable("too many large requests at once; try again")
}
