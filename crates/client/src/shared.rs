//! A session behind its lock: what the application's objects, the sockets' tasks and the driver share.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Instant;

use tokio::sync::Notify;
use trackyard_peer::{Datagram, LocalAddress, Target, Transport};

use crate::core::Core;
use crate::paths::Inbound;

/// A session behind its lock. The lock is held for as long as one input takes, never over an await.
pub(crate) struct Shared {
    core: Mutex<Core>,
    /// The driver has something to do, or is to wake up earlier.
    driver: Notify,
}

impl Shared {
    pub(crate) fn new(core: Core) -> Arc<Self> {
        Arc::new(Self { core: Mutex::new(core), driver: Notify::new() })
    }

    /// Changes the session, and does at once what comes of it.
    pub(crate) fn with<T>(self: &Arc<Self>, change: impl FnOnce(&mut Core, Instant) -> T) -> T {
        let mut core = self.lock();
        let now = Instant::now();
        let result = change(&mut core, now);
        if core.pump(self, now) {
            self.driver.notify_one();
        }
        result
    }

    /// Looks at the session.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&Core) -> T) -> T {
        look(&self.lock())
    }

    /// Nobody drives the session any more.
    pub(crate) fn abandon(self: &Arc<Self>) {
        // A session that has panicked is not asked to say goodbye.
        if !std::thread::panicking() {
            self.with(|core, now| core.session.close(now));
        }
        // What the application has registered may want the lock when it is dropped.
        let handlers = self.lock().abandon();
        drop(handlers);
    }

    /// Waits until the driver has something to do.
    pub(crate) async fn disturbed(&self) {
        self.driver.notified().await;
    }

    /// Whoever panics while holding the lock has not left the session half changed: what panics is
    /// caught where it can happen.
    fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hands in what other ways than UDP bring, as soon as there is a session.
#[derive(Default)]
pub(crate) struct Receiver(OnceLock<Weak<Shared>>);

impl Receiver {
    /// From now on there is.
    pub(crate) fn bind(&self, shared: &Arc<Shared>) {
        // It is bound once.
        let _ = self.0.set(Arc::downgrade(shared));
    }

    fn shared(&self) -> Option<Arc<Shared>> {
        self.0.get()?.upgrade()
    }
}

impl Inbound for Receiver {
    fn datagram(&self, target: Target, datagram: Datagram<'_>) {
        if let Some(shared) = self.shared() {
            shared.with(|core, now| core.session.handle_datagram(target, datagram, now));
        }
    }

    fn relayed(&self, target: Target, _transport: Transport, address: SocketAddr) {
        if let Some(shared) = self.shared() {
            let address = LocalAddress::Relayed { address, base: address };
            shared.with(|core, now| core.session.add_local_address(target, address, now));
        }
    }
}
