//! Words that the tests share.

use trackyard_track::Encryptor;
use trackyard_track::e2ee::{FrameDecryptor, FrameEncryptor, IvSeed, Key, KeyOptions, Secret};
use trackyard_wire::Encryption;

/// A frame on its way: what is sealed, and the extension that goes with it.
pub(crate) type Sealed = (Vec<u8>, Encryption);

/// Raw secrets derive quickly.
pub(crate) fn key(name: &str) -> Key {
    key_with(name, &KeyOptions::default())
}

pub(crate) fn key_with(name: &str, options: &KeyOptions) -> Key {
    Key::derive(&Secret::raw(name).unwrap(), options).unwrap()
}

/// An encryptor of the identity with this key at index 0.
pub(crate) fn sender(identity: &str, key: &Key) -> FrameEncryptor {
    let mut encryptor = FrameEncryptor::new(identity, &IvSeed::new([7; 32]), &KeyOptions::default());
    encryptor.set_key(0, key.clone()).unwrap();
    encryptor
}

/// A decryptor that has the key at index 0 for everyone.
pub(crate) fn receiver(key: &Key, options: KeyOptions) -> FrameDecryptor {
    let mut decryptor = FrameDecryptor::new(options);
    decryptor.set_shared_key(0, key).unwrap();
    decryptor
}

pub(crate) fn window(ratchet_window: u8) -> KeyOptions {
    KeyOptions { ratchet_window, ..KeyOptions::default() }
}

pub(crate) fn seal(encryptor: &mut FrameEncryptor, payload: &[u8]) -> Sealed {
    encryptor.encrypt(payload).unwrap()
}
