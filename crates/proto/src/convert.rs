//! Domain types to wire messages and back, one file per concern.
//!
//! What leaves is strict: fields that clients depend on are always set. What arrives is mapped as
//! sent; a number that names nothing becomes the default of its kind, never a panic.

mod api;
mod client;
mod data_blob;
mod data_track;
mod description;
mod enums;
mod join_response;
mod json;
mod media_track;
mod packet;
mod participant;
mod request;
mod response;
mod room;
mod sync_state;

pub(crate) use api::Wire;
pub(crate) use client::sdk_by_name;
pub(crate) use json::{known_participant, known_request, known_response, known_track};

use crate::signal::DecodeError;

/// A sub-message that the message cannot do without.
fn required<T>(field: Option<T>, name: &'static str) -> Result<T, DecodeError> {
    field.ok_or(DecodeError::Missing(name))
}

/// Unix milliseconds as the wire's signed number.
fn signed(milliseconds: u64) -> i64 {
    i64::try_from(milliseconds).unwrap_or(i64::MAX)
}

/// A time in milliseconds, from the legacy field in seconds where the newer one is absent.
fn unix_ms(milliseconds: i64, seconds: i64) -> u64 {
    let value = if milliseconds == 0 { seconds.saturating_mul(1000) } else { milliseconds };
    u64::try_from(value).unwrap_or(0)
}
