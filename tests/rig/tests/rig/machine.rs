//! Who uses the machine: figures of one test must not be those of another.

use std::path::Path;
use std::time::Duration;

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use trackyard_rig::{Links, LiveConfig, ServerProcess};
use trackyard_sim::client::ClientConfig;
use trackyard_sim::link::LinkConfig;

static MACHINE: RwLock<()> = RwLock::const_new(());

/// For a test that loads the machine or measures times.
pub(crate) async fn alone() -> RwLockWriteGuard<'static, ()> {
    MACHINE.write().await
}

/// For all others.
pub(crate) async fn shared() -> RwLockReadGuard<'static, ()> {
    MACHINE.read().await
}

/// A server in a process of its own.
pub(crate) fn server(yaml: &str) -> ServerProcess {
    ServerProcess::start(Path::new(env!("CARGO_BIN_EXE_rig-server")), yaml).unwrap()
}

/// One connection, or two.
pub(crate) fn in_mode(single: bool, config: LiveConfig) -> LiveConfig {
    LiveConfig { client: ClientConfig { single, ..config.client }, ..config }
}

/// A path of this round trip; what comes down is limited to a rate.
pub(crate) fn links(rate_bps: Option<u64>, round_trip: Duration) -> Links {
    let delay = round_trip / 2;
    let up = LinkConfig { delay, ..LinkConfig::default() };
    Links { up, down: LinkConfig { rate_bps, ..up } }
}
