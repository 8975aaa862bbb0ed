//! Tokens under mutation: never a panic, never accepted, never echoed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fastrand::Rng;
use trackyard_auth::{Keys, NamePatterns, Token, TrackNames, VerifyError};

const NOW: u64 = 1_800_000_000;
const SEED: u64 = 0x746f_6b65_6e73;
const INPUTS: u32 = 800_000;

fn keys() -> Keys {
    Keys::parse("devkey: secret").unwrap()
}

fn valid_token() -> String {
    let publish_tracks = Some(NamePatterns::new(["cam/**"]).unwrap());
    let names = TrackNames { publish_tracks, subscribe_tracks: None };
    let token = Token::new("robot-1").room("yard").attribute("a", "b").track_names(names);
    token.to_jwt("devkey", "secret", NOW).unwrap()
}

/// Damages the text of a token.
fn mutate_text(rng: &mut Rng, token: &mut Vec<u8>) {
    for _ in 0..rng.usize(1..4) {
        let at = rng.usize(0..token.len());
        match rng.u8(0..6) {
            0 => token.truncate(at.max(1)),
            1 => token.insert(at, b'.'),
            2 => drop(token.splice(at..at, [b'='; 3])),
            3 => token[at] = rng.u8(b' '..127),
            4 => token[at] = *rng.choice(b".-_+/=AZaz09").unwrap(),
            _ => token.rotate_left(at),
        }
    }
}

/// Damages header or payload under their encoding, and encodes them again.
fn mutate_inside(rng: &mut Rng, token: &str) -> String {
    let mut parts: Vec<Vec<u8>> =
        token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
    let part = &mut parts[rng.usize(0..2)];
    for _ in 0..rng.usize(1..4) {
        let at = rng.usize(0..part.len());
        part[at] = match rng.u8(0..8) {
            0 => *rng.choice(b"{}[]\":,0-\\").unwrap(),
            1 => rng.u8(..),
            _ => rng.u8(b'a'..=b'z'),
        };
    }
    parts.iter().map(|part| URL_SAFE_NO_PAD.encode(part)).collect::<Vec<_>>().join(".")
}

#[test]
fn mutated_tokens_are_refused_and_never_echoed() {
    eprintln!("seed {SEED:#x}");
    let mut rng = Rng::with_seed(SEED);
    let keys = keys();
    let valid = valid_token();
    let (mut unparsable, mut unsigned) = (0, 0);
    for _ in 0..INPUTS {
        let token = if rng.bool() {
            mutate_inside(&mut rng, &valid)
        } else {
            let mut text = valid.clone().into_bytes();
            mutate_text(&mut rng, &mut text);
            String::from_utf8(text).unwrap()
        };
        if token == valid {
            continue;
        }
        let error = keys.verify(&token, NOW).expect_err(&token);
        assert!(token.len() < 16 || !error.to_string().contains(&token), "{error}");
        unparsable += u32::from(error == VerifyError::Unparsable);
        unsigned += u32::from(error == VerifyError::BadSignature);
    }
    // Both must be well covered for the run to mean anything.
    assert!(unparsable > INPUTS / 10 && unsigned > INPUTS / 20, "{unparsable} {unsigned}");
}

/// Well-signed nonsense: what a key's owner may send by mistake.
#[test]
fn mutated_claims_never_harm() {
    eprintln!("seed {SEED:#x}");
    let mut rng = Rng::with_seed(SEED);
    let golden = r#"{"iss":"devkey","exp":1800000000,"sub":"a","kind":"agent","attributes":{"a":"b"},
        "roomConfig":{"emptyTimeout":"6"},"video":{"roomJoin":true,"canPublishSources":["camera"]},
        "trackyard":{"publishTracks":["cam/{a,b}/[a-z]*/**"]},"other":[1.5e3,null]}"#;
    let keys = keys();
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..30_000 {
        let mut claims = golden.as_bytes().to_vec();
        for _ in 0..rng.usize(1..4) {
            let at = rng.usize(0..claims.len());
            claims[at] = *rng.choice(b"{}[]\":,0-9e.\\*/a ").unwrap();
        }
        let Ok(claims) = serde_json::from_slice::<serde_json::Value>(&claims) else { continue };
        let key = jsonwebtoken::EncodingKey::from_secret(b"secret");
        let token = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap();
        match keys.verify(&token, NOW) {
            Ok(verified) => {
                accepted += 1;
                let again = keys.refresh(&verified.claims, NOW, NOW).unwrap();
                assert_eq!(keys.verify(&again, NOW).unwrap().claims, verified.claims, "{claims}");
            }
            Err(_) => refused += 1,
        }
    }
    assert!(accepted > 500 && refused > 500, "{accepted} accepted, {refused} refused");
}

#[test]
fn arbitrary_text_never_harms() {
    eprintln!("seed {SEED:#x}");
    let mut rng = Rng::with_seed(SEED);
    let keys = keys();
    for _ in 0..200_000 {
        let text: String =
            (0..rng.usize(0..60)).map(|_| if rng.u8(..) < 30 { '.' } else { rng.char(..) }).collect();
        assert_eq!(keys.verify(&text, NOW), Err(VerifyError::Unparsable), "{text:?}");
    }
}
