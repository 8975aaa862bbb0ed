//! Initialisation vectors that are never used twice.

use std::fmt;

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use zeroize::Zeroizing;

/// After so many frames a prefix is spent and another is derived.
pub const FRAMES_PER_PREFIX: u64 = 1 << 32;

const PREFIX_BYTES: usize = 8;

/// 256 bits from the operating system's generator, fresh for every encryptor.
///
/// They are the only thing that keeps two encryptors under one key apart, be they of two
/// participants that share it, of one that comes back, or one for tracks and one for streams: **a
/// seed is never used twice**.
///
/// An initialisation vector is 64 bits derived from the seed and a counter of 32 bits, so one encryptor
/// never repeats one, whatever keys it uses, and two repeat one only if their 64 bits agree. Of `n`
/// encryptors under one key any two do with a probability below n² / 2⁶⁵ (a spent prefix counts as
/// an encryptor more): below 2⁻³² for 92,000 of them, however many frames each has sent.
pub struct IvSeed(Zeroizing<[u8; 32]>);

impl IvSeed {
    /// Takes the bits over.
    #[must_use]
    pub fn new(bits: [u8; 32]) -> Self {
        Self(Zeroizing::new(bits))
    }
}

impl fmt::Debug for IvSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IvSeed").finish_non_exhaustive()
    }
}

/// Gives each initialisation vector once.
#[derive(Debug)]
pub(crate) struct IvSequence {
    root: Prk,
    given: u64,
    prefix: Option<[u8; PREFIX_BYTES]>,
}

impl IvSequence {
    pub(crate) fn new(seed: &IvSeed, identity: &str) -> Self {
        // The identity keeps participants apart even if a seed is wrongly used twice.
        let root = Salt::new(HKDF_SHA256, identity.as_bytes()).extract(seed.0.as_slice());
        Self { root, given: 0, prefix: None }
    }

    /// The next one. `None` after 2⁶⁴ of them, or if the library fails.
    pub(crate) fn next(&mut self) -> Option<[u8; 12]> {
        let (epoch, counter) = (self.given / FRAMES_PER_PREFIX, self.given % FRAMES_PER_PREFIX);
        if counter == 0 || self.prefix.is_none() {
            self.prefix = Some(self.derive_prefix(epoch)?);
        }
        self.given = self.given.checked_add(1)?;
        let mut iv = [0; 12];
        iv[..PREFIX_BYTES].copy_from_slice(&self.prefix?);
        iv[PREFIX_BYTES..].copy_from_slice(&u32::try_from(counter).ok()?.to_be_bytes());
        Some(iv)
    }

    fn derive_prefix(&self, epoch: u64) -> Option<[u8; PREFIX_BYTES]> {
        let mut prefix = [0; PREFIX_BYTES];
        let epoch = epoch.to_be_bytes();
        let info: [&[u8]; 2] = [b"trackyard iv prefix", &epoch];
        let expanded = self.root.expand(&info, PrefixLength).ok()?;
        expanded.fill(&mut prefix).ok()?;
        Some(prefix)
    }
}

struct PrefixLength;

impl KeyType for PrefixLength {
    fn len(&self) -> usize {
        PREFIX_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spent_prefix_is_followed_by_another() {
        let mut ivs = IvSequence::new(&IvSeed::new([7; 32]), "alice");
        let first = ivs.next().unwrap();
        ivs.given = FRAMES_PER_PREFIX - 1;
        let last = ivs.next().unwrap();
        let after = ivs.next().unwrap();
        assert_eq!(first[..8], last[..8]);
        assert_eq!(last[8..], [0xff; 4]);
        assert_ne!(last[..8], after[..8]);
        assert_eq!(after[8..], [0; 4]);
    }

    #[test]
    fn the_sequence_ends_rather_than_repeats() {
        let mut ivs = IvSequence::new(&IvSeed::new([7; 32]), "alice");
        ivs.given = u64::MAX;
        assert_eq!(ivs.next(), None);
        assert_eq!(ivs.next(), None);
    }
}
