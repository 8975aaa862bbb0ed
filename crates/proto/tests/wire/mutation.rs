//! Decoders of outside bytes under mutation: they answer, whatever comes, and what they accept can
//! be written again in both encodings.

use fastrand::Rng;
use prost::Message as _;
use trackyard_proto::join::{JoinQuery, JoinRequest};
use trackyard_proto::signal::{SignalTarget, Trickle};
use trackyard_proto::{Encoding, Outbound, Request, Response};

use crate::join::{gzip, wrap};
use crate::samples;

const INPUTS: usize = 200_000;

/// Changes a sample in one to six places.
pub(crate) fn mutated(corpus: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = corpus[rng.usize(..corpus.len())].clone();
    for _ in 0..rng.usize(1..=6) {
        mutate(&mut bytes, corpus, rng);
    }
    bytes
}

fn mutate(bytes: &mut Vec<u8>, corpus: &[Vec<u8>], rng: &mut Rng) {
    let at = rng.usize(..=bytes.len());
    match rng.u8(..8) {
        0 => bytes.truncate(at),
        1 => bytes.insert(at, rng.u8(..)),
        2 if at < bytes.len() => drop(bytes.remove(at)),
        3 if at < bytes.len() => bytes[at] ^= 1 << rng.u8(..8),
        4 if at < bytes.len() => {
            bytes[at] = *rng.choice(&[0, 1, 0x7f, 0x80, 0xff, b'"', b'{', b'9']).unwrap()
        }
        5 => bytes.extend_from_within(at..),
        6 => {
            let other = &corpus[rng.usize(..corpus.len())];
            let from = rng.usize(..=other.len());
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
        _ if at < bytes.len() => bytes[at] = rng.u8(..),
        _ => {}
    }
    bytes.truncate(16 * 1024);
}

fn encoding(rng: &mut Rng) -> Encoding {
    *rng.choice(&[Encoding::Binary, Encoding::Json]).unwrap()
}

/// Runs `accepts` on mutations of a corpus per encoding; some must be accepted and some refused, or
/// the corpus tests nothing.
fn run(corpus: impl Fn(Encoding) -> Vec<Vec<u8>>, accepts: impl Fn(&[u8], Encoding) -> bool) {
    let mut rng = Rng::with_seed(0x7ac4);
    let (binary, json) = (corpus(Encoding::Binary), corpus(Encoding::Json));
    let mut accepted = 0;
    for _ in 0..INPUTS {
        let encoding = encoding(&mut rng);
        let corpus = if encoding == Encoding::Binary { &binary } else { &json };
        accepted += usize::from(accepts(&mutated(corpus, &mut rng), encoding));
    }
    assert!((INPUTS / 100..INPUTS - INPUTS / 100).contains(&accepted), "{accepted} of {INPUTS} accepted");
}

#[test]
fn requests() {
    let accepts = |frame: &[u8], encoding| {
        let Ok(Some(request)) = Request::decode(frame, encoding) else { return false };
        if matches!(request, Request::Other(_)) {
            return true;
        }
        for encoding in [Encoding::Binary, Encoding::Json] {
            let again = Request::decode(&request.encode(encoding), encoding).unwrap().unwrap();
            let third = Request::decode(&again.encode(encoding), encoding).unwrap().unwrap();
            assert_eq!(again, third);
        }
        true
    };
    let corpus =
        |encoding| samples::requests().iter().map(|request| request.encode(encoding).to_vec()).collect();
    run(corpus, accepts);
}

#[test]
fn responses() {
    let accepts = |frame: &[u8], encoding| {
        let Ok(Some(response)) = Response::decode(frame, encoding) else { return false };
        if matches!(response, Response::Other(_)) {
            return true;
        }
        let outbound = Outbound::new(response);
        let binary = Response::decode(&outbound.encode(Encoding::Binary), Encoding::Binary).unwrap();
        assert_eq!(binary.as_ref(), Some(outbound.response()));
        let json = Response::decode(&outbound.encode(Encoding::Json), Encoding::Json).unwrap();
        assert!(json.is_some());
        true
    };
    let corpus = |encoding| {
        let frame = |response| Outbound::new(response).encode(encoding).to_vec();
        samples::responses().into_iter().map(frame).collect()
    };
    run(corpus, accepts);
}

#[test]
fn join_requests() {
    let mut rng = Rng::with_seed(0x7ac5);
    let request = samples::join_request();
    let parameters = [request.encode_wrapped(false), request.encode_wrapped(true)];
    let parameters = parameters.map(String::into_bytes);
    let plain = [livekit_protocol::JoinRequest {
        metadata: "m".to_owned(),
        add_track_requests: vec![Default::default()],
        sync_state: Some(Default::default()),
        ..Default::default()
    }
    .encode_to_vec()];
    let zipped = [gzip(&plain[0])];
    let mut accepted = 0;
    for number in 0..INPUTS {
        // The parameter itself, the request within, and what claims to be gzip.
        let parameter = match number % 3 {
            0 => String::from_utf8_lossy(&mutated(&parameters, &mut rng)).into_owned(),
            1 => wrap(0, mutated(&plain, &mut rng)),
            _ => wrap(1, mutated(&zipped, &mut rng)),
        };
        if let Ok(request) = JoinRequest::decode_wrapped(&parameter) {
            assert_eq!(JoinRequest::decode_wrapped(&request.encode_wrapped(false)).unwrap(), request);
            accepted += 1;
        }
    }
    assert!((INPUTS / 100..INPUTS).contains(&accepted), "{accepted} of {INPUTS} accepted");
}

#[test]
fn candidates() {
    let mut rng = Rng::with_seed(0x7ac6);
    let corpus: Vec<Vec<u8>> = [
        samples::trickle().candidate_init,
        r#"{"candidate":"","sdpMid":null}"#.to_owned(),
        r#"{"sdpMLineIndex":0,"candidate":null,"usernameFragment":"abc"}"#.to_owned(),
    ]
    .map(String::into_bytes)
    .into();
    let mut accepted = 0;
    for _ in 0..INPUTS {
        let candidate_init = String::from_utf8_lossy(&mutated(&corpus, &mut rng)).into_owned();
        let trickle = Trickle { candidate_init, target: SignalTarget::Publisher, last: false };
        accepted += usize::from(trickle.candidate().is_ok());
    }
    assert!((INPUTS / 100..INPUTS).contains(&accepted), "{accepted} of {INPUTS} accepted");
}

#[test]
fn queries() {
    let mut rng = Rng::with_seed(0x7ac7);
    let corpus = [b"reconnect=1&sid=PA_abc&sdk=python&protocol=17&client_protocol=2&auto_subscribe=1\
        &capabilities=CAP_PACKET_TRAILER,CAP_COMPRESSION_DEFLATE_RAW&publish=x\
        &attributes=eyJyb2xlIjoiYXJtIn0="
        .to_vec()];
    let mut valid = 0;
    for _ in 0..INPUTS {
        let text = String::from_utf8_lossy(&mutated(&corpus, &mut rng)).into_owned();
        let query = JoinQuery::parse(text.split('&').filter_map(|pair| pair.split_once('=')));
        let request = query.request.clone();
        if query.strict().is_ok() {
            assert_eq!(JoinRequest::decode_wrapped(&request.encode_wrapped(false)).unwrap(), request);
            valid += 1;
        }
    }
    assert!((INPUTS / 100..INPUTS).contains(&valid), "{valid} of {INPUTS} valid");
}
