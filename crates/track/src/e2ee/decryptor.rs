//! Opens the frames of other participants.

use std::collections::BTreeMap;

use trackyard_wire::Encryption;

use crate::e2ee::ring::{KeyRing, Opened, Sealed};
use crate::e2ee::{Key, KeyError, KeyOptions, Secret};
use crate::{CipherError, Decryptor};

/// Of so many publishers what they have made of a shared key, and how often they failed, is kept.
/// Beyond, a ratcheted shared key is found anew for each frame and no key is given up; counted in
/// [`DecryptionStats::untracked`].
pub const PUBLISHERS_MAX: usize = 1024;

/// Opens the frames of other participants, with keys of their own or one that all share.
///
/// A participant that has a key of its own is opened with its own keys alone. A key that does not fit
/// is followed along its chain, within the window; where the key is shared, that concerns this
/// publisher only, as in native clients.
///
/// Invariant: a payload is given only if its tag is right.
#[derive(Debug)]
pub struct FrameDecryptor {
    options: KeyOptions,
    shared: KeyRing,
    /// Of participants with keys of their own: as many as the application has set.
    own: BTreeMap<String, KeyRing>,
    /// What publishers have ratcheted the shared keys to.
    ratcheted: BTreeMap<String, KeyRing>,
    failures: BTreeMap<String, BTreeMap<u8, u32>>,
    stats: DecryptionStats,
}

/// What has become of frames, over all publishers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DecryptionStats {
    /// Opened.
    pub decrypted: u64,
    /// Of those, opened by a key ahead of the one that was set, which took its place.
    pub ratcheted: u64,
    /// Refused for want of a key.
    pub no_key: u64,
    /// Refused since the key does not fit or a byte was altered.
    pub wrong_key: u64,
    /// Refused untried.
    pub given_up: u64,
    /// Ratchets and failures not kept, for [`PUBLISHERS_MAX`] are.
    pub untracked: u64,
}

impl FrameDecryptor {
    /// Has no keys yet.
    #[must_use]
    pub fn new(options: KeyOptions) -> Self {
        let shared = KeyRing::new(&options);
        let stats = DecryptionStats::default();
        let (own, ratcheted, failures) = Default::default();
        Self { options, shared, own, ratcheted, failures, stats }
    }

    /// Sets a key that all participants share.
    ///
    /// # Errors
    /// [`KeyError::OutsideRing`].
    pub fn set_shared_key(&mut self, index: u8, key: &Key) -> Result<(), KeyError> {
        self.shared.set(index, key.clone())?;
        for ring in self.ratcheted.values_mut() {
            ring.set(index, key.clone())?;
        }
        self.failures.values_mut().for_each(|failures| {
            failures.remove(&index);
        });
        Ok(())
    }

    /// Sets a key of one participant's own.
    ///
    /// # Errors
    /// [`KeyError::OutsideRing`].
    pub fn set_key(&mut self, identity: &str, index: u8, key: Key) -> Result<(), KeyError> {
        if let Some(ring) = self.own.get_mut(identity) {
            ring.set(index, key)?;
        } else {
            let mut ring = KeyRing::new(&self.options);
            ring.set(index, key)?;
            self.own.insert(identity.to_owned(), ring);
        }
        self.forgive(identity, index);
        Ok(())
    }

    /// Replaces a shared key by the next of its chain for every publisher, and gives what that is
    /// derived from.
    ///
    /// # Errors
    /// [`KeyError::NoKey`], [`KeyError::Underived`].
    pub fn ratchet_shared(&mut self, index: u8) -> Result<Secret, KeyError> {
        let key = self.shared.ratchet(index)?.clone();
        self.set_shared_key(index, &key)?;
        Ok(key.secret().clone())
    }

    /// Replaces a participant's own key by the next of its chain, and gives what that is derived
    /// from.
    ///
    /// # Errors
    /// [`KeyError::NoKey`], [`KeyError::Underived`].
    pub fn ratchet(&mut self, identity: &str, index: u8) -> Result<Secret, KeyError> {
        let ring = self.own.get_mut(identity).ok_or(KeyError::NoKey { index })?;
        let secret = ring.ratchet(index)?.secret().clone();
        self.forgive(identity, index);
        Ok(secret)
    }

    /// Forgets a participant that has left, with its keys.
    pub fn forget(&mut self, identity: &str) {
        self.own.remove(identity);
        self.ratcheted.remove(identity);
        self.failures.remove(identity);
    }

    /// What has become of frames.
    #[must_use]
    pub fn stats(&self) -> DecryptionStats {
        self.stats
    }

    fn ring(&mut self, publisher: &str) -> &mut KeyRing {
        if let Some(ring) = self.own.get_mut(publisher) {
            return ring;
        }
        self.ratcheted.get_mut(publisher).unwrap_or(&mut self.shared)
    }

    fn is_given_up(&self, publisher: &str, index: u8) -> bool {
        let Some(tolerance) = self.options.failure_tolerance else { return false };
        self.failures.get(publisher).and_then(|failures| failures.get(&index)).is_some_and(|n| *n > tolerance)
    }

    fn forgive(&mut self, publisher: &str, index: u8) {
        if let Some(failures) = self.failures.get_mut(publisher) {
            failures.remove(&index);
        }
    }

    fn fail(&mut self, publisher: &str, index: u8) {
        self.stats.wrong_key += 1;
        if self.options.failure_tolerance.is_none() {
            return;
        }
        if let Some(failures) = self.failures.get_mut(publisher) {
            let count = failures.entry(index).or_default();
            *count = count.saturating_add(1);
        } else if self.failures.len() < PUBLISHERS_MAX {
            self.failures.insert(publisher.to_owned(), BTreeMap::from([(index, 1)]));
        } else {
            self.stats.untracked += 1;
        }
    }

    fn succeed(&mut self, publisher: &str, index: u8, steps: usize) {
        self.stats.decrypted += 1;
        self.forgive(publisher, index);
        if steps > 0 {
            self.stats.ratcheted += 1;
            self.follow(publisher, index, steps);
        }
    }

    /// Takes the key that the publisher has ratcheted to; of a shared one for it alone.
    fn follow(&mut self, publisher: &str, index: u8, steps: usize) {
        let known = self.own.get_mut(publisher).or_else(|| self.ratcheted.get_mut(publisher));
        if let Some(ring) = known {
            return ring.advance(index, steps);
        }
        if self.ratcheted.len() >= PUBLISHERS_MAX {
            self.stats.untracked += 1;
            return;
        }
        let mut ring = self.shared.clone();
        ring.advance(index, steps);
        self.ratcheted.insert(publisher.to_owned(), ring);
    }
}

impl Decryptor for FrameDecryptor {
    fn decrypt(
        &mut self,
        publisher: &str,
        encryption: &Encryption,
        payload: &[u8],
    ) -> Result<Vec<u8>, CipherError> {
        let Encryption { key_index, iv } = *encryption;
        let window = self.options.window();
        if self.ring(publisher).key(key_index).is_none() {
            self.stats.no_key += 1;
            return Err(CipherError::NoKey { key_index });
        }
        if self.is_given_up(publisher, key_index) {
            self.stats.given_up += 1;
            return Err(CipherError::KeyGivenUp { key_index });
        }
        let Some(Opened { payload, steps }) =
            self.ring(publisher).open(key_index, Sealed { iv, payload }, window)
        else {
            self.fail(publisher, key_index);
            return Err(CipherError::WrongKey { key_index });
        };
        self.succeed(publisher, key_index, steps);
        Ok(payload)
    }
}
