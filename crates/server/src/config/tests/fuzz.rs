//! No text makes loading panic, hang or grow without bound.

use proptest::prelude::*;

use super::*;

const SAMPLE: &str = include_str!("../../../../../deploy/config-sample.yaml");

/// What YAML is made of, and what keys and values look like.
const PIECES: [&str; 36] = [
    ": ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "\n",
    "\n  ",
    "\n    ",
    "&a ",
    "*a",
    "<<: ",
    "? ",
    "| ",
    ">-\n",
    "'",
    "\"",
    "#",
    "---\n",
    "...\n",
    "!!str ",
    "%YAML 1.2\n",
    "\t",
    "rtc",
    "udp_port",
    "keys",
    "data_tracks",
    "rules",
    "tracks",
    "1",
    "99999999999999999999",
    "-1",
    "1s",
    "\u{feff}",
    "é\0",
];

fn load_any(text: &str) {
    // Whatever comes of it, it comes.
    let _ = loaded(text);
}

#[test]
fn changed_samples_are_answered() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..4_000 {
        let mut bytes = SAMPLE.as_bytes().to_vec();
        for _ in 0..random.usize(1..6) {
            mutate(&mut bytes, &mut random);
        }
        load_any(&String::from_utf8_lossy(&bytes));
    }
}

fn mutate(bytes: &mut Vec<u8>, random: &mut fastrand::Rng) {
    if bytes.is_empty() {
        return;
    }
    let at = random.usize(..bytes.len());
    match random.u8(..5) {
        0 => bytes[at] = random.u8(..),
        1 => bytes.truncate(at),
        2 => drop(bytes.remove(at)),
        3 => drop(bytes.splice(at..at, PIECES[random.usize(..PIECES.len())].bytes())),
        _ => {
            let end = (at + random.usize(..200)).min(bytes.len());
            let piece = bytes[at..end].to_vec();
            let to = random.usize(..bytes.len());
            drop(bytes.splice(to..to, piece));
        }
    }
}

#[test]
fn deep_and_long_texts_are_answered() {
    for piece in PIECES {
        load_any(&piece.repeat(20_000));
        load_any(&format!("a: {}", piece.repeat(20_000)));
    }
    // Each anchor holds the one before, 25 levels deep in itself.
    let mut chain = String::from("a0: &a0 x\n");
    for level in 1..2_000 {
        chain.push_str(&format!("a{level}: &a{level} {}*a{}{}\n", "[".repeat(25), level - 1, "]".repeat(25)));
    }
    load_any(&chain);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3_000) })]

    #[test]
    fn made_up_texts_are_answered(pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..60)) {
        load_any(&pieces.concat());
    }

    #[test]
    fn any_text_is_answered(text in "\\PC*") {
        load_any(&text);
    }
}
