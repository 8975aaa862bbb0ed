//! How many parts a request may have (see [`crate::shape`]).

use super::{DecodeError, Encoding};
use crate::limits::{JSON_OBJECTS_MAX, MESSAGE_PARTS_MAX};
use crate::shape::{Field, Fields, count};

/// The only arm that nests lists below its own.
const SYNC_STATE: u32 = 12;
/// Levels of lists in that arm: its fields, theirs, and two more in a media track.
const SYNC_STATE_LEVELS: u32 = 4;
/// Its list of media tracks, each of which takes as much memory as so many other parts.
const PUBLISH_TRACKS: u32 = 3;
const PUBLISH_TRACKS_WEIGHT: usize = 8;

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
        Fields::new(arm.content)
            .map(|field| weight(field) + count(field.content, SYNC_STATE_LEVELS - 1))
            .sum()
    } else {
        1 + count(arm.content, 1)
    }
}

fn weight(field: Field<'_>) -> usize {
    if field.number == PUBLISH_TRACKS { PUBLISH_TRACKS_WEIGHT } else { 1 }
}
