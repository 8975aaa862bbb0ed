//! The number that names a track on one channel.

use core::num::NonZeroU16;

/// Names a track within one sender's or one receiver's channel; never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(NonZeroU16);

impl Handle {
    /// `None` for 0.
    #[must_use]
    pub fn new(value: u16) -> Option<Self> {
        NonZeroU16::new(value).map(Self)
    }

    /// The number on the wire.
    #[must_use]
    pub fn get(self) -> u16 {
        self.0.get()
    }
}
