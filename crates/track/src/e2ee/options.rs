//! How keys are derived and held; both sides must agree on the salt and the size.

use std::num::NonZeroU8;

/// What keys are derived with unless an application says otherwise (protocol §5.8).
pub const RATCHET_SALT: &str = "LKFrameEncryptionKey";

/// Places in a key ring, as in every official client.
pub const RING_SLOTS_DEFAULT: NonZeroU8 = NonZeroU8::new(16).expect("it is not 0");

/// Steps ahead of a key that are tried when it does not fit, as in the JavaScript client; native
/// ones try 16.
pub const RATCHET_WINDOW_DEFAULT: u8 = 8;

/// The widest ratchet window: each step costs a derivation once a key and a trial for each frame
/// that fails.
pub const RATCHET_WINDOW_MAX: u8 = 32;

/// After how many failures in a row the JavaScript client gives a key of a media track up. It does
/// not count those of data tracks, nor do native clients.
pub const FAILURE_TOLERANCE_JS: u32 = 10;

/// How keys are derived and held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyOptions {
    /// What secrets are salted with. The same for everyone in a room.
    pub salt: Vec<u8>,
    /// The cipher. The same for everyone in a room.
    pub key_bits: KeyBits,
    /// Places in each key ring.
    pub ring_slots: NonZeroU8,
    /// Steps ahead of a key that are tried when it does not fit; at most [`RATCHET_WINDOW_MAX`]
    /// count. 0 follows no ratchet. The first frame that fails pays for the derivation of all steps,
    /// about 12 ms each for a passphrase; later ones find them there.
    pub ratchet_window: u8,
    /// After more failures in a row than this, a publisher's key is no longer tried until it is set
    /// again. `None` never gives a key up, as official clients never do on data tracks.
    pub failure_tolerance: Option<u32>,
}

impl Default for KeyOptions {
    fn default() -> Self {
        Self {
            salt: RATCHET_SALT.into(),
            key_bits: KeyBits::default(),
            ring_slots: RING_SLOTS_DEFAULT,
            ratchet_window: RATCHET_WINDOW_DEFAULT,
            failure_tolerance: None,
        }
    }
}

impl KeyOptions {
    pub(crate) fn window(&self) -> usize {
        usize::from(self.ratchet_window.min(RATCHET_WINDOW_MAX))
    }
}

/// The size of an AES key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum KeyBits {
    /// AES-128-GCM, which every official client speaks.
    #[default]
    Aes128,
    /// AES-256-GCM, which among official clients only the JavaScript one speaks.
    Aes256,
}
