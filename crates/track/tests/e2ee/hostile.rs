//! Whatever comes from outside is refused or opened, and never panics.

use trackyard_track::e2ee::{FrameDecryptor, KeyOptions};
use trackyard_track::{CipherError, Decryptor};
use trackyard_wire::Encryption;

use crate::vocabulary::{Sealed, key, seal, sender};

const INPUTS: u32 = 150_000;

struct Attack {
    random: fastrand::Rng,
    genuine: Vec<Sealed>,
}

impl Attack {
    fn bytes(&mut self, length: usize) -> Vec<u8> {
        std::iter::repeat_with(|| self.random.u8(..)).take(length).collect()
    }

    /// Noise, or a frame that was genuine and is not quite.
    fn frame(&mut self) -> Sealed {
        let Some((mut payload, mut encryption)) = self.random.choice(&self.genuine).cloned() else {
            unreachable!("there are genuine frames")
        };
        match self.random.u8(0..6) {
            0 => {
                let length = self.random.usize(0..200);
                let iv = std::array::from_fn(|_| self.random.u8(..));
                (payload, encryption) =
                    (self.bytes(length), Encryption { key_index: self.random.u8(..), iv });
            }
            1 => payload.truncate(self.random.usize(0..=payload.len())),
            2 => encryption.key_index = self.random.u8(..),
            3 => encryption.iv[self.random.usize(0..12)] ^= 1 << self.random.u8(0..8),
            4 => {
                let at = self.random.usize(0..payload.len());
                payload[at] = self.random.u8(..);
            }
            _ => {}
        }
        (payload, encryption)
    }
}

fn decryptor(failure_tolerance: Option<u32>) -> FrameDecryptor {
    let mut decryptor = FrameDecryptor::new(KeyOptions { failure_tolerance, ..KeyOptions::default() });
    decryptor.set_shared_key(0, &key("shared")).unwrap();
    decryptor.set_shared_key(15, &key("shared too")).unwrap();
    decryptor.set_key("p1", 0, key("hers")).unwrap();
    decryptor
}

#[test]
fn hostile_frames_are_refused_and_accounted_for() {
    let payloads: [&[u8]; 3] = [b"", b"x", &[5; 300]];
    let secrets = ["shared", "hers", "nobody's"];
    let genuine = secrets
        .iter()
        .flat_map(|secret| payloads.map(|payload| seal(&mut sender("alice", &key(secret)), payload)))
        .collect();
    let seed = 0x7261_7463_6865_7421;
    let mut attack = Attack { random: fastrand::Rng::with_seed(seed), genuine };
    for tolerance in [None, Some(1_000)] {
        let mut bob = decryptor(tolerance);
        let mut opened = 0;
        for _ in 0..INPUTS {
            let (payload, encryption) = attack.frame();
            let publisher = format!("p{}", attack.random.u16(0..3_000));
            match bob.decrypt(&publisher, &encryption, &payload) {
                Ok(clear) => {
                    assert!(payloads.contains(&clear.as_slice()));
                    opened += 1;
                }
                Err(error) => assert_ne!(error, CipherError::Refused),
            }
        }
        let stats = bob.stats();
        assert!(opened > 0);
        assert_eq!(stats.decrypted, opened);
        let total = stats.decrypted + stats.no_key + stats.wrong_key + stats.given_up;
        assert_eq!(total, u64::from(INPUTS), "seed {seed:#x}");
    }
}
