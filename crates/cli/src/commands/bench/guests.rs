//! How the clients of a run get in.

use std::time::Duration;

use trackyard::{ConnectError, Room, SignalError};

use crate::connection::{Entrance, Role};
use crate::failure::Failure;
use crate::sensitive::Sensitive;

/// Refusals for coming too fast that one client takes before it gives up.
const PATIENCE: u32 = 60;
/// Servers count joins by the second.
const PAUSE: Duration = Duration::from_millis(500);
/// How much longer a pause is at most, so that not all come back at once.
const PAUSE_SPREAD_MS: u64 = 500;
const TOO_MANY_REQUESTS: u16 = 429;

/// How the clients of one side get in.
#[derive(Debug, Clone)]
pub(super) struct Guests {
    pub(super) entrance: Entrance,
    pub(super) passphrase: Option<Sensitive>,
}

impl Guests {
    /// The same by way of another URL, if there is one.
    pub(super) fn by_way_of(&self, url: Option<String>) -> Self {
        let Some(url) = url else { return self.clone() };
        Self { entrance: self.entrance.clone().by_way_of(url), passphrase: self.passphrase.clone() }
    }

    /// Joins, and waits where the server lets only so many in at a time.
    ///
    /// # Errors
    /// Why it did not come about.
    pub(super) async fn join(&self, role: Role, suffix: &str) -> Result<Room, Failure> {
        let mut entrance = self.entrance.clone();
        if let Some(passphrase) = &self.passphrase {
            entrance = entrance.encrypted(passphrase)?;
        }
        let mut refusals = 0;
        loop {
            match entrance.join(role, suffix).await {
                // What happens in the room shows in what arrives.
                Ok((room, _events)) => return Ok(room),
                Err(failure) if refusals < PATIENCE && is_too_fast(&failure) => refusals += 1,
                Err(failure) => return Err(failure),
            }
            tokio::time::sleep(PAUSE + Duration::from_millis(fastrand::u64(..=PAUSE_SPREAD_MS))).await;
        }
    }
}

fn is_too_fast(failure: &Failure) -> bool {
    let Failure::Connect(error) = failure else { return false };
    let refused = error.downcast_ref::<ConnectError>();
    matches!(refused, Some(ConnectError::Signal(SignalError::Refused { status: TOO_MANY_REQUESTS, .. })))
}
