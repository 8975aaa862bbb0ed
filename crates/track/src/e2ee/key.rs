//! A key of the ring: what seals and opens payloads, and what comes after it.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use crate::e2ee::{KeyBits, KeyError, KeyOptions, Secret};

/// Bytes that encryption adds to a payload: the tag, after the ciphertext.
pub const TAG_BYTES: usize = 16;

/// A derived key. Cloning shares it; its secrets are overwritten with the last clone, and never
/// shown. (What the cipher library keeps of the AES key is its own, and is freed only.)
#[derive(Clone)]
pub struct Key(Arc<Derived>);

struct Derived {
    secret: Secret,
    /// The secret one step of the ratchet ahead.
    next: Secret,
    salt: Arc<[u8]>,
    bits: KeyBits,
    cipher: LessSafeKey,
}

impl Key {
    /// Derives a key. From a passphrase that takes tens of milliseconds: not to be done where packets
    /// wait.
    ///
    /// # Errors
    /// [`KeyError::Underived`].
    pub fn derive(secret: &Secret, options: &KeyOptions) -> Result<Self, KeyError> {
        Self::with(secret.clone(), options.salt.as_slice().into(), options.key_bits)
    }

    fn with(secret: Secret, salt: Arc<[u8]>, bits: KeyBits) -> Result<Self, KeyError> {
        let next = secret.derived(&salt)?;
        let algorithm = match bits {
            KeyBits::Aes128 => &AES_128_GCM,
            KeyBits::Aes256 => &AES_256_GCM,
        };
        let bytes = next.expose().get(..algorithm.key_len()).ok_or(KeyError::Underived)?;
        let cipher = UnboundKey::new(algorithm, bytes).map_err(|_| KeyError::Underived)?;
        Ok(Self(Arc::new(Derived { secret, next, salt, bits, cipher: LessSafeKey::new(cipher) })))
    }

    /// The key one step of the ratchet ahead; takes as long as [`derive`](Self::derive).
    ///
    /// # Errors
    /// [`KeyError::Underived`].
    pub fn ratcheted(&self) -> Result<Self, KeyError> {
        Self::with(self.0.next.clone(), Arc::clone(&self.0.salt), self.0.bits)
    }

    /// What the key is derived from.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.0.secret
    }

    /// Seals a payload under an initialisation vector that must never be used twice with this key;
    /// [`FrameEncryptor`](crate::e2ee::FrameEncryptor) sees to that. `None` if the cipher refuses,
    /// which it does beyond 64 GiB.
    #[must_use]
    pub fn seal(&self, iv: [u8; 12], payload: &[u8]) -> Option<Vec<u8>> {
        let mut sealed = vec![0; payload.len().checked_add(TAG_BYTES)?];
        let (ciphertext, tag) = sealed.split_at_mut(payload.len());
        self.0
            .cipher
            .seal_out_of_place_scatter(
                Nonce::assume_unique_for_key(iv),
                Aad::empty(),
                payload,
                ciphertext,
                &[],
                tag,
            )
            .ok()?;
        Some(sealed)
    }

    /// Opens what was [sealed](Self::seal). `None` if the key does not fit or a byte was altered.
    #[must_use]
    pub fn open(&self, iv: [u8; 12], sealed: &[u8]) -> Option<Vec<u8>> {
        let (ciphertext, tag) = sealed.split_last_chunk::<TAG_BYTES>()?;
        let mut payload = vec![0; ciphertext.len()];
        self.0
            .cipher
            .open_separate_gather(
                Nonce::assume_unique_for_key(iv),
                Aad::empty(),
                ciphertext,
                tag,
                &mut payload,
            )
            .ok()?;
        Some(payload)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("bits", &self.0.bits).finish_non_exhaustive()
    }
}
