//! End-to-end encryption of what is published and received (protocol §5.8).

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::rand;
use trackyard_proto::Encryption as Kind;
use trackyard_session::PacketCipher;
use trackyard_track::e2ee::{
    DecryptionStats, FrameDecryptor, FrameEncryptor, IvSeed, Key, KeyError, KeyOptions, Secret,
};
use trackyard_track::{CipherError, Decryptor, Encryptor};

/// End-to-end encryption in a room: everything this participant publishes is encrypted, unless a track is
/// published [in the clear](crate::DataTrackOptions::unencrypted).
#[derive(Debug, Clone)]
pub struct E2eeOptions {
    /// Where keys come from.
    pub key_provider: KeyProvider,
}

impl E2eeOptions {
    /// With one passphrase that all participants share, and the options that official clients begin with.
    /// Takes about 12 ms of computing.
    ///
    /// # Errors
    /// [`KeyError`]: it is empty, or the system has no random numbers.
    pub fn with_passphrase(passphrase: &str) -> Result<Self, KeyError> {
        let key_provider = KeyProvider::new(KeyOptions::default())?;
        key_provider.set_shared_key(0, &Secret::passphrase(passphrase)?)?;
        Ok(Self { key_provider })
    }

    /// With keys from there.
    #[must_use]
    pub fn new(key_provider: KeyProvider) -> Self {
        Self { key_provider }
    }
}

/// The keys of a room. Cheap to clone; all clones share the keys, which may be changed at any time.
///
/// Deriving a key from a passphrase takes about 12 ms of computing, in the call that sets it.
///
/// ```
/// use trackyard::e2ee::{KeyOptions, Secret};
/// use trackyard::{E2eeOptions, KeyProvider, RoomOptions};
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let keys = KeyProvider::new(KeyOptions::default())?;
/// keys.set_shared_key(0, &Secret::passphrase("correct horse battery staple")?)?;
/// let options = RoomOptions::new().with_encryption(E2eeOptions::new(keys.clone()));
/// # drop(options);
/// # Ok(())
/// # }
/// # example().expect("a secret");
/// ```
#[derive(Clone)]
pub struct KeyProvider {
    options: KeyOptions,
    sealing: Arc<Mutex<FrameEncryptor>>,
    opening: Arc<Mutex<FrameDecryptor>>,
}

impl KeyProvider {
    /// Has no keys yet. Options have to be the same for everyone in a room.
    ///
    /// # Errors
    /// [`KeyError::Underived`] if the system has no random numbers.
    pub fn new(options: KeyOptions) -> Result<Self, KeyError> {
        let mut seed = [0; 32];
        rand::fill(&mut seed).map_err(|_| KeyError::Underived)?;
        // Initialisation vectors follow from a seed that nobody else has, so the identity adds nothing.
        let sealing = FrameEncryptor::new("", &IvSeed::new(seed), &options);
        let opening = FrameDecryptor::new(options.clone());
        Ok(Self { options, sealing: Arc::new(Mutex::new(sealing)), opening: Arc::new(Mutex::new(opening)) })
    }

    /// Sets a key that all participants share, and encrypts with it from now on. To change keys while
    /// frames flow, let everyone have the new key at another index first.
    ///
    /// # Errors
    /// [`KeyError`]; nothing has changed.
    pub fn set_shared_key(&self, index: u8, secret: &Secret) -> Result<(), KeyError> {
        let key = self.derive(secret)?;
        lock(&self.opening).set_shared_key(index, &key)?;
        lock(&self.sealing).set_key(index, key)
    }

    /// Sets this participant's own key, and encrypts with it from now on.
    ///
    /// # Errors
    /// [`KeyError`]; nothing has changed.
    pub fn set_own_key(&self, index: u8, secret: &Secret) -> Result<(), KeyError> {
        let key = self.derive(secret)?;
        lock(&self.sealing).set_key(index, key)
    }

    /// Sets another participant's own key.
    ///
    /// # Errors
    /// [`KeyError`]; nothing has changed.
    pub fn set_participant_key(&self, identity: &str, index: u8, secret: &Secret) -> Result<(), KeyError> {
        let key = self.derive(secret)?;
        lock(&self.opening).set_key(identity, index, key)
    }

    /// Encrypts with the key at this index from now on.
    ///
    /// # Errors
    /// [`KeyError::NoKey`]; the key in use stays.
    pub fn use_key(&self, index: u8) -> Result<(), KeyError> {
        lock(&self.sealing).use_key(index)
    }

