//! Which token a client shows.

use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    connection: Connection,
}

fn found(args: &[&str], env: &[(&str, &str)]) -> Result<Access, Failure> {
    let line = Line::try_parse_from([&["trackyard"], args].concat()).unwrap();
    let env = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    Access::find(&line.connection, env)
}

#[track_caller]
fn check_key(args: &[&str], env: &[(&str, &str)], expected: (&str, &str, &str)) {
    match found(args, env).unwrap() {
        Access::Key { key, secret, room, identity } => {
            assert_eq!((key.as_str(), secret.expose(), room.as_str()), expected);
            assert!(identity.starts_with("trackyard-") || args.contains(&"--identity"));
        }
        Access::Token(_) => panic!("a token is used"),
    }
}

#[track_caller]
fn check_token(args: &[&str], env: &[(&str, &str)], expected: &str) {
    match found(args, env).unwrap() {
        Access::Token(token) => assert_eq!(token.expose(), expected),
        Access::Key { key, .. } => panic!("the key {key} is used"),
    }
}

#[track_caller]
fn check_refused(args: &[&str], env: &[(&str, &str)], expected: &str) {
    match found(args, env) {
        Err(Failure::Usage(text)) => assert!(text.contains(expected), "{text}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn flags_come_before_the_environment_and_tokens_before_keys() {
    let env = [("LIVEKIT_TOKEN", "t"), ("LIVEKIT_API_KEY", "k"), ("LIVEKIT_API_SECRET", "s")];
    let key = ["--api-key", "a", "--api-secret", "b", "--room", "r"];
    check_token(&["--token", "x"], &env, "x");
    check_key(&key, &env, ("a", "b", "r"));
    check_token(&[], &env, "t");
    check_key(&["--room", "r"], &env[1..], ("k", "s", "r"));
    check_key(&["--room", "r"], &[("LIVEKIT_TOKEN", ""), env[1], env[2]], ("k", "s", "r"));
}

#[test]
fn the_development_key_serves_this_machine_alone() {
    check_key(&[], &[], (DEV_KEY, DEV_SECRET, "demo"));
    check_key(&["--url", "http://[::1]:1", "--room", "r"], &[], (DEV_KEY, DEV_SECRET, "r"));
    check_refused(&["--url", "wss://example.org"], &[], "nothing to join with");
    check_refused(&["--url", "wss://localhost.example.org"], &[], "nothing to join with");
}

#[test]
fn half_a_key_is_none() {
    check_refused(&[], &[("LIVEKIT_API_KEY", "k")], "LIVEKIT_API_SECRET is not");
    check_refused(&[], &[("LIVEKIT_API_SECRET", "s")], "LIVEKIT_API_KEY is not");
    check_refused(&["--api-key", "k", "--api-secret", "s"], &[], "a key needs --room");
}

#[test]
fn observers_are_hidden_and_publish_nothing() {
    let observer = grant("r", Role::Observer);
    assert!(observer.hidden && observer.room_join && observer.room == "r");
    assert_eq!((observer.can_publish, observer.can_publish_data), (Some(false), Some(false)));
    let publisher = grant("r", Role::Publisher);
    assert!(!publisher.hidden && publisher.can_publish_data());
}

#[test]
fn secrets_are_not_shown() {
    let access = found(&["--api-key", "k", "--api-secret", "hush", "--room", "r"], &[]).unwrap();
    assert!(!format!("{access:?}").contains("hush"));
}
