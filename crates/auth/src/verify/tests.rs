//! Every reason for which a token is refused (protocol §1.2), and tokens of others.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::{TOKEN_BYTES_MAX, VerifyError};
use crate::{Keys, ParticipantKind, Token, VideoGrant};

const NOW: u64 = 1_800_000_000;
const SECRET: &str = "secret";

/// Minted by the official Python server SDK (livekit-api 1.2.2), valid from 2026 to 2100.
const OFFICIAL: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJuYW1lIjoiUm9ib3QgT25lIiwia2luZCI6ImFnZW50IiwibWV0YWRhdGEiOiJ7XCJhcm1cIjoyfSIsInZpZGVvIjp7InJvb21Kb2luIjp0cnVlLCJyb29tIjoieWFyZCIsImNhblB1Ymxpc2giOmZhbHNlLCJjYW5TdWJzY3JpYmUiOnRydWUsImNhblB1Ymxpc2hEYXRhIjp0cnVlLCJjYW5QdWJsaXNoU291cmNlcyI6WyJjYW1lcmEiXSwiaGlkZGVuIjp0cnVlfSwic2lwIjp7ImFkbWluIjpmYWxzZSwiY2FsbCI6dHJ1ZX0sImF0dHJpYnV0ZXMiOnsic2l0ZSI6InlhcmQifSwicm9vbUNvbmZpZyI6eyJuYW1lIjoicHJlc2V0IiwiZW1wdHlUaW1lb3V0Ijo2MCwiZGVwYXJ0dXJlVGltZW91dCI6NSwibWF4UGFydGljaXBhbnRzIjo5LCJtZXRhZGF0YSI6Im0ifSwic3ViIjoicm9ib3QtMSIsImlzcyI6IkFQSWRpZmZlcmVudGlhbCIsIm5iZiI6MTc5NTIzODY2NCwiZXhwIjo0MTI4MDM4NjY0fQ.untqJlLzHrFhiYaCH4kqEGfdgNl7L_1Ba-e2pWkI6e8";

fn keys() -> Keys {
    Keys::parse("devkey: secret\nother: hunter2").unwrap()
}

/// A token as someone else's library writes it.
fn token(claims: &Value) -> String {
    token_with(&Header::new(Algorithm::HS256), claims)
}

fn token_with(header: &Header, claims: &Value) -> String {
    crate::crypto::ensure_backend();
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    jsonwebtoken::encode(header, claims, &key).unwrap()
}

