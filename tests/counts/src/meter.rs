//! What a piece costs per operation.

use serde::{Deserialize, Serialize};

use crate::allocator;

/// The function around all that is counted, by which callgrind finds it.
pub(crate) const REGION: &str = "counts::meter::counted_region";

/// What so many operations of a piece have allocated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Allocated {
    pub(crate) name: String,
    pub(crate) operations: u64,
    pub(crate) allocations: u64,
    pub(crate) bytes: u64,
}

/// Counts one piece.
pub(crate) struct Meter {
    name: &'static str,
    measured: Option<Allocated>,
}

impl Meter {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, measured: None }
    }

    /// Counts what this does, which is so many operations.
    pub(crate) fn measure(&mut self, operations: u64, mut work: impl FnMut()) {
        let (allocations, bytes) = allocator::so_far();
        counted_region(&mut work);
        let after = allocator::so_far();
        self.measured = Some(Allocated {
            name: self.name.to_owned(),
            operations,
            allocations: after.0 - allocations,
            bytes: after.1 - bytes,
        });
    }

    /// What was counted, if anything was.
    pub(crate) fn finish(self) -> Option<Allocated> {
        self.measured
    }
}

/// Callgrind begins to count where this begins, and tells where it ends: the call must not be its last act.
#[inline(never)]
fn counted_region(work: &mut dyn FnMut()) -> u8 {
    work();
    std::hint::black_box(0)
}
