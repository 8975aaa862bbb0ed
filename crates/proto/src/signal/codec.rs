//! Frames of a signal connection: bytes to messages and back (protocol §1.5).

use bytes::Bytes;
use livekit_protocol as pb;
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::{Encoding, Request, Response, overlay, parts};
use crate::convert::{known_request, known_response};
use crate::limits;

/// Why a frame is no message.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// More bytes than a message may have.
    #[error("message of {bytes} bytes is larger than {limit}")]
    TooLarge {
        /// What came.
        bytes: usize,
        /// What may come.
        limit: usize,
    },
    /// So many parts that holding them would take far more memory than the message itself.
    #[error("message has more than {limit} parts")]
    TooManyParts {
        /// What may come.
        limit: usize,
    },
    /// Not protobuf, or not this message.
    #[error("message is not valid protobuf")]
    Protobuf(#[from] prost::DecodeError),
    /// Not JSON, or not this message.
    #[error("message is not JSON of the form that is wanted: {0}")]
    Json(#[from] serde_json::Error),
    /// A part that the message cannot do without.
    #[error("message lacks `{0}`")]
    Missing(&'static str),
    /// A number that does not fit its meaning.
    #[error("`{0}` is out of range")]
    OutOfRange(&'static str),
}

impl Request {
    /// Reads a frame of a client; `None` if it is empty or of a kind newer than this code.
    ///
    /// JSON follows protobuf's mapping: names in either case, fields nobody knows are skipped, but a
    /// word or number that an enumeration does not know is an error.
    ///
    /// # Errors
    /// The frame is larger than [`limits::SIGNAL_MESSAGE_BYTES`], has too many parts, or is no message.
    pub fn decode(frame: &[u8], encoding: Encoding) -> Result<Option<Self>, DecodeError> {
        bounded(frame, limits::SIGNAL_MESSAGE_BYTES)?;
        parts::check(frame, encoding)?;
        let request: pb::SignalRequest = decode(frame, encoding)?;
        let request = request.message.map(Self::from);
        Ok(request.map(|request| overlay::read_request(request, frame, encoding)))
    }

    /// The frame of this request. [`Request::Other`] becomes an empty message.
    pub fn encode(&self, encoding: Encoding) -> Bytes {
        let mut request = pb::SignalRequest::from(self);
        match encoding {
            Encoding::Binary => overlay::write_request(self, request.encode_to_vec()).into(),
            Encoding::Json => {
                known_request(&mut request);
                json(&request)
            }
        }
    }
}

impl Response {
    /// Reads a frame of a server; `None` if it is empty or of a kind newer than this code.
    ///
    /// # Errors
    /// The frame is larger than [`limits::SERVER_MESSAGE_BYTES`], is no message, or lacks what every
    /// client depends on.
    pub fn decode(frame: &[u8], encoding: Encoding) -> Result<Option<Self>, DecodeError> {
        bounded(frame, limits::SERVER_MESSAGE_BYTES)?;
        let response: pb::SignalResponse = decode(frame, encoding)?;
        let response = response.message.map(Self::try_from).transpose()?;
        Ok(response.map(|response| overlay::read_response(response, frame, encoding)))
    }

    /// The frame of this response. [`Response::Other`] becomes an empty message.
    pub(super) fn encode(&self, encoding: Encoding) -> Bytes {
        let mut response = pb::SignalResponse::from(self);
        match encoding {
            Encoding::Binary => overlay::write_response(self, response.encode_to_vec()).into(),
            Encoding::Json => {
                known_response(&mut response);
                json(&response)
            }
        }
    }
}

fn bounded(frame: &[u8], limit: usize) -> Result<(), DecodeError> {
    if frame.len() > limit {
        return Err(DecodeError::TooLarge { bytes: frame.len(), limit });
    }
    Ok(())
}

fn decode<M: Message + Default + DeserializeOwned>(
    frame: &[u8],
    encoding: Encoding,
) -> Result<M, DecodeError> {
    match encoding {
        Encoding::Binary => Ok(M::decode(frame)?),
        Encoding::Json => Ok(serde_json::from_slice(frame)?),
    }
}

/// Writing fails only for a number that its enumeration does not know, and those are gone by now.
/// Should one be left, clients skip the empty message.
fn json<M: Serialize>(message: &M) -> Bytes {
    let written = serde_json::to_vec(message);
    debug_assert!(written.is_ok(), "a number that cannot be written as JSON is left: {written:?}");
    written.map_or(Bytes::from_static(b"{}"), Bytes::from)
}
