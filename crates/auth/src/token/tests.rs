//! What is minted and refreshed.

use std::time::Duration;

use serde_json::{Value, json};

use super::{SignError, Token};
use crate::{Claims, Keys, NamePatterns, ParticipantKind, RoomConfig, TrackNames, VideoGrant};

const NOW: u64 = 1_800_000_000;

fn keys() -> Keys {
    Keys::parse("devkey: secret\nother: hunter2").unwrap()
}

fn payload(jwt: &str) -> Value {
    jsonwebtoken::dangerous::insecure_decode_claims(jwt).unwrap()
}

fn room_config() -> RoomConfig {
    serde_json::from_value(json!({"emptyTimeout": 60, "agents": [{"agentName": "a"}]})).unwrap()
}

fn full_token() -> Token {
    let publish_tracks = Some(NamePatterns::new(["cam/**"]).unwrap());
    Token::new("robot-1")
        .name("Robot")
        .metadata("m")
        .attribute("site", "yard")
        .kind(ParticipantKind::Agent)
        .sha256("abc=")
        .room_config(room_config())
        .track_names(TrackNames { publish_tracks, subscribe_tracks: None })
        .grant(VideoGrant { can_publish: Some(false), ..VideoGrant::join("yard") })
}

#[test]
fn golden_claims_are_minted() {
    let jwt = full_token().to_jwt("devkey", "secret", NOW).unwrap();
    let golden = json!({
        "iss": "devkey", "sub": "robot-1", "nbf": NOW, "iat": NOW, "exp": NOW + 6 * 3600,
        "name": "Robot", "metadata": "m", "attributes": {"site": "yard"}, "kind": "agent",
        "sha256": "abc=", "roomConfig": {"emptyTimeout": 60, "agents": [{"agentName": "a"}]},
        "trackyard": {"publishTracks": ["cam/**"]},
        "video": {"roomJoin": true, "room": "yard", "canPublish": false},
    });
    assert_eq!(payload(&jwt), golden);
    let header = jsonwebtoken::decode_header(&jwt).unwrap();
    assert_eq!(header, jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256));
}

#[test]
fn a_room_is_granted_beside_what_else_is() {
    let grant = VideoGrant { hidden: true, ..VideoGrant::default() };
    let jwt = Token::new("me").grant(grant).room("yard").to_jwt("k", "s", NOW).unwrap();
    let expected = json!({"hidden": true, "roomJoin": true, "room": "yard"});
    assert_eq!(payload(&jwt)["video"], expected);
}

#[test]
fn validity_is_as_asked() {
    let token = Token::new("me").validity(Duration::from_secs(90));
    let jwt = token.to_jwt("devkey", "secret", NOW).unwrap();
    assert_eq!(keys().verify(&jwt, NOW).unwrap().expires_at_unix_s, NOW + 90);
    let forever = Token::new("me").validity(Duration::MAX).to_jwt("devkey", "secret", NOW);
    assert!(keys().verify(&forever.unwrap(), NOW).is_ok());
}

#[test]
fn the_first_key_signs_unless_another_is_named() {
    let token = Token::new("me");
    let keys = keys();
    assert_eq!(payload(&keys.sign(&token, NOW).unwrap())["iss"], "devkey");
    assert_eq!(payload(&keys.sign_as("other", &token, NOW).unwrap())["iss"], "other");
    assert!(matches!(keys.sign_as("nobody", &token, NOW), Err(SignError::NoKey)));
    assert!(matches!(Keys::default().sign(&token, NOW), Err(SignError::NoKey)));
}

/// A token that is valid for `remaining_s` more is refreshed for `refreshed_s`.
#[track_caller]
fn check_refreshed(remaining_s: i64, refreshed_s: u64) {
    let expires_at = NOW.checked_add_signed(remaining_s).unwrap();
    let jwt = keys().refresh(&Claims::default(), expires_at, NOW).unwrap();
    assert_eq!(payload(&jwt)["exp"], NOW + refreshed_s, "{remaining_s}");
}

#[test]
fn a_refreshed_token_lasts_what_remained_but_ten_minutes_at_least() {
    check_refreshed(3_600, 3_600);
    check_refreshed(601, 601);
    check_refreshed(600, 600);
    check_refreshed(599, 600);
    check_refreshed(0, 600);
    check_refreshed(-30, 600);
}

#[test]
fn a_refreshed_token_outlives_a_clock_that_is_set_back() {
    let (hour, expires_at) = (3_600, NOW + 6 * 3_600);
    let signed_ahead = keys().refresh(&Claims::default(), expires_at, NOW + hour).unwrap();
    assert_eq!(payload(&signed_ahead).get("nbf"), None);
    assert_eq!(keys().verify(&signed_ahead, NOW).unwrap().expires_at_unix_s, expires_at);
    let signed_behind = keys().refresh(&Claims::default(), expires_at, NOW - hour).unwrap();
    assert!(keys().verify(&signed_behind, NOW).is_ok());
    let first = keys().sign(&Token::new("robot"), NOW + hour).unwrap();
    assert!(keys().verify(&first, NOW).is_err(), "a first token begins when it says");
}

#[test]
fn a_refreshed_token_says_the_same() {
    let jwt = full_token().to_jwt("other", "hunter2", NOW).unwrap();
    let original = keys().verify(&jwt, NOW).unwrap();
    let later = NOW + 300;
    let refreshed = keys().refresh(&original.claims, original.expires_at_unix_s, later).unwrap();
    let refreshed = keys().verify(&refreshed, later).unwrap();
    assert_eq!(refreshed.claims, original.claims);
    assert_eq!(refreshed.expires_at_unix_s, original.expires_at_unix_s);
    assert_eq!(refreshed.api_key, "devkey", "the first key signs");
    assert_eq!(refreshed.claims.room_config, Some(room_config()));
}

#[test]
fn a_refreshed_token_keeps_claims_this_crate_does_not_know() {
    let claims = json!({"sub": "me", "sip": {"call": true}, "video": {"canFly": true}});
    let claims: Claims = serde_json::from_value(claims).unwrap();
    let refreshed = payload(&keys().refresh(&claims, NOW, NOW).unwrap());
    assert_eq!(refreshed["sip"], json!({"call": true}));
    assert_eq!(refreshed["video"], json!({"canFly": true}));
}

#[test]
fn tokens_are_legal_in_an_http_header() {
    let token = Token::new("rob\"ö\r\nt").metadata("\u{0}🤖".repeat(50)).attribute("é", "\n");
    let jwt = token.to_jwt("devkey", "secret", NOW).unwrap();
    assert!(jwt.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)));
    assert_eq!(keys().verify(&jwt, NOW).unwrap().claims.identity, "rob\"ö\r\nt");
}

#[test]
fn debug_of_a_token_shows_no_signature() {
    let shown = format!("{:?}", full_token());
    assert!(shown.contains("robot-1"));
}
