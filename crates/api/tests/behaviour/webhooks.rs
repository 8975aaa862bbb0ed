//! Whom the receiver believes.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::post;
use tower::ServiceExt;
use trackyard_api::{Keys, VerifyError, Webhook, WebhookError, WebhookKind, WebhookReceiver};
use trackyard_auth::Token;
use trackyard_proto::limits;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const NOW: u64 = 1_700_000_000;
const BODY: &[u8] =
    br#"{"event":"room_started","room":{"name":"yard"},"id":"EV_x","createdAt":"1700000000"}"#;
/// Base64 of the SHA-256 of `BODY`.
const DIGEST: &str = "l8euQg5pTFQFqxsl4pkbJj3FVivlAYOrAFWZbHpmHO0=";

fn token() -> Token {
    Token::new("").sha256(DIGEST).validity(Duration::from_secs(300))
}

fn signed(token: &Token, secret: &str, at: u64) -> String {
    token.to_jwt("key", secret, at).unwrap()
}

fn receiver() -> WebhookReceiver {
    WebhookReceiver::new("key", SECRET).unwrap()
}

fn refused(body: &[u8], authorization: &str) -> WebhookError {
    receiver().verify_at(body, authorization, NOW).unwrap_err()
}

#[test]
fn a_signed_event_is_read() {
    let event = receiver().verify_at(BODY, &signed(&token(), SECRET, NOW), NOW).unwrap();
    assert_eq!((event.kind, event.id.as_str()), (WebhookKind::RoomStarted, "EV_x"));
    assert_eq!(event.room.unwrap().name, "yard");
    let keys = Keys::new([("other", "x"), ("key", SECRET)]).unwrap();
    let receiver = WebhookReceiver::with_keys(keys);
    assert!(receiver.verify_at(BODY, &signed(&token(), SECRET, NOW), NOW + 300).is_ok());
}

#[test]
fn tokens_that_prove_nothing_are_refused() {
    assert!(matches!(refused(BODY, ""), WebhookError::NoToken));
    let check = |authorization: &str, expected: VerifyError| {
        let error = refused(BODY, authorization);
        assert!(matches!(&error, WebhookError::Token(actual) if *actual == expected), "{error:?}");
    };
    check("nonsense", VerifyError::Unparsable);
    check(&format!("Bearer {}", signed(&token(), SECRET, NOW)), VerifyError::Unparsable);
    check(&signed(&token(), "another", NOW), VerifyError::BadSignature);
    check(&signed(&token(), SECRET, NOW - 1_000), VerifyError::Expired);
    check(&signed(&token(), SECRET, NOW + 1_000), VerifyError::NotYetValid);
    let other = token().to_jwt("other", SECRET, NOW).unwrap();
    check(&other, VerifyError::UnknownKey { issuer: "other".into() });
}

#[test]
fn a_token_is_for_one_body() {
    let authorization = signed(&token(), SECRET, NOW);
    let mut changed = BODY.to_vec();
    changed[60] ^= 1;
    for body in [&changed, &BODY[..BODY.len() - 1], &[BODY, b" "].concat(), &b""[..]] {
        assert!(matches!(refused(body, &authorization), WebhookError::WrongDigest));
    }
    // A token that lets a client in proves nothing about a body.
    let client = signed(&Token::new("ada").room("yard"), SECRET, NOW);
    assert!(matches!(refused(BODY, &client), WebhookError::NoDigest));
    for digest in [&DIGEST[1..], "x", &DIGEST.to_lowercase()] {
        let authorization = signed(&token().sha256(digest), SECRET, NOW);
        assert!(matches!(refused(BODY, &authorization), WebhookError::WrongDigest));
    }
}

#[test]
fn what_is_signed_and_no_event_is_refused_too() {
    let empty = signed(&token().sha256("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="), SECRET, NOW);
    assert!(matches!(refused(b"", &empty), WebhookError::Event(_)));
    let large = vec![b' '; limits::WEBHOOK_BYTES + 1];
    assert!(matches!(refused(&large, &empty), WebhookError::TooLarge));
}

#[test]
fn no_hostile_input_panics() {
    let authorization = signed(&token(), SECRET, NOW);
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..2_000 {
        let mut bytes = authorization.clone().into_bytes();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..bytes.len());
            bytes[at] = random.u8(32..127);
        }
        let mutated = String::from_utf8(bytes).unwrap();
        if mutated != authorization {
            let unharmed = receiver().verify_at(BODY, &mutated, NOW);
            // The last letter of a signature has bits that nobody reads.
            assert!(unharmed.is_err() || mutated[..mutated.len() - 1] == authorization[..mutated.len() - 1]);
        }
    }
}

async fn answer(request: Request<Body>) -> StatusCode {
    async fn told(Webhook(event): Webhook) -> &'static str {
        assert_eq!(event.kind, WebhookKind::RoomStarted);
        "thanks"
    }
    let app: Router = Router::new().route("/hook", post(told)).with_state(receiver());
    app.oneshot(request).await.unwrap().status()
}

fn request(authorization: Option<String>, body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::post("/hook");
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    request.header("content-type", "application/webhook+json").body(body.into()).unwrap()
}

#[tokio::test]
async fn handlers_get_events_and_nothing_else() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let good = || Some(signed(&token(), SECRET, now));
    assert_eq!(answer(request(good(), BODY)).await, StatusCode::OK);
    assert_eq!(answer(request(good(), &BODY[1..])).await, StatusCode::UNAUTHORIZED);
    assert_eq!(answer(request(None, BODY)).await, StatusCode::UNAUTHORIZED);
    let large = vec![b' '; limits::WEBHOOK_BYTES + 1];
    assert_eq!(answer(request(good(), large)).await, StatusCode::PAYLOAD_TOO_LARGE);
    let empty = token().sha256("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    assert_eq!(answer(request(Some(signed(&empty, SECRET, now)), "")).await, StatusCode::BAD_REQUEST);
}
