//! How many parts a request may have (see [`crate::shape`]).

use super::{DecodeError, Encoding};
use crate::limits::{JSON_OBJECTS_MAX, MESSAGE_PARTS_MAX};
use crate::shape::{Field, Fields, count};

/// The only arm that nests lists below its own.
const SYNC_STATE: u32 = 12;

/// Refuses a request that has more parts than a client can have a reason for.
pub(super) fn check(frame: &[u8], encoding: Encoding) -> Result<(), DecodeError> {
    let (parts, limit) = match encoding {
        Encoding::Binary => (binary(frame), MESSAGE_PARTS_MAX),
        Encoding::Json => (objects(frame), JSON_OBJECTS_MAX),
    };
    if parts > limit {
        return Err(DecodeError::TooManyParts { limit });
    }
    Ok(())
}

/// Braces within texts count as well: an upper bound is what is wanted.
fn objects(frame: &[u8]) -> usize {
    frame.iter().filter(|byte| **byte == b'{').count()
}

fn binary(frame: &[u8]) -> usize {
    Fields::new(frame).map(arm).sum()
}

fn arm(arm: Field<'_>) -> usize {
    if arm.number == SYNC_STATE {
        Fields::new(arm.content).map(sync_state_field).sum()
    } else {
        1 + count(arm.content, 1)
    }
}

/// What a field of `sync_state` takes, by the lists there are below it.
fn sync_state_field(field: Field<'_>) -> usize {
    let (weight, levels) = match field.number {
        // `publish_tracks`: each takes as much memory as several other parts, and nests codecs and layers.
        3 => (8, 3),
        // `subscription` and `data_subscription`.
        2 | 9 => (1, 2),
        // `answer` and `offer`, with a map.
        1 | 5 => (1, 1),
        _ => (1, 0),
    };
    weight + count(field.content, levels)
}
