//! Seals the frames of this client.

use trackyard_wire::Encryption;

use crate::e2ee::iv::{IvSeed, IvSequence};
use crate::e2ee::ring::KeyRing;
use crate::e2ee::{Key, KeyError, KeyOptions, Secret};
use crate::{CipherError, Encryptor};

/// Seals the frames of this client, whether the key is its own or shared by all.
///
/// ```
/// use trackyard_track::{Decryptor, Encryptor};
/// use trackyard_track::e2ee::{FrameDecryptor, FrameEncryptor, IvSeed, Key, KeyOptions, Secret};
///
/// # fn random_bits() -> [u8; 32] { [7; 32] } // of the operating system, in truth
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let options = KeyOptions::default();
/// let key = Key::derive(&Secret::passphrase("correct horse battery staple")?, &options)?;
///
/// let mut alice = FrameEncryptor::new("alice", &IvSeed::new(random_bits()), &options);
/// alice.set_key(0, key.clone())?;
/// let mut bob = FrameDecryptor::new(options);
/// bob.set_shared_key(0, &key)?;
///
/// let (sealed, encryption) = alice.encrypt(b"hi")?;
/// assert_eq!(bob.decrypt("alice", &encryption, &sealed)?, b"hi");
/// # Ok(())
/// # }
/// # example().expect("keys that agree");
/// ```
#[derive(Debug)]
pub struct FrameEncryptor {
    ring: KeyRing,
    current: u8,
    ivs: IvSequence,
}

impl FrameEncryptor {
    /// Has no key yet; index 0 is in use.
    #[must_use]
    pub fn new(identity: &str, seed: &IvSeed, options: &KeyOptions) -> Self {
        Self { ring: KeyRing::new(options), current: 0, ivs: IvSequence::new(seed, identity) }
    }

    /// Sets a key and seals with it from now on. To rotate keys, let everyone who receives have the
    /// new key at a new index first.
    ///
    /// # Errors
    /// [`KeyError::OutsideRing`]; the key in use stays.
    pub fn set_key(&mut self, index: u8, key: Key) -> Result<(), KeyError> {
        self.ring.set(index, key)?;
        self.current = index;
        Ok(())
    }

    /// Seals with the key at this index from now on.
    ///
    /// # Errors
    /// [`KeyError::NoKey`]; the key in use stays.
    pub fn use_key(&mut self, index: u8) -> Result<(), KeyError> {
        self.ring.key(index).ok_or(KeyError::NoKey { index })?;
        self.current = index;
        Ok(())
    }

    /// The index of the key in use.
    #[must_use]
    pub fn key_index(&self) -> u8 {
        self.current
    }

    /// Replaces the key at this index by the next of its chain, and gives what that is derived from.
    /// Native clients follow by themselves; the JavaScript client does not, and has to be told to
    /// ratchet as well.
    ///
    /// # Errors
    /// [`KeyError::NoKey`], [`KeyError::Underived`]; the key stays.
    pub fn ratchet(&mut self, index: u8) -> Result<Secret, KeyError> {
        self.ring.ratchet(index).map(|key| key.secret().clone())
    }
}

impl Encryptor for FrameEncryptor {
    fn encrypt(&mut self, payload: &[u8]) -> Result<(Vec<u8>, Encryption), CipherError> {
        let key_index = self.current;
        let key = self.ring.key(key_index).ok_or(CipherError::NoKey { key_index })?;
        let iv = self.ivs.next().ok_or(CipherError::Refused)?;
        let sealed = key.seal(iv, payload).ok_or(CipherError::Refused)?;
        Ok((sealed, Encryption { key_index, iv }))
    }
}
