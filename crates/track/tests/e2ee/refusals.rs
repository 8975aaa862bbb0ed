//! What was altered or belongs elsewhere is refused; everything else comes out as it went in.

use proptest::prelude::*;
use trackyard_track::e2ee::{
    FrameDecryptor, FrameEncryptor, IvSeed, Key, KeyBits, KeyError, KeyOptions, Secret, TAG_BYTES,
};
use trackyard_track::{CipherError, Decryptor, Encryptor};
use trackyard_wire::Encryption;

use crate::vocabulary::{key, key_with, receiver, seal, sender, window};

const WRONG: CipherError = CipherError::WrongKey { key_index: 0 };

proptest! {
    #[test]
    fn what_is_sealed_is_opened(
        payload in prop::collection::vec(any::<u8>(), 0..3_000),
        secret in prop::collection::vec(any::<u8>(), 1..80),
        salt in prop::collection::vec(any::<u8>(), 0..80),
        bits in prop::sample::select(vec![KeyBits::Aes128, KeyBits::Aes256]),
        index in 0_u8..16,
    ) {
        let options = KeyOptions { salt, key_bits: bits, ..KeyOptions::default() };
        let key = Key::derive(&Secret::raw(secret).unwrap(), &options).unwrap();
        let mut alice = FrameEncryptor::new("alice", &IvSeed::new([7; 32]), &options);
        alice.set_key(index, key.clone()).unwrap();
        let mut bob = FrameDecryptor::new(options);
        bob.set_key("alice", index, key).unwrap();

        let (sealed, encryption) = seal(&mut alice, &payload);
        prop_assert_eq!(encryption.key_index, index);
        prop_assert_eq!(sealed.len(), payload.len() + TAG_BYTES);
        prop_assert_eq!(bob.decrypt("alice", &encryption, &sealed), Ok(payload));
    }

    #[test]
    fn a_changed_bit_anywhere_is_refused(
        payload in prop::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let key = key("secret");
        let (mut sealed, mut encryption) = seal(&mut sender("alice", &key), &payload);
        let place = at.index(sealed.len() + encryption.iv.len());
        match place.checked_sub(sealed.len()) {
            Some(in_iv) => encryption.iv[in_iv] ^= 1_u8 << bit,
            None => sealed[place] ^= 1_u8 << bit,
        }
        prop_assert_eq!(receiver(&key, window(8)).decrypt("alice", &encryption, &sealed), Err(WRONG));
    }
}

#[test]
fn every_byte_of_a_frame_counts() {
    let key = key("secret");
    let (sealed, encryption) = seal(&mut sender("alice", &key), b"a payload");
    let mut bob = receiver(&key, window(0));
    for at in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[at] ^= 0x80;
        assert_eq!(bob.decrypt("alice", &encryption, &altered), Err(WRONG), "byte {at}");
    }
    for at in 0..encryption.iv.len() {
        let mut altered = encryption;
        altered.iv[at] ^= 1;
        assert_eq!(bob.decrypt("alice", &altered, &sealed), Err(WRONG), "byte {at} of the vector");
    }
    assert_eq!(bob.decrypt("alice", &encryption, &sealed).as_deref(), Ok(&b"a payload"[..]));
}

#[test]
fn a_frame_cut_short_or_made_longer_is_refused() {
    let key = key("secret");
    let (sealed, encryption) = seal(&mut sender("alice", &key), b"a payload");
    let mut bob = receiver(&key, window(2));
    for length in 0..sealed.len() {
        assert_eq!(bob.decrypt("alice", &encryption, &sealed[..length]), Err(WRONG), "{length} bytes");
    }
    let longer = [sealed.as_slice(), b"x"].concat();
    assert_eq!(bob.decrypt("alice", &encryption, &longer), Err(WRONG));
}

#[test]
fn another_index_is_refused() {
    let (first, second) = (key("first"), key("second"));
    let (sealed, encryption) = seal(&mut sender("alice", &first), b"hi");
    let mut bob = receiver(&first, window(8));
    bob.set_shared_key(1, &second).unwrap();
    let elsewhere = |key_index| Encryption { key_index, ..encryption };
    for (key_index, expected) in [
        (1, CipherError::WrongKey { key_index: 1 }),
        (2, CipherError::NoKey { key_index: 2 }),
        (16, CipherError::NoKey { key_index: 16 }),
        (255, CipherError::NoKey { key_index: 255 }),
    ] {
        assert_eq!(bob.decrypt("alice", &elsewhere(key_index), &sealed), Err(expected));
    }
    let stats = bob.stats();
    assert_eq!((stats.decrypted, stats.wrong_key, stats.no_key), (0, 1, 3));
}

