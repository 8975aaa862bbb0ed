//! Data-track packets, version 0 (protocol §5.4): parse, build, patch.
//!
//! A forwarder reads the header of 12 bytes, patches two of them and passes the rest on as it came.
//! This crate never allocates to parse, never touches a payload, and knows no track or room.

use std::num::NonZeroU16;

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
