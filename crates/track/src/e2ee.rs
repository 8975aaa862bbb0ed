//! End-to-end encryption of data tracks, as official clients do it (protocol §5.8).
//!
//! A frame's payload is sealed with AES-GCM before it is cut into packets: no additional data, an
//! IV of 12 bytes that travels in the extension of every packet, the tag of 16 bytes at the end.
//! The same scheme seals the `encrypted_packet` of streams and calls.
//!
//! What it does not do, as little as official clients do: where all participants share a key,
//! nothing in a frame says who sealed it, so a server can show a frame under another name, and it
//! can show one again. Keys of the participants' own prevent the first. And whoever holds an AES key
//! of 256 bits can follow its ratchet, for that key is the secret of the next step.
//!
//! Where official clients differ (`livekit-client` 2.23.0 and `livekit` 1.2.0 for Python, seen or read,
//! the latter being LiveKit's Rust client below):
//!
//! | | JavaScript | Python | here |
//! |---|---|---|---|
//! | AES-256 | yes | no: such frames never arrive | yes |
//! | passphrases | text | bytes | bytes |
//! | raw keys | yes | yes, as an option for all keys | yes |
//! | a publisher ratchets | data tracks fall silent until the receiver ratchets by hand | followed, 16 steps | followed, 8 steps |
//! | a shared key is ratcheted | for everyone | by hand for everyone, by a publisher's frames for that publisher | as Python |
//! | keys given up on data tracks | never | never | on request |
//! | key in use for sending | the last set with an index | the last set **for anyone**: a remote participant's key at another index silences one's own tracks | the last set here |

mod decryptor;
mod encryptor;
mod iv;
mod key;
mod options;
mod ring;
mod secret;

pub use decryptor::{DecryptionStats, FrameDecryptor, PUBLISHERS_MAX};
pub use encryptor::FrameEncryptor;
pub use iv::{FRAMES_PER_PREFIX, IvSeed};
pub use key::{Key, TAG_BYTES};
pub use options::{
    FAILURE_TOLERANCE_JS, KeyBits, KeyOptions, RATCHET_SALT, RATCHET_WINDOW_DEFAULT, RATCHET_WINDOW_MAX,
    RING_SLOTS_DEFAULT,
};
pub use secret::{PBKDF2_ROUNDS, Secret};

/// Why a key cannot be set, used or ratcheted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A secret of no bytes.
    #[error("a secret has at least one byte")]
    EmptySecret,
    /// The key ring has no such place.
    #[error("key index {index} is outside the ring of {slots}")]
    OutsideRing {
        /// What was asked for.
        index: u8,
        /// How many places there are.
        slots: u8,
    },
    /// There is no key at this place.
    #[error("no key at index {index}")]
    NoKey {
        /// What was asked for.
        index: u8,
    },
    /// The cipher library fails to derive a key.
    #[error("no key can be derived")]
    Underived,
}
