//! What official clients seal is opened, and what is sealed here is what they would have sent.

use std::collections::BTreeSet;

use trackyard_track::e2ee::{FrameDecryptor, Key, KeyOptions, Secret};
use trackyard_track::{CipherError, Decryptor};
use trackyard_wire::{Packetizer, SourceFrame};

use crate::vectors::{Expected, Vector, all, header, reassembled};

/// Packets of official clients (protocol §5.5).
const PACKET_BYTES_MAX: usize = 16_000;

fn decryptor(vector: &Vector, secret: &Secret) -> FrameDecryptor {
    let options = vector.options();
    let key = Key::derive(secret, &options).unwrap();
    let mut decryptor = FrameDecryptor::new(options);
    if vector.shared {
        decryptor.set_shared_key(vector.index, &key).unwrap();
    } else {
        decryptor.set_key(&vector.identity, vector.index, key).unwrap();
    }
    decryptor
}

fn ratchet(decryptor: &mut FrameDecryptor, vector: &Vector) -> Secret {
    if vector.shared {
        decryptor.ratchet_shared(vector.index).unwrap()
    } else {
        decryptor.ratchet(&vector.identity, vector.index).unwrap()
    }
}

fn check(decryptor: &mut FrameDecryptor, vector: &Vector) {
    for Expected { plaintext, packets } in vector.frames() {
        let whole = reassembled(&packets);
        let encryption = whole.extensions.encryption.expect("an encrypted frame has the extension");
        assert_eq!(encryption.key_index, vector.index, "{}", vector.name);
        let opened = decryptor.decrypt(&vector.identity, &encryption, &whole.payload);
        assert!(opened == Ok(plaintext), "{} of {}", vector.name, vector.client);
        assert_eq!(whole.extensions.user_timestamp, vector.user_timestamp, "{}", vector.name);
    }
}

#[test]
fn frames_of_official_clients_are_opened() {
    for vector in all() {
        let mut decryptor = decryptor(&vector, &vector.secret());
        for _ in 0..vector.ratchets {
            ratchet(&mut decryptor, &vector);
        }
        check(&mut decryptor, &vector);
        assert_eq!(decryptor.stats().ratcheted, 0, "{}", vector.name);
    }
}

#[test]
fn a_ratchet_of_an_official_client_is_followed() {
    for vector in all().into_iter().filter(|vector| vector.ratchets > 0) {
        let mut decryptor = decryptor(&vector, &vector.secret());
        check(&mut decryptor, &vector);
        // The first frame moves the key on, and the next ones find it there.
        assert_eq!(decryptor.stats().ratcheted, 1, "{}", vector.name);
    }
}

#[test]
fn a_frame_sealed_anew_is_the_same_bytes() {
    for vector in all() {
        let mut key = Key::derive(&vector.secret(), &vector.options()).unwrap();
        for _ in 0..vector.ratchets {
            key = key.ratcheted().unwrap();
        }
        for Expected { plaintext, packets } in vector.frames() {
            assert!(repacked(&key, &plaintext, &packets) == packets, "{} of {}", vector.name, vector.client);
        }
    }
}

/// Seals the plaintext as the packets say, and packs it as they are.
fn repacked(key: &Key, plaintext: &[u8], packets: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let first = header(&packets[0]);
    let extensions = first.extensions(&packets[0]);
    let payload = key.seal(extensions.encryption.unwrap().iv, plaintext).unwrap();
    let mut packetizer =
        Packetizer::new(first.handle, PACKET_BYTES_MAX).unwrap().starting_at(first.sequence, first.frame);
    let frame = SourceFrame { payload: &payload, extensions, timestamp: first.timestamp };
    packetizer.packetize(frame).unwrap().collect()
}

#[test]
fn the_exported_secret_goes_on_with_the_chain() {
    for vector in all().into_iter().filter(|vector| vector.ratchets > 0) {
        let mut before = decryptor(&vector, &vector.secret());
        let secret = (0..vector.ratchets).map(|_| ratchet(&mut before, &vector)).last().unwrap();
        check(&mut decryptor(&vector, &secret), &vector);
    }
}

#[test]
fn another_secret_opens_no_frame() {
    for vector in all() {
        let mut decryptor = decryptor(&vector, &Secret::raw("another").unwrap());
        for Expected { packets, .. } in vector.frames() {
            let whole = reassembled(&packets);
            let encryption = whole.extensions.encryption.unwrap();
            let refused = decryptor.decrypt(&vector.identity, &encryption, &whole.payload);
            let expected = CipherError::WrongKey { key_index: vector.index };
            assert_eq!(refused, Err(expected), "{}", vector.name);
        }
    }
}

#[test]
fn a_participants_own_key_is_nobody_elses() {
    for vector in all().into_iter().filter(|vector| !vector.shared) {
        let mut decryptor = decryptor(&vector, &vector.secret());
        for Expected { packets, .. } in vector.frames() {
            let whole = reassembled(&packets);
            let encryption = whole.extensions.encryption.unwrap();
            let refused = decryptor.decrypt("mallory", &encryption, &whole.payload);
            assert_eq!(refused, Err(CipherError::NoKey { key_index: vector.index }), "{}", vector.name);
        }
    }
}

/// Chain secrets that `ratchet_shared_key` and `ratchet_key` of `livekit` 1.2.0 for Python gave.
#[test]
fn the_chain_is_that_of_native_clients() {
    let options = KeyOptions::default();
    let passphrase = Secret::passphrase("correct horse battery staple").unwrap();
    let raw = Secret::raw((0..32).collect::<Vec<u8>>()).unwrap();
    let once = Key::derive(&passphrase, &options).unwrap().ratcheted().unwrap();
    let twice = once.ratcheted().unwrap();
    let other = Key::derive(&raw, &options).unwrap().ratcheted().unwrap();
    let cases = [
        (once, "dee9745ab873685c2579655a7296d1a47c2d34c778b87d179c4d30df09c7049d"),
        (twice, "3084c5d31aeec5af1578fe034b3801f376591481b4f7c7fd12251499d2a4e1b7"),
        (other, "6d0dd7b3d6f4efde47ab9a9e15abde7635c45a13bddf5da15eed01f40178d328"),
    ];
    for (key, chain) in cases {
        let hex: String = key.secret().expose().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, chain);
    }
}

#[test]
fn the_vectors_cover_what_official_clients_offer() {
    let names: BTreeSet<String> =
        all().iter().map(|vector| format!("{} {}", vector.client, vector.name)).collect();
    for client in ["livekit-client 2.23.0", "livekit 1.2.0"] {
        for case in ["shared-passphrase", "shared-raw", "participant", "shared-ratcheted-once"] {
            assert!(names.contains(&format!("{client} {case}")), "{client} {case}");
        }
        let sizes: BTreeSet<(usize, usize)> = all()
            .iter()
            .filter(|vector| vector.client == client)
            .flat_map(|vector| vector.frames().collect::<Vec<_>>())
            .map(|frame| (frame.plaintext.len(), frame.packets.len()))
            .collect();
        assert_eq!(sizes, BTreeSet::from([(1, 1), (1_000, 1), (40_000, 3)]), "{client}");
    }
    assert!(all().iter().any(|vector| vector.index > 0 && vector.shared));
    assert!(all().iter().any(|vector| vector.index > 0 && !vector.shared));
}
