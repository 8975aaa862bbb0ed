//! A wish for delivery as fields of ours.

use std::time::Duration;

use prost::encoding::{WireType, decode_key, decode_varint, uint32};

use crate::delivery::{DeliveryPolicy, DeliveryWish};
use crate::shape::{Field, Fields};

/// 1 auto, 2 latest, 3 queue; any other number says nothing.
const POLICY: u32 = 5_001;
/// Frames that wait under `queue`.
const FRAMES: u32 = 5_002;
/// In microseconds.
const AGE_MAX_US: u32 = 5_003;
const WEIGHT: u32 = 5_004;
/// Frames per 1,000 seconds.
const MAX_MILLIHERTZ: u32 = 5_005;

/// Frames that wait under `queue` if it is not said how many.
const FRAMES_DEFAULT: u16 = 16;

/// Appends what is wished.
pub(super) fn put(wish: &DeliveryWish, fields: &mut Vec<u8>) {
    let mut put = |number, value: Option<u32>| {
        if let Some(value) = value {
            uint32::encode(number, &value, fields);
        }
    };
    let (policy, frames) = match wish.policy {
        None => (None, None),
        Some(DeliveryPolicy::Auto) => (Some(1), None),
        Some(DeliveryPolicy::Latest) => (Some(2), None),
        Some(DeliveryPolicy::Queue(frames)) => (Some(3), Some(frames.into())),
    };
    put(POLICY, policy);
    put(FRAMES, frames);
    put(AGE_MAX_US, wish.age_max.map(|age| u32::try_from(age.as_micros()).unwrap_or(u32::MAX)));
    put(WEIGHT, wish.weight.map(u32::from));
    put(MAX_MILLIHERTZ, wish.max_millihertz);
}

/// What these fields wish; of a number that comes twice the last counts.
pub(super) fn read<'a>(fields: impl Iterator<Item = Field<'a>>) -> DeliveryWish {
    let (mut wish, mut policy, mut frames) = (DeliveryWish::default(), None, None);
    for field in fields {
        let Some(value) = varint(field) else { continue };
        match field.number {
            POLICY => policy = Some(value),
            FRAMES => frames = Some(small(value)),
            AGE_MAX_US => wish.age_max = Some(Duration::from_micros(value.min(u32::MAX.into()))),
            WEIGHT => wish.weight = Some(small(value)),
            MAX_MILLIHERTZ => wish.max_millihertz = Some(u32::try_from(value).unwrap_or(u32::MAX)),
            _ => {}
        }
    }
    wish.policy = match policy {
        Some(1) => Some(DeliveryPolicy::Auto),
        Some(2) => Some(DeliveryPolicy::Latest),
        Some(3) => Some(DeliveryPolicy::Queue(frames.unwrap_or(FRAMES_DEFAULT))),
        _ => None,
    };
    wish
}

/// The number in a field; `None` if it is of another kind.
pub(super) fn varint(field: Field<'_>) -> Option<u64> {
    let mut raw = field.raw;
    let (_, wire_type) = decode_key(&mut raw).ok()?;
    (wire_type == WireType::Varint).then(|| decode_varint(&mut raw).ok()).flatten()
}

fn small(value: u64) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

/// All fields of all occurrences of a sub-message: protobuf merges them.
pub(super) fn merged(message: &[u8], number: u32) -> impl Iterator<Item = Field<'_>> {
    let occurrences = Fields::new(message).filter(move |field| field.number == number);
    occurrences.flat_map(|occurrence| Fields::new(occurrence.content))
}
