//! Frames that official clients have sealed and packed; `vectors/README.md` says how they were made.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use trackyard_track::e2ee::{KeyBits, KeyOptions, Secret};
use trackyard_wire::{Header, Reassembler};

const FRAME_BYTES_MAX: usize = 1 << 20;

/// Everything one publisher has sent under one key.
#[derive(Debug, Deserialize)]
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) client: String,
    pub(crate) identity: String,
    key: Material,
    /// The key is everyone's, or the publisher's own.
    pub(crate) shared: bool,
    pub(crate) index: u8,
    key_bits: u16,
    salt: String,
    /// How often the key had been ratcheted.
    pub(crate) ratchets: u8,
    pub(crate) user_timestamp: Option<u64>,
    frames: Vec<Sent>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Material {
    Passphrase(String),
    Raw(String),
}

#[derive(Debug, Deserialize)]
struct Sent {
    plaintext_bytes: usize,
    packets: Vec<String>,
}

/// One frame as it arrived, and as it was pushed.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) plaintext: Vec<u8>,
    pub(crate) packets: Vec<Vec<u8>>,
}

/// All vectors.
pub(crate) fn all() -> Vec<Vector> {
    let files = [include_str!("vectors/javascript.json"), include_str!("vectors/python.json")];
    let parse = |text: &str| serde_json::from_str::<Vec<Vector>>(text).expect("a file of vectors");
    files.into_iter().flat_map(parse).collect()
}

impl Vector {
    pub(crate) fn secret(&self) -> Secret {
        match &self.key {
            Material::Passphrase(text) => Secret::passphrase(text).unwrap(),
            Material::Raw(text) => Secret::raw(STANDARD.decode(text).unwrap()).unwrap(),
        }
    }

    pub(crate) fn options(&self) -> KeyOptions {
        let key_bits = match self.key_bits {
            128 => KeyBits::Aes128,
            256 => KeyBits::Aes256,
            bits => panic!("{bits} bits are no size of a key"),
        };
        KeyOptions { salt: self.salt.clone().into(), key_bits, ..KeyOptions::default() }
    }

    pub(crate) fn frames(&self) -> impl Iterator<Item = Expected> {
        self.frames.iter().map(|sent| Expected {
            plaintext: pattern(sent.plaintext_bytes),
            packets: sent.packets.iter().map(|packet| STANDARD.decode(packet).unwrap()).collect(),
        })
    }
}

/// What was pushed into the official clients.
fn pattern(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| u8::try_from((at * 7 + bytes) % 256).unwrap()).collect()
}

/// The whole frame of these packets.
pub(crate) fn reassembled(packets: &[Vec<u8>]) -> trackyard_wire::Frame {
    let mut reassembler = Reassembler::new(FRAME_BYTES_MAX);
    let mut whole = packets.iter().filter_map(|packet| reassembler.push(packet).unwrap().frame);
    whole.next().expect("the packets make a frame")
}

/// The header of a packet of a vector.
pub(crate) fn header(packet: &[u8]) -> Header {
    Header::parse(packet).expect("official clients write headers that parse")
}
