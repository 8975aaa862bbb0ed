//! How many sockets a process of many clients may have open.

use anyhow::{Context, Result, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Has this process, and those it starts from now on, open as many descriptors as it may.
///
/// # Errors
/// When that is fewer than `needed`, which is said before hundreds of clients fail.
pub fn raise_descriptors(needed: u64) -> Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).context("descriptors")?;
    ensure!(maximum.is_none_or(|maximum| maximum >= needed), "{needed} descriptors are needed: ulimit -n");
    Ok(())
}
