//! Keys of end-to-end encryption.

use serde::Deserialize;
use serde_json::{Value, json};
use trackyard::KeyProvider;
use trackyard::e2ee::{KeyError, KeyOptions, Secret};

use crate::failure::Failure;

/// What a room is joined with.
#[derive(Debug, Deserialize)]
pub(crate) struct Keys {
    changes: Vec<KeyChange>,
}

/// What becomes of a key. Without an identity it is everyone's.
#[derive(Debug, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub(crate) enum KeyChange {
    Shared { index: u8, passphrase: String },
    Own { index: u8, passphrase: String },
    Of { identity: String, index: u8, passphrase: String },
    Use { index: u8 },
    RatchetShared { index: u8 },
    RatchetOwn { index: u8 },
}

impl Keys {
    /// A provider that has been told all of them.
    pub(crate) fn provider(&self) -> Result<KeyProvider, KeyError> {
        let provider = KeyProvider::new(KeyOptions::default())?;
        self.changes.iter().try_for_each(|each| each.apply(&provider))?;
        Ok(provider)
    }
}

impl KeyChange {
    /// Makes the change.
    pub(crate) fn apply(&self, provider: &KeyProvider) -> Result<(), KeyError> {
        match self {
            Self::Shared { index, passphrase } => {
                provider.set_shared_key(*index, &Secret::passphrase(passphrase)?)
            }
            Self::Own { index, passphrase } => provider.set_own_key(*index, &Secret::passphrase(passphrase)?),
            Self::Of { identity, index, passphrase } => {
                provider.set_participant_key(identity, *index, &Secret::passphrase(passphrase)?)
            }
            Self::Use { index } => provider.use_key(*index),
            Self::RatchetShared { index } => provider.ratchet_shared_key(*index).map(drop),
            Self::RatchetOwn { index } => provider.ratchet_own_key(*index).map(drop),
        }
    }
}

/// What has become of received frames.
pub(crate) fn stats(provider: Option<&KeyProvider>) -> Result<Value, Failure> {
    let provider = provider.ok_or_else(|| Failure::misuse("joined without keys"))?;
    let stats = provider.stats();
    Ok(json!({
        "decrypted": stats.decrypted,
        "ratcheted": stats.ratcheted,
        "no_key": stats.no_key,
        "wrong_key": stats.wrong_key,
    }))
}
