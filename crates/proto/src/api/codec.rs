//! Bodies to messages and back.

use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::full::{Field, full};
use crate::limits::{JSON_OBJECTS_MAX, MESSAGE_PARTS_MAX};
use crate::shape::count;
use crate::signal::{DecodeError, Encoding};

/// How deep lists nest in any message of the API.
const LEVELS: u32 = 5;

/// A message of the wire, if the body is one and holds no more than it may.
pub(super) fn decode<M: Message + Default + DeserializeOwned>(
    body: &[u8],
    encoding: Encoding,
    bytes_max: usize,
) -> Result<M, DecodeError> {
    if body.len() > bytes_max {
        return Err(DecodeError::TooLarge { bytes: body.len(), limit: bytes_max });
    }
    match encoding {
        Encoding::Binary => {
            few(count(body, LEVELS), parts_max(bytes_max))?;
            Ok(M::decode(body)?)
        }
        Encoding::Json => {
            few(json_parts(body), parts_max(bytes_max))?;
            json(body)
        }
    }
}

/// A request as protobuf's JSON mapping has it.
pub(super) fn encode<M: Message + Serialize>(message: &M, encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Binary => message.encode_to_vec(),
        Encoding::Json => written(serde_json::to_vec(message)),
    }
}

/// An answer as servers write it.
pub(super) fn encode_full<M: Message + Serialize>(
    message: &M,
    encoding: Encoding,
    fields: &[Field],
) -> Vec<u8> {
    match encoding {
        Encoding::Binary => message.encode_to_vec(),
        Encoding::Json => {
            let full = serde_json::to_value(message).map(|value| full(value, fields));
            written(full.and_then(|value| serde_json::to_vec(&value)))
        }
    }
}

/// An answer holds as many more parts as it may be longer.
fn parts_max(bytes_max: usize) -> usize {
    if bytes_max > crate::limits::API_BODY_BYTES { 16 * MESSAGE_PARTS_MAX } else { MESSAGE_PARTS_MAX }
}

fn few(parts: usize, limit: usize) -> Result<(), DecodeError> {
    if parts > limit { Err(DecodeError::TooManyParts { limit }) } else { Ok(()) }
}

/// Objects weigh more than what else stands between commas; those within texts count as well, for an upper bound is
/// what is wanted.
fn json_parts(body: &[u8]) -> usize {
    const OBJECT: usize = MESSAGE_PARTS_MAX / JSON_OBJECTS_MAX;
    let weight = |byte: &u8| match byte {
        b'{' => OBJECT,
        b',' | b'[' => 1,
        _ => 0,
    };
    body.iter().map(weight).sum()
}

/// The mapping reads `null` as absent; the generated code does so only where absence has a meaning of its own.
fn json<M: DeserializeOwned>(body: &[u8]) -> Result<M, DecodeError> {
    match serde_json::from_slice(body) {
        Ok(message) => Ok(message),
        Err(error) => {
            if !body.windows(4).any(|word| word == b"null") {
                return Err(error.into());
            }
            let mut value: Value = serde_json::from_slice(body)?;
            without_nulls(&mut value);
            Ok(serde_json::from_value(value)?)
        }
    }
}

fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Writing fails only for a number that its enumeration does not know, and those are gone by now.
fn written(json: Result<Vec<u8>, serde_json::Error>) -> Vec<u8> {
    debug_assert!(json.is_ok(), "a number that cannot be written as JSON is left: {json:?}");
    json.unwrap_or_else(|_| b"{}".to_vec())
}

/// A message that is JSON alone.
pub(super) fn decode_own<M: DeserializeOwned>(body: &[u8], bytes_max: usize) -> Result<M, DecodeError> {
    if body.len() > bytes_max {
        return Err(DecodeError::TooLarge { bytes: body.len(), limit: bytes_max });
    }
    few(json_parts(body), parts_max(bytes_max))?;
    Ok(serde_json::from_slice(body)?)
}
