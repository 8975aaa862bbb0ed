//! Frames that say by themselves whether they arrived whole: SHA-256 of the rest (32 bytes), sequence (4),
//! size (4), random bytes. A frame of one byte carries its sequence alone.

use aws_lc_rs::digest::{SHA256, digest};

use crate::call::Frame;
use crate::failure::Failure;

const DIGEST_BYTES: usize = 32;
const SIZE_MIN: usize = DIGEST_BYTES + 8;

/// What a received frame says about itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) sequence: i64,
    pub(crate) is_intact: bool,
}

/// A frame's bytes: 1, or at least 40.
pub(crate) fn make(frame: Frame) -> Result<Vec<u8>, Failure> {
    if frame.size == 1 {
        let [.., last] = frame.sequence.to_be_bytes();
        return Ok(vec![last]);
    }
    let size = u32::try_from(frame.size).map_err(|_| Failure::misuse("larger than any frame"))?;
    if frame.size < SIZE_MIN {
        return Err(Failure::misuse("no room for a digest"));
    }
    let mut bytes = vec![0; frame.size];
    fastrand::fill(&mut bytes[SIZE_MIN..]);
    bytes[DIGEST_BYTES..DIGEST_BYTES + 4].copy_from_slice(&frame.sequence.to_be_bytes());
    bytes[DIGEST_BYTES + 4..SIZE_MIN].copy_from_slice(&size.to_be_bytes());
    let seal = digest(&SHA256, &bytes[DIGEST_BYTES..]);
    bytes[..DIGEST_BYTES].copy_from_slice(seal.as_ref());
    Ok(bytes)
}

/// Reads a frame back.
pub(crate) fn inspect(bytes: &[u8]) -> Verdict {
    if let [sequence] = *bytes {
        return Verdict { sequence: sequence.into(), is_intact: true };
    }
    let Some((told, rest)) = bytes.split_first_chunk::<DIGEST_BYTES>() else { return Verdict::BROKEN };
    let Some(([s0, s1, s2, s3, z0, z1, z2, z3], _)) = rest.split_first_chunk() else {
        return Verdict::BROKEN;
    };
    let size = u32::from_be_bytes([*z0, *z1, *z2, *z3]);
    let is_whole = usize::try_from(size) == Ok(bytes.len());
    Verdict {
        sequence: u32::from_be_bytes([*s0, *s1, *s2, *s3]).into(),
        is_intact: is_whole && digest(&SHA256, rest).as_ref() == told,
    }
}

impl Verdict {
    const BROKEN: Self = Self { sequence: -1, is_intact: false };
}
