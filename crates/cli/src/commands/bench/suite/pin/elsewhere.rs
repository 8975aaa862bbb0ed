//! Where threads cannot be kept to cores.

use crate::failure::Failure;

/// All threads of a process, kept to some cores: never.
#[derive(Debug)]
pub(super) enum Pinned {}

impl Pinned {
    /// Never.
    ///
    /// # Errors
    /// [`Failure::Usage`].
    pub(super) fn to_core(_process: u32, _core: u32) -> Result<Self, Failure> {
        Err(Failure::Usage("--pin-server works on Linux alone".to_owned()))
    }

    /// Never.
    ///
    /// # Errors
    /// [`Failure::Usage`].
    pub(super) fn all_but(core: u32) -> Result<Self, Failure> {
        Self::to_core(std::process::id(), core)
    }
}
