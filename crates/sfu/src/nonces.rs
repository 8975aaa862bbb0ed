//! The nonces of the last messages of one sender, by which a repetition is told (protocol §6.1, §10).

use std::collections::VecDeque;

/// A message may be repeated within so many others and still count once.
const NONCES_MAX: usize = 100;
/// The only length of a nonce; others tell nothing.
pub(crate) const NONCE_BYTES: usize = 16;

/// The nonces of the last messages.
#[derive(Debug, Default)]
pub(crate) struct Nonces(VecDeque<[u8; NONCE_BYTES]>);

impl Nonces {
    /// Whether a message is new; one without a nonce always is.
    pub(crate) fn is_new(&mut self, nonce: &[u8]) -> bool {
        let Ok(nonce) = <[u8; NONCE_BYTES]>::try_from(nonce) else { return true };
        if self.0.contains(&nonce) {
            return false;
        }
        if self.0.len() >= NONCES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(nonce);
        true
    }
}
