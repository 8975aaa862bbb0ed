//! Key indices, rotation, and initialisation vectors.

use std::collections::HashSet;

use trackyard_track::e2ee::{FrameDecryptor, FrameEncryptor, IvSeed, KeyError, KeyOptions};
use trackyard_track::{CipherError, Decryptor};

use crate::vocabulary::{key, receiver, seal, sender, window};

#[test]
fn keys_rotate_over_the_whole_ring_and_old_frames_are_still_opened() {
    let mut alice = sender("alice", &key("0"));
    let mut bob = FrameDecryptor::new(window(0));
    let mut frames = Vec::new();
    for index in 0..16 {
        let key = key(&index.to_string());
        bob.set_shared_key(index, &key).unwrap();
        alice.set_key(index, key).unwrap();
        assert_eq!(alice.key_index(), index);
        frames.push(seal(&mut alice, &[index]));
    }
    for (index, (sealed, encryption)) in (0..).zip(&frames) {
        assert_eq!(bob.decrypt("alice", encryption, sealed), Ok(vec![index]));
    }
}

#[test]
fn an_index_outside_the_ring_changes_nothing() {
    let outside = Err(KeyError::OutsideRing { index: 16, slots: 16 });
    let mut alice = sender("alice", &key("0"));
    assert_eq!(alice.set_key(16, key("16")), outside);
    assert_eq!(alice.key_index(), 0);
    let mut bob = receiver(&key("0"), window(0));
    assert_eq!(bob.set_shared_key(16, &key("16")), outside);
    assert_eq!(bob.set_key("alice", 16, key("16")), outside);
    // Naming a key of her own is not to take the shared one from her.
    let (sealed, encryption) = seal(&mut alice, b"hi");
    assert_eq!(bob.decrypt("alice", &encryption, &sealed).as_deref(), Ok(&b"hi"[..]));
}

#[test]
fn a_sender_returns_to_a_key_it_has_and_to_no_other() {
    let mut alice = sender("alice", &key("0"));
    alice.set_key(3, key("3")).unwrap();
    alice.use_key(0).unwrap();
    assert_eq!(seal(&mut alice, b"hi").1.key_index, 0);
    assert_eq!(alice.use_key(1), Err(KeyError::NoKey { index: 1 }));
    assert_eq!(alice.key_index(), 0);
}

#[test]
fn a_participants_own_keys_come_before_the_shared_one() {
    let mut bob = receiver(&key("shared"), window(0));
    bob.set_key("alice", 0, key("hers")).unwrap();
    let (sealed, encryption) = seal(&mut sender("alice", &key("shared")), b"hi");
    assert_eq!(bob.decrypt("alice", &encryption, &sealed), Err(CipherError::WrongKey { key_index: 0 }));
    bob.forget("alice");
    assert_eq!(bob.decrypt("alice", &encryption, &sealed).as_deref(), Ok(&b"hi"[..]));
}

#[test]
fn no_initialisation_vector_is_used_twice_whatever_becomes_of_keys() {
    let mut alice = sender("alice", &key("0"));
    let mut seen = HashSet::new();
    for round in 0_u8..40 {
        for _ in 0..500 {
            assert!(seen.insert(seal(&mut alice, b"").1.iv));
        }
        match round % 3 {
            0 => alice.set_key(round % 16, key("0")).unwrap(),
            1 => alice.use_key(0).unwrap(),
            _ => drop(alice.ratchet(0).unwrap()),
        }
    }
}

#[test]
fn participants_with_one_key_use_different_initialisation_vectors() {
    let key = key("shared");
    let mut seen = HashSet::new();
    for participant in 0_u8..=255 {
        // The last two have the same seed by mistake, and other names.
        let seed = IvSeed::new([participant.min(254); 32]);
        let mut sender = FrameEncryptor::new(&format!("p{participant}"), &seed, &KeyOptions::default());
        sender.set_key(0, key.clone()).unwrap();
        for _ in 0..20 {
            assert!(seen.insert(seal(&mut sender, b"").1.iv), "participant {participant}");
        }
    }
}
