//! What tests may do to a running server to see it go on. No client reaches any of it: it is for the program
//! that has started the server.

use tokio_util::sync::CancellationToken;
use trackyard_net::Workers;
use trackyard_sfu::control::WorkerId;

use crate::clock::Clock;

/// What may be done to a running server.
#[derive(Debug, Clone)]
pub struct Faults {
    pub(crate) clock: Clock,
    pub(crate) workers: Workers,
    pub(crate) stop: CancellationToken,
}

impl Faults {
    /// Sets the time of day off by so many seconds; 0 sets it right again.
    pub fn set_clock_off_by(&self, seconds: i64) {
        self.clock.set_off_by(seconds);
    }

    /// Has a worker die; nothing happens if there is no such worker.
    pub fn kill_worker(&self, worker: u16) {
        self.workers.fail(WorkerId(worker));
    }

    /// Stops the server as a signal would.
    pub fn stop(&self) {
        self.stop.cancel();
    }
}
