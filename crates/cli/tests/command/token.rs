//! `trackyard token create`.

use std::time::{SystemTime, UNIX_EPOCH};

use trackyard_auth::{Keys, Verified};

use super::support::{run, run_with};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// What a token says that was made with these arguments and the development key.
#[track_caller]
fn made(args: &[&str]) -> Verified {
    let ran = run(&[&["token", "create", "--dev"], args].concat());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    Keys::parse("devkey: secret").unwrap().verify(ran.out.trim_end(), now()).unwrap()
}

#[test]
fn a_token_says_what_was_asked_for() {
    let made = made(&[
        "--identity",
        "robot-1",
        "--room",
        "yard",
        "--name",
        "Robot",
        "--metadata",
        "{}",
        "--attribute",
        "site=north",
        "--attribute",
        "k=a=b",
        "--valid-for",
        "24h",
        "--hidden",
        "--can-publish=false",
        "--can-publish-data",
        "--can-subscribe=false",
        "--can-update-own-metadata",
        "--publish-tracks",
        "robot-1/**",
        "--publish-tracks",
        "pose",
        "--subscribe-tracks",
        "cmd/*",
    ]);
    let claims = made.claims;
    assert_eq!(
        (claims.identity.as_str(), claims.name.as_str(), claims.metadata.as_str()),
        ("robot-1", "Robot", "{}")
    );
    assert_eq!((claims.attributes["site"].as_str(), claims.attributes["k"].as_str()), ("north", "a=b"));
    let video = claims.video.unwrap();
    assert!(video.room_join && video.hidden && video.room == "yard");
    assert_eq!(
        (video.can_publish, video.can_publish_data, video.can_subscribe),
        (Some(false), Some(true), Some(false))
    );
    assert_eq!(video.can_update_own_metadata, Some(true));
    assert!(
        claims.trackyard.may_publish("robot-1/a/b")
            && claims.trackyard.may_publish("pose")
            && !claims.trackyard.may_publish("cmd/x")
    );
    assert!(claims.trackyard.may_subscribe("cmd/x") && !claims.trackyard.may_subscribe("pose"));
    assert!(made.expires_at_unix_s.abs_diff(now() + 24 * 3600) < 60);
}

#[test]
fn what_is_not_said_is_left_to_the_server() {
    let made = made(&["--identity", "me", "--room", "r"]);
    let video = made.claims.video.unwrap();
    assert_eq!((video.can_publish, video.can_publish_data, video.can_subscribe), (None, None, None));
    assert_eq!(made.claims.trackyard, trackyard_auth::TrackNames::default());
    assert!(made.expires_at_unix_s.abs_diff(now() + 6 * 3600) < 60);
}

#[test]
fn programs_get_grants_without_joining() {
    let video = made(&["--create", "--list"]).claims.video.unwrap();
    assert!(video.room_create && video.room_list && !video.room_join);
    let video = made(&["--admin", "--room", "r"]).claims.video.unwrap();
    assert!(video.room_admin && !video.room_join && video.room == "r");
    let video = made(&["--admin", "--join", "--room", "r", "--identity", "i"]).claims.video.unwrap();
    assert!(video.room_admin && video.room_join);
}

#[test]
fn the_key_comes_from_flags_or_the_environment() {
    let args = ["token", "create", "--identity", "me", "--room", "r"];
    let by_env = run_with(&args, &[("LIVEKIT_API_KEY", "k"), ("LIVEKIT_API_SECRET", SECRET)]);
    let keys = Keys::new([("k", SECRET)]).unwrap();
    assert!(keys.verify(by_env.out.trim_end(), now()).is_ok(), "{}", by_env.err);
    let by_flag = run(&[&args[..], &["--api-key", "k", "--api-secret", SECRET]].concat());
    assert!(keys.verify(by_flag.out.trim_end(), now()).is_ok(), "{}", by_flag.err);
}

#[test]
fn a_url_makes_variables_and_json_everything() {
    let ran = run(&["token", "create", "--dev", "--identity", "me", "--room", "r", "--url", "ws://h:1"]);
    let (url, token) = ran.out.split_once('\n').unwrap();
    assert_eq!(url, "LIVEKIT_URL=ws://h:1");
    let keys = Keys::parse("devkey: secret").unwrap();
    assert!(keys.verify(token.trim_end().strip_prefix("LIVEKIT_TOKEN=").unwrap(), now()).is_ok());
    let ran = run(&["token", "create", "--dev", "--identity", "me", "--room", "r", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert!(keys.verify(json["token"].as_str().unwrap(), now()).is_ok());
    assert_eq!(
        (&json["api_key"], &json["identity"], &json["video"]["roomJoin"]),
        (&"devkey".into(), &"me".into(), &true.into())
    );
}

#[track_caller]
fn check_refused(args: &[&str], text: &str) {
    let ran = run(&[&["token", "create"], args].concat());
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains(text), "{}", ran.err);
}

#[test]
fn what_makes_no_token_is_refused() {
    check_refused(
        &["--identity", "me", "--room", "r"],
        "no key to sign with; give --api-key and --api-secret, set LIVEKIT_API_KEY",
    );
    check_refused(&["--dev", "--room", "r"], "a token to join a room needs --identity");
    check_refused(&["--dev", "--identity", "me"], "a token needs --room, --create or --list");
    check_refused(
        &["--dev", "--identity", "me", "--room", "r", "--publish-tracks", "[a"],
        "--publish-tracks: ",
    );
    check_refused(
        &["--dev", "--identity", "me", "--room", "r", "--attribute", "x"],
        "it takes KEY=VALUE, such as site=north",
    );
    check_refused(
        &["--dev", "--identity", "me", "--room", "r", "--valid-for", "soon"],
        "it takes a duration of at least a second",
    );
    check_refused(&["--dev", "--identity", "me", "--admin"], "--room");
}

#[test]
fn secrets_of_the_environment_are_not_in_the_help() {
    let ran =
        run_with(&["token", "create", "--help"], &[("LIVEKIT_API_KEY", "k"), ("LIVEKIT_API_SECRET", SECRET)]);
    assert!(!ran.out.contains(SECRET), "{}", ran.out);
}
