//! The seam between data tracks and end-to-end encryption (protocol §5.8): a frame's payload is
//! encrypted before it is cut into packets, and decrypted once it is whole.
//!
//! Tracks know no keys. Whoever holds keys implements these traits; randomness and keys are the
//! implementation's own affair, and none of its errors may carry key material.

use std::fmt::Debug;

use trackyard_wire::Encryption;

/// Encrypts the frames of this client.
///
/// Implementations must be cheap to call once per frame and must never return the same
/// initialisation vector twice for one key.
pub trait Encryptor: Debug + Send {
    /// The encrypted payload, with what goes into the extension of every packet of the frame.
    ///
    /// # Errors
    /// [`CipherError`]; the frame is then dropped and counted, never sent in the clear.
    fn encrypt(&mut self, payload: &[u8]) -> Result<(Vec<u8>, Encryption), CipherError>;
}

/// Decrypts the frames of other participants.
pub trait Decryptor: Debug + Send {
    /// The payload in the clear of a frame that `publisher` (an identity) has sent with this
    /// extension.
    ///
    /// # Errors
    /// [`CipherError`]; the frame is then dropped and counted, never delivered.
    fn decrypt(
        &mut self,
        publisher: &str,
        encryption: &Encryption,
        payload: &[u8],
    ) -> Result<Vec<u8>, CipherError>;
}

/// Why a frame cannot be encrypted or decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum CipherError {
    /// There is no key at this index of the ring, for this participant.
    #[error("no key at index {key_index}")]
    NoKey {
        /// Place in the key ring.
        key_index: u8,
    },
    /// The key at this index does not fit, or the frame was altered on its way.
    #[error("the key at index {key_index} does not fit, or the frame was altered")]
    WrongKey {
        /// Place in the key ring.
        key_index: u8,
    },
    /// This key has failed so often that it is no longer tried.
    #[error("the key at index {key_index} failed too often and is no longer tried")]
    KeyGivenUp {
        /// Place in the key ring.
        key_index: u8,
    },
    /// The cipher itself refused, for example since a payload is too long for it.
    #[error("the cipher refused the payload")]
    Refused,
}
