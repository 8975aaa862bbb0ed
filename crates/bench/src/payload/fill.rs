//! The bytes after a frame's header.

use std::sync::Arc;

use super::Stamp;

/// A prime, so that pieces of a frame that change places never look right.
const BLOCK_BYTES: usize = 65_521;

/// A block of seeded bytes; each frame's fill runs through it from a place of its own, again and again.
#[derive(Debug, Clone)]
pub(super) struct Fill {
    block: Arc<[u8]>,
}

impl Fill {
    pub(super) fn new(seed: u64) -> Self {
        let mut block = vec![0; BLOCK_BYTES];
        fastrand::Rng::with_seed(seed).fill(&mut block);
        Self { block: block.into() }
    }

    pub(super) fn write(&self, stamp: &Stamp, fill: &mut [u8]) {
        let (first, rest) = fill.split_at_mut(fill.len().min(BLOCK_BYTES - begin(stamp)));
        first.copy_from_slice(&self.block[begin(stamp)..][..first.len()]);
        for piece in rest.chunks_mut(BLOCK_BYTES) {
            piece.copy_from_slice(&self.block[..piece.len()]);
        }
    }

    pub(super) fn wrong_bytes(&self, stamp: &Stamp, fill: &[u8]) -> usize {
        let (first, rest) = fill.split_at(fill.len().min(BLOCK_BYTES - begin(stamp)));
        let head = differing(first, &self.block[begin(stamp)..][..first.len()]);
        let tail = rest.chunks(BLOCK_BYTES).map(|piece| differing(piece, &self.block[..piece.len()]));
        head + tail.sum::<usize>()
    }
}

/// Where in the block a frame's fill begins.
fn begin(stamp: &Stamp) -> usize {
    let mixed = (stamp.number ^ u64::from(stamp.track) << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as usize % BLOCK_BYTES
}

/// Comparing whole slices first is what makes a right frame cheap.
fn differing(got: &[u8], expected: &[u8]) -> usize {
    if got == expected {
        return 0;
    }
    got.iter().zip(expected).filter(|(got, expected)| got != expected).count()
}