    /// Replaces the key that this participant encrypts with at this index by the next of its chain, and
    /// gives what that is derived from. Receivers with a ratchet window follow by themselves.
    ///
    /// # Errors
    /// [`KeyError`]; the key stays.
    pub fn ratchet_own_key(&self, index: u8) -> Result<Secret, KeyError> {
        lock(&self.sealing).ratchet(index)
    }

    /// Replaces a shared key by the next of its chain, for sending and for receiving, and gives what that
    /// is derived from.
    ///
    /// # Errors
    /// [`KeyError`]; the key stays.
    pub fn ratchet_shared_key(&self, index: u8) -> Result<Secret, KeyError> {
        lock(&self.opening).ratchet_shared(index)?;
        lock(&self.sealing).ratchet(index)
    }

    /// What has become of received frames, over all participants.
    #[must_use]
    pub fn stats(&self) -> DecryptionStats {
        lock(&self.opening).stats()
    }

    pub(crate) fn encryptor(&self) -> Box<dyn Encryptor> {
        Box::new(Sealing(Arc::clone(&self.sealing)))
    }

    pub(crate) fn decryptor(&self) -> Box<dyn Decryptor> {
        Box::new(Opening(Arc::clone(&self.opening)))
    }

    /// For packets beside data tracks. Initialisation vectors are of the one sequence that frames' are of.
    pub(crate) fn packet_cipher(&self) -> PacketCipher {
        PacketCipher { encryptor: self.encryptor(), decryptor: self.decryptor() }
    }

    fn derive(&self, secret: &Secret) -> Result<Key, KeyError> {
        Key::derive(secret, &self.options)
    }
}

/// Never shows a key.
impl fmt::Debug for KeyProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyProvider").field("options", &self.options).finish_non_exhaustive()
    }
}

/// The kind of encryption that official clients speak.
pub(crate) const KIND: Kind = Kind::Gcm;

#[derive(Debug)]
struct Sealing(Arc<Mutex<FrameEncryptor>>);

#[derive(Debug)]
struct Opening(Arc<Mutex<FrameDecryptor>>);

impl Encryptor for Sealing {
    fn encrypt(&mut self, payload: &[u8]) -> Result<(Vec<u8>, trackyard_wire::Encryption), CipherError> {
        lock(&self.0).encrypt(payload)
    }
}

impl Decryptor for Opening {
    fn decrypt(
        &mut self,
        publisher: &str,
        encryption: &trackyard_wire::Encryption,
        payload: &[u8],
    ) -> Result<Vec<u8>, CipherError> {
        lock(&self.0).decrypt(publisher, encryption, payload)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(passphrase: &str) -> KeyProvider {
        E2eeOptions::with_passphrase(passphrase).unwrap().key_provider
    }

    #[test]
    fn what_one_seals_another_opens_with_the_same_key_alone() {
        let (alice, bob, eve) = (provider("same"), provider("same"), provider("other"));
        let (sealed, encryption) = alice.encryptor().encrypt(b"hi").unwrap();
        assert_eq!(bob.decryptor().decrypt("alice", &encryption, &sealed).unwrap(), b"hi");
        assert!(eve.decryptor().decrypt("alice", &encryption, &sealed).is_err());
        assert_eq!((bob.stats().decrypted, eve.stats().wrong_key), (1, 1));
    }

    #[test]
    fn keys_change_under_encryptors_that_exist() {
        let (alice, bob) = (provider("same"), provider("same"));
        let mut sealing = alice.encryptor();
        let next = Secret::passphrase("next").unwrap();
        bob.set_shared_key(3, &next).unwrap();
        alice.set_shared_key(3, &next).unwrap();
        let (sealed, encryption) = sealing.encrypt(b"hi").unwrap();
        assert_eq!(encryption.key_index, 3);
        assert_eq!(bob.decryptor().decrypt("alice", &encryption, &sealed).unwrap(), b"hi");
    }

    #[test]
    fn a_shared_key_is_ratcheted_on_both_ways() {
        let (alice, bob) = (provider("same"), provider("same"));
        alice.ratchet_shared_key(0).unwrap();
        bob.ratchet_shared_key(0).unwrap();
        let (sealed, encryption) = alice.encryptor().encrypt(b"hi").unwrap();
        assert_eq!(bob.decryptor().decrypt("alice", &encryption, &sealed).unwrap(), b"hi");
        assert_eq!(bob.stats().ratcheted, 0);
    }

    #[test]
    fn keys_are_never_shown() {
        assert!(!format!("{:?}", provider("correct horse")).contains("horse"));
    }
}
