//! End-to-end encryption with a passphrase that everybody in the room has.

use trackyard::e2ee::{KeyOptions, Secret};
use trackyard::{E2eeOptions, KeyProvider};

use crate::failure::Failure;
use crate::sensitive::Sensitive;

/// As official clients have it unless told otherwise: one shared key, at index 0.
pub(super) fn by_passphrase(passphrase: &Sensitive) -> Result<E2eeOptions, Failure> {
    let keys = || {
        let keys = KeyProvider::new(KeyOptions::default())?;
        keys.set_shared_key(0, &Secret::passphrase(passphrase.expose())?)?;
        Ok(E2eeOptions::new(keys))
    };
    keys().map_err(|error: trackyard::e2ee::KeyError| {
        Failure::Failed(anyhow::Error::new(error).context("end-to-end encryption cannot be set up"))
    })
}
