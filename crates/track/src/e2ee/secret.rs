//! What keys are derived from.

use std::fmt;
use std::num::NonZeroU32;

use aws_lc_rs::{hkdf, pbkdf2};
use zeroize::Zeroizing;

use crate::e2ee::KeyError;

/// Rounds of PBKDF2-HMAC-SHA256 (protocol §5.8).
pub const PBKDF2_ROUNDS: NonZeroU32 = NonZeroU32::new(100_000).expect("it is not 0");

/// Bytes that a derivation gives: one block of SHA-256.
pub(crate) const DERIVED_BYTES: usize = 32;

/// Official clients expand with this many zero bytes as the context.
const HKDF_INFO: [u8; 128] = [0; 128];

/// A passphrase, or random bytes of a key exchange. It is overwritten when dropped and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    kind: Kind,
    bytes: Zeroizing<Vec<u8>>,
}

/// How a key is derived; the ratchet keeps to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Passphrase,
    Raw,
}

impl Secret {
    /// A passphrase, of which keys are derived with PBKDF2. Every official client can; native ones
    /// take any bytes for one, JavaScript only text.
    ///
    /// # Errors
    /// [`KeyError::EmptySecret`].
    pub fn passphrase(passphrase: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        Self::new(Kind::Passphrase, passphrase.as_ref())
    }

    /// Random bytes, of which keys are derived with HKDF-SHA256: much faster, and no better than the
    /// bytes are random. Not every official client can.
    ///
    /// # Errors
    /// [`KeyError::EmptySecret`].
    pub fn raw(bytes: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        Self::new(Kind::Raw, bytes.as_ref())
    }

    fn new(kind: Kind, bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.is_empty() {
            return Err(KeyError::EmptySecret);
        }
        Ok(Self { kind, bytes: Zeroizing::new(bytes.to_vec()) })
    }

    /// The bytes themselves, to hand a ratcheted secret to a participant that joins.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.bytes
    }

    /// The next secret of the chain. Its first bytes are this secret's key as well: official clients
    /// derive both in the same way.
    pub(crate) fn derived(&self, salt: &[u8]) -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new(vec![0; DERIVED_BYTES]);
        match self.kind {
            Kind::Passphrase => pbkdf2(&self.bytes, salt, &mut bytes),
            Kind::Raw => hkdf(&self.bytes, salt, &mut bytes)?,
        }
        Ok(Self { kind: self.kind, bytes })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("kind", &self.kind).finish_non_exhaustive()
    }
}

fn pbkdf2(secret: &[u8], salt: &[u8], out: &mut [u8]) {
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, PBKDF2_ROUNDS, salt, secret, out);
}

fn hkdf(secret: &[u8], salt: &[u8], out: &mut [u8]) -> Result<(), KeyError> {
    let root = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret);
    root.expand(&[&HKDF_INFO], hkdf::HKDF_SHA256)
        .and_then(|expanded| expanded.fill(out))
        .map_err(|_| KeyError::Underived)
}