#[test]
fn another_identity_is_refused_where_keys_are_the_participants_own() {
    let mut bob = FrameDecryptor::new(window(8));
    bob.set_key("alice", 0, key("hers")).unwrap();
    bob.set_key("mallory", 0, key("his")).unwrap();
    let (sealed, encryption) = seal(&mut sender("mallory", &key("his")), b"hi");
    assert_eq!(bob.decrypt("alice", &encryption, &sealed), Err(WRONG));
    assert_eq!(bob.decrypt("carol", &encryption, &sealed), Err(CipherError::NoKey { key_index: 0 }));
    assert_eq!(bob.decrypt("mallory", &encryption, &sealed).as_deref(), Ok(&b"hi"[..]));
}

/// As with official clients: no name goes into what is sealed.
#[test]
fn a_shared_key_does_not_say_who_sealed() {
    let key = key("everyone's");
    let (sealed, encryption) = seal(&mut sender("alice", &key), b"hi");
    assert_eq!(receiver(&key, window(8)).decrypt("bob", &encryption, &sealed).as_deref(), Ok(&b"hi"[..]));
}

#[test]
fn a_wrong_key_gives_nothing_until_the_right_one_is_set() {
    let right = key("right");
    let mut alice = sender("alice", &right);
    let mut bob = receiver(&key("wrong"), window(8));
    for _ in 0..50 {
        let (sealed, encryption) = seal(&mut alice, b"hi");
        assert_eq!(bob.decrypt("alice", &encryption, &sealed), Err(WRONG));
    }
    bob.set_shared_key(0, &right).unwrap();
    let (sealed, encryption) = seal(&mut alice, b"hi");
    assert_eq!(bob.decrypt("alice", &encryption, &sealed).as_deref(), Ok(&b"hi"[..]));
    let stats = bob.stats();
    assert_eq!((stats.wrong_key, stats.decrypted), (50, 1));
}

#[test]
fn nothing_is_sealed_without_a_key() {
    let mut alice = FrameEncryptor::new("alice", &IvSeed::new([7; 32]), &KeyOptions::default());
    assert_eq!(alice.encrypt(b"hi"), Err(CipherError::NoKey { key_index: 0 }));
}

#[test]
fn a_secret_has_bytes() {
    assert_eq!(Secret::passphrase("").unwrap_err(), KeyError::EmptySecret);
    assert_eq!(Secret::raw(b"").unwrap_err(), KeyError::EmptySecret);
}

#[test]
fn a_passphrase_and_the_same_bytes_are_different_keys() {
    let options = KeyOptions::default();
    let phrase = Key::derive(&Secret::passphrase("secret").unwrap(), &options).unwrap();
    let (sealed, encryption) = seal(&mut sender("alice", &phrase), b"hi");
    assert_eq!(phrase.open(encryption.iv, &sealed).as_deref(), Some(&b"hi"[..]));
    assert_eq!(key_with("secret", &options).open(encryption.iv, &sealed), None);
}

#[test]
fn nothing_secret_is_shown() {
    let secret = Secret::raw("swordfish").unwrap();
    let key = Key::derive(&secret, &KeyOptions::default()).unwrap();
    let seed = IvSeed::new([0xab; 32]);
    let (alice, bob) = (sender("alice", &key), receiver(&key, window(8)));
    let shown = format!("{secret:?} {key:?} {seed:?} {alice:?} {bob:?}");
    let (raw, derived) = (secret.expose(), key.ratcheted().unwrap().secret().clone());
    for bytes in [raw, derived.expose(), &[0xab; 32]] {
        let run = |separator: &str, byte: fn(&u8) -> String| {
            bytes[..4].iter().map(byte).collect::<Vec<_>>().join(separator)
        };
        assert!(!shown.contains(&run(", ", |byte| byte.to_string())), "{shown}");
        assert!(!shown.contains(&run("", |byte| format!("{byte:02x}"))), "{shown}");
    }
    assert!(!shown.contains("swordfish"), "{shown}");
}
