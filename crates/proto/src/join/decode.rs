//! The `join_request` parameter: base64, an envelope, perhaps gzip, the request (protocol §1.3).

use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use livekit_protocol as pb;
use pb::wrapped_join_request::Compression as Wrapping;
use prost::Message;
use thiserror::Error;

use super::JoinRequest;
use crate::limits::{JOIN_REQUEST_BYTES, JOIN_TRACK_PARTS_MAX, JOIN_TRACKS_MAX};
use crate::shape::{Fields, count};

/// Levels of lists in a track: its fields, a codec's, and a layer's.
const TRACK_LEVELS: u32 = 3;

/// Fields of `JoinRequest` that are bounded or skipped before anything is allocated for them.
mod field {
    pub(super) const ADD_TRACK_REQUESTS: u32 = 5;
    pub(super) const SYNC_STATE: u32 = 10;
}

/// Why a `join_request` is none.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JoinDecodeError {
    /// More than [`JOIN_REQUEST_BYTES`], compressed or inflated, or too many media tracks or parts of them.
    #[error("join request too large")]
    TooLarge,
    /// Not URL-safe base64 with padding.
    #[error("join request is not valid base64")]
    Base64(#[from] base64::DecodeError),
    /// Neither uncompressed nor gzip.
    #[error("join request has unknown compression {0}")]
    Compression(i32),
    /// Not gzip although it says so.
    #[error("join request is not valid gzip")]
    Gzip(#[from] std::io::Error),
    /// The envelope or the request is not valid protobuf.
    #[error("join request is not valid protobuf")]
    Protobuf(#[from] prost::DecodeError),
}

impl JoinRequest {
    /// Reads the `join_request` parameter. A `sync_state` in it is skipped: it is for the signal
    /// connection.
    ///
    /// # Errors
    /// See [`JoinDecodeError`]; memory stays within a small multiple of [`JOIN_REQUEST_BYTES`].
    pub fn decode_wrapped(parameter: &str) -> Result<Self, JoinDecodeError> {
        if parameter.len() > PARAMETER_BYTES_MAX {
            return Err(JoinDecodeError::TooLarge);
        }
        let wrapped = pb::WrappedJoinRequest::decode(URL_SAFE.decode(parameter)?.as_slice())?;
        let request = unwrap(wrapped)?;
        Ok(pb::JoinRequest::decode(outline(&request)?.as_slice())?.into())
    }

    /// The `join_request` parameter of a client.
    pub fn encode_wrapped(&self, gzip: bool) -> String {
        let plain = pb::JoinRequest::from(self).encode_to_vec();
        let wrapped = if gzip { compressed(&plain) } else { wrapped(Wrapping::None, plain) };
        URL_SAFE.encode(wrapped.encode_to_vec())
    }
}

/// The longest text that can hold an envelope around [`JOIN_REQUEST_BYTES`].
const PARAMETER_BYTES_MAX: usize = (JOIN_REQUEST_BYTES + ENVELOPE_BYTES_MAX).div_ceil(3) * 4;

/// Room for the envelope's keys and length, and for fields of later versions.
const ENVELOPE_BYTES_MAX: usize = 64;

fn unwrap(wrapped: pb::WrappedJoinRequest) -> Result<Vec<u8>, JoinDecodeError> {
    if wrapped.join_request.len() > JOIN_REQUEST_BYTES {
        return Err(JoinDecodeError::TooLarge);
    }
    match Wrapping::try_from(wrapped.compression) {
        Ok(Wrapping::None) => Ok(wrapped.join_request),
        Ok(Wrapping::Gzip) => inflate(&wrapped.join_request),
        Err(_) => Err(JoinDecodeError::Compression(wrapped.compression)),
    }
}

/// Inflates one byte more than allowed at most: enough to see that it is too large.
fn inflate(compressed: &[u8]) -> Result<Vec<u8>, JoinDecodeError> {
    let mut request = Vec::new();
    let limit = JOIN_REQUEST_BYTES as u64 + 1;
    GzDecoder::new(compressed).take(limit).read_to_end(&mut request)?;
    if request.len() > JOIN_REQUEST_BYTES {
        return Err(JoinDecodeError::TooLarge);
    }
    Ok(request)
}

/// The request without `sync_state`, with its media tracks counted.
fn outline(request: &[u8]) -> Result<Vec<u8>, JoinDecodeError> {
    let mut kept = Vec::with_capacity(request.len());
    let (mut tracks, mut parts) = (0, 0);
    let mut rest = request;
    for field in Fields::new(request) {
        rest = rest.get(field.raw.len()..).unwrap_or_default();
        if field.number == field::ADD_TRACK_REQUESTS {
            tracks += 1;
            parts += count(field.content, TRACK_LEVELS);
        }
        if field.number != field::SYNC_STATE {
            kept.extend_from_slice(field.raw);
        }
    }
    if tracks > JOIN_TRACKS_MAX || parts > JOIN_TRACK_PARTS_MAX {
        return Err(JoinDecodeError::TooLarge);
    }
    // What the outline cannot follow is left to the decoder to refuse.
    kept.extend_from_slice(rest);
    Ok(kept)
}

fn wrapped(compression: Wrapping, join_request: Vec<u8>) -> pb::WrappedJoinRequest {
    pb::WrappedJoinRequest { compression: compression.into(), join_request }
}

/// Writing into memory does not fail; if it did, the plain request serves as well.
fn compressed(plain: &[u8]) -> pb::WrappedJoinRequest {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    match encoder.write_all(plain).and_then(|()| encoder.finish()) {
        Ok(bytes) => wrapped(Wrapping::Gzip, bytes),
        Err(_) => wrapped(Wrapping::None, plain.to_vec()),
    }
}
