//! How the clients of a run get in.

use std::time::Duration;

use trackyard::{ConnectError, Room, SignalError};

use crate::connection::{Entrance, Role};
use crate::failure::Failure;
use crate::sensitive::Sensitive;

/// Refusals for coming too fast, or to a server that is still busy, that one client takes before it gives up.
const PATIENCE: u32 = 60;
/// Servers count joins by the second.
const PAUSE: Duration = Duration::from_millis(500);
/// How much longer a pause is at most, so that not all come back at once.
const PAUSE_SPREAD_MS: u64 = 500;
/// Too many requests, and a server that lets nobody in until its load has gone.
const NOT_NOW: [u16; 2] = [429, 503];

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
                Err(failure) if refusals < PATIENCE && is_not_now(&failure) => refusals += 1,
                Err(failure) => return Err(failure),
            }
            tokio::time::sleep(PAUSE + Duration::from_millis(fastrand::u64(..=PAUSE_SPREAD_MS))).await;
        }
    }
}

fn is_not_now(failure: &Failure) -> bool {
    let Failure::Connect(error) = failure else { return false };
    match error.downcast_ref::<ConnectError>() {
        Some(ConnectError::Signal(SignalError::Refused { status, .. })) => NOT_NOW.contains(status),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_refusals_that_pass_are_waited_for() {
        for (status, expected) in [(429, true), (503, true), (401, false), (404, false), (500, false)] {
            let error = ConnectError::Signal(SignalError::Refused { status, message: String::new() });
            assert_eq!(is_not_now(&Failure::Connect(error.into())), expected, "{status}");
        }
        assert!(!is_not_now(&Failure::Interrupted));
    }
}