fn unsigned(header: &str, payload: &str) -> String {
    format!("{}.{}.AAAA", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
}

#[track_caller]
fn check_refused(token: &str, error: &VerifyError) {
    assert_eq!(keys().verify(token, NOW).as_ref().unwrap_err(), error, "{token:.200}");
}

/// `claims` in addition to the issuer.
#[track_caller]
fn check_times(claims: &Value, refused: Option<&VerifyError>) {
    let mut all = json!({"iss": "devkey"});
    all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    assert_eq!(keys().verify(&token(&all), NOW).as_ref().err(), refused, "{all}");
}

#[test]
fn a_token_of_an_official_sdk_is_read() {
    let keys = Keys::parse("APIdifferential: a-secret-of-at-least-thirty-two-bytes!").unwrap();
    let verified = keys.verify(OFFICIAL, NOW).unwrap();
    assert_eq!(verified.api_key, "APIdifferential");
    assert_eq!(verified.expires_at_unix_s, 4_128_038_664);
    let claims = verified.claims;
    assert_eq!((claims.identity.as_str(), claims.name.as_str()), ("robot-1", "Robot One"));
    assert_eq!(claims.kind, ParticipantKind::Agent);
    assert_eq!(claims.metadata, r#"{"arm":2}"#);
    assert_eq!(claims.attributes["site"], "yard");
    let expected = VideoGrant {
        can_publish: Some(false),
        can_subscribe: Some(true),
        can_publish_data: Some(true),
        can_publish_sources: vec!["camera".to_owned()],
        hidden: true,
        ..VideoGrant::join("yard")
    };
    assert_eq!(claims.video, Some(expected));
    let config = claims.room_config.unwrap();
    assert_eq!((config.name(), config.metadata()), ("preset", "m"));
    assert_eq!((config.empty_timeout_s(), config.departure_timeout_s()), (Some(60), Some(5)));
    assert_eq!(config.participants_max(), Some(9));
    assert_eq!(claims.other["sip"], json!({"admin": false, "call": true}));
}

#[test]
fn a_header_without_type_is_read() {
    let header = Header { typ: None, ..Header::new(Algorithm::HS256) };
    let token = token_with(&header, &json!({"iss": "devkey", "exp": NOW, "sub": "me"}));
    assert_eq!(keys().verify(&token, NOW).unwrap().claims.identity, "me");
}

#[test]
fn every_configured_key_verifies() {
    let token = Token::new("me").to_jwt("other", "hunter2", NOW).unwrap();
    assert_eq!(keys().verify(&token, NOW).unwrap().api_key, "other");
}

#[test]
fn what_is_no_jwt_is_unparsable() {
    let valid = Token::new("me").to_jwt("devkey", SECRET, NOW).unwrap();
    let (header, rest) = valid.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    for broken in [
        "",
        ".",
        "..",
        "...",
        "garbage",
        "a.b.c",
        header,
        &format!("{header}.{payload}"),
        &format!("{valid}.x"),
        &format!("{header}.{payload}=.{signature}"),
        &format!("{header}.é.{signature}"),
        &format!(" {valid}"),
        &unsigned(r#"{"alg":"HS256"}"#, "[]"),
        &unsigned(r#"{"alg":"HS256"}"#, "{"),
        &unsigned(r#"{"alg":"HS256"}"#, r#"{"iss":7}"#),
        &unsigned("[]", "{}"),
        &unsigned(r#"{"alg":"HS256"}"#, &"[".repeat(100_000)),
    ] {
        check_refused(broken, &VerifyError::Unparsable);
    }
    check_refused(&"a".repeat(TOKEN_BYTES_MAX + 1), &VerifyError::Unparsable);
}

#[test]
fn only_hs256_is_taken() {
    let claims = json!({"iss": "devkey", "exp": NOW});
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        let signed = token_with(&Header::new(algorithm), &claims);
        check_refused(&signed, &VerifyError::Unparsable);
    }
    for algorithm in ["none", "None", "RS256", "ES256", "hs256", ""] {
        let header = json!({ "alg": algorithm }).to_string();
        check_refused(&unsigned(&header, &claims.to_string()), &VerifyError::Unparsable);
    }
    check_refused(&unsigned("{}", &claims.to_string()), &VerifyError::Unparsable);
}

#[test]
fn a_critical_header_is_not_passed_over() {
    let header = Header { crit: Some(vec!["b64".to_owned()]), ..Header::new(Algorithm::HS256) };
    let token = token_with(&header, &json!({"iss": "devkey", "exp": NOW}));
    check_refused(&token, &VerifyError::Unparsable);
}

#[test]
fn an_unknown_issuer_is_named() {
    let error = |issuer: &str| VerifyError::UnknownKey { issuer: issuer.to_owned() };
    check_refused(&token(&json!({"iss": "nobody", "exp": NOW})), &error("nobody"));
    check_refused(&token(&json!({"exp": NOW})), &error(""));
    assert_eq!(error("nobody").to_string(), "invalid API key: nobody");
    let long = "é".repeat(1_000);
    check_refused(&token(&json!({"iss": long})), &error(&"é".repeat(128)));
    let odd = format!("x{long}");
    check_refused(&token(&json!({"iss": odd})), &error(&format!("x{}", "é".repeat(127))));
}

#[test]
fn a_wrong_signature_is_refused() {
    let forged = Token::new("me").to_jwt("devkey", "guess", NOW).unwrap();
    check_refused(&forged, &VerifyError::BadSignature);
    let others = Token::new("me").to_jwt("devkey", "hunter2", NOW).unwrap();
    check_refused(&others, &VerifyError::BadSignature);
    let valid = Token::new("me").to_jwt("devkey", SECRET, NOW).unwrap();
    let (message, _) = valid.rsplit_once('.').unwrap();
    check_refused(&format!("{message}."), &VerifyError::BadSignature);
    check_refused(&format!("{message}.!!"), &VerifyError::BadSignature);
}

#[test]
fn an_expiry_is_required() {
    check_times(&json!({}), Some(&VerifyError::NoExpiry));
    check_times(&json!({"exp": null}), Some(&VerifyError::NoExpiry));
}

#[test]
fn expiry_and_start_have_60_s_of_leeway() {
    check_times(&json!({"exp": NOW + 1}), None);
    check_times(&json!({"exp": NOW - 60}), None);
    check_times(&json!({"exp": NOW - 61}), Some(&VerifyError::Expired));
    check_times(&json!({"exp": 0}), Some(&VerifyError::Expired));
    check_times(&json!({"exp": NOW, "nbf": NOW + 60}), None);
    check_times(&json!({"exp": NOW, "nbf": NOW + 61}), Some(&VerifyError::NotYetValid));
    check_times(&json!({"exp": NOW, "nbf": null}), None);
}

#[test]
fn dates_may_be_fractional_or_extreme() {
    check_times(&json!({"exp": 1_800_000_000.5}), None);
    check_times(&json!({"exp": 1e300}), None);
    check_times(&json!({"exp": u64::MAX}), None);
    check_times(&json!({"exp": -5}), Some(&VerifyError::Expired));
    check_times(&json!({"exp": -1e300}), Some(&VerifyError::Expired));
    check_times(&json!({"exp": NOW, "nbf": u64::MAX}), Some(&VerifyError::NotYetValid));
}

#[test]
fn claims_of_a_wrong_type_are_refused() {
    for claims in [
        json!({"exp": "soon"}),
        json!({"exp": NOW, "nbf": [1]}),
        json!({"exp": NOW, "sub": 7}),
        json!({"exp": NOW, "video": true}),
        json!({"exp": NOW, "video": {"roomJoin": "yes"}}),
        json!({"exp": NOW, "attributes": {"a": 1}}),
        json!({"exp": NOW, "roomConfig": {"emptyTimeout": -1}}),
        json!({"exp": NOW, "trackyard": {"publishTracks": ["["]}}),
    ] {
        check_times(&claims, Some(&VerifyError::BadClaims));
    }
}

#[test]
fn foreign_claims_are_no_obstacle() {
    check_times(&json!({"exp": NOW, "aud": 7, "iat": NOW + 1_000_000, "x": {"y": [1]}}), None);
}

#[test]
fn identity_falls_back_to_the_token_id() {
    let identity = |claims: Value| keys().verify(&token(&claims), NOW).unwrap().claims.identity;
    assert_eq!(identity(json!({"iss": "devkey", "exp": NOW, "jti": "old"})), "old");
    assert_eq!(identity(json!({"iss": "devkey", "exp": NOW, "jti": "old", "sub": ""})), "old");
    assert_eq!(identity(json!({"iss": "devkey", "exp": NOW, "jti": "old", "sub": "new"})), "new");
    assert_eq!(identity(json!({"iss": "devkey", "exp": NOW})), "");
}

#[test]
fn without_keys_every_issuer_is_unknown() {
    let token = Token::new("me").to_jwt("devkey", SECRET, NOW).unwrap();
    let refused = Keys::default().verify(&token, NOW).unwrap_err();
    assert_eq!(refused, VerifyError::UnknownKey { issuer: "devkey".to_owned() });
}
