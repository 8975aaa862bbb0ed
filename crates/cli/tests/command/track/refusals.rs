//! What cannot be connected to, and what makes no sense.

use std::net::TcpListener;

use super::site::{Site, TempDir};
use crate::support::{run, run_with};

const VERBS: [&[&str]; 7] = [
    &["track", "list"],
    &["track", "info", "pose"],
    &["track", "pub", "pose", "--size", "64"],
    &["track", "echo", "pose"],
    &["track", "hz", "pose"],
    &["track", "bw", "pose"],
    &["track", "delay", "pose"],
];

#[test]
fn a_closed_port_ends_with_3_and_says_what_to_do() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("ws://127.0.0.1:{port}");
    for verb in VERBS {
        let ran = run(&[verb, &["--url", &url, "--timeout", "5s"]].concat());
        assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{}", ran.err);
        assert!(ran.err.contains("nothing answers at 127.0.0.1:"), "{}", ran.err);
    }
}

#[test]
fn a_wrong_key_or_token_ends_with_3_and_is_not_shown() {
    let site = Site::start();
    let secret = "hush-hush-0123456789-0123456789-0123456789";
    let key = [("LIVEKIT_API_KEY", "devkey"), ("LIVEKIT_API_SECRET", secret)];
    let said = site.track_with(&["list", "--room", "r"], &key).finish();
    said.failed(3, &["401"]);
    assert!(!said.err.contains("hush"), "{}", said.err);
    let said = site.track(&["list", "--token", "hush-hush"]).finish();
    said.failed(3, &["401"]);
    assert!(!said.err.contains("hush"), "{}", said.err);
}

#[track_caller]
fn check_usage(args: &[&str], env: &[(&str, &str)], words: &str) {
    let ran = run_with(&[&["track"], args].concat(), env);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
    assert!(ran.err.contains(words), "`{words}` in {}", ran.err);
    assert!(!ran.err.contains("hush"), "{}", ran.err);
}

#[test]
fn what_makes_no_sense_ends_with_2() {
    check_usage(&[], &[], "Usage:");
    check_usage(&["echo"], &[], "NAME");
    check_usage(&["echo", "pose", "--utf8", "--raw"], &[], "cannot be used with");
    check_usage(&["echo", "pose", "--count", "0"], &[], "--count");
    check_usage(&["echo", "pose", "--for", "soon"], &[], "such as 500ms, 10s or 2m");
    check_usage(&["hz", "pose", "--window", "1"], &[], "from 2 to 100000");
    check_usage(&["pub", "pose", "--size", "1GB"], &[], "such as 64, 16KiB or 1MB");
    check_usage(&["pub", "pose", "--size", "64", "--rate", "0"], &[], "such as 50Hz, 0.5 or 1kHz");
    check_usage(&["pub", "pose", "--size", "64", "--file", "f"], &[], "cannot be used with");
    check_usage(&["pub", "pose", "--pattern", "counter"], &[], "--size");
    check_usage(&["pub", "pose", "--loop"], &[], "--loop needs --file or --images");
    check_usage(&["pub", "pose", "--schema", "ros2msg:Pose"], &[], "--encoding");
    check_usage(&["pub", "pose", "--schema-file", "f"], &[], "--schema");
    check_usage(&["pub", "pose", "--schema", "Pose", "--encoding", "cdr"], &[], "LANGUAGE:NAME");
}

#[test]
fn a_way_in_that_makes_no_sense_ends_with_2() {
    let far = ("LIVEKIT_URL", "wss://example.org");
    check_usage(&["list"], &[far], "nothing to join with; give --token");
    check_usage(&["list"], &[far, ("LIVEKIT_API_KEY", "k")], "LIVEKIT_API_SECRET is not");
    check_usage(&["list", "--api-key", "k"], &[], "--api-secret");
    check_usage(&["list", "--api-key", "k", "--api-secret", "hush"], &[], "a key needs --room");
    check_usage(&["list", "--token", "hush", "--api-key", "k"], &[], "cannot be used with");
    check_usage(&["list", "--url", "ws://me:hush@localhost"], &[("LIVEKIT_TOKEN", "t")], "--url: ");
    check_usage(&["list", "--url", "ftp://localhost"], &[], "its scheme is none of");
    check_usage(&["list", "--timeout", "0"], &[], "above zero");
    check_usage(&["list", "--root-certificate", "/nowhere"], &[], "--root-certificate: /nowhere: ");
    let directory = TempDir::new("pem");
    let file = directory.file("roots.pem", b"no certificate");
    check_usage(&["list", "--root-certificate", &file], &[], "it holds no certificate in PEM");
}

#[test]
fn a_name_or_schema_that_no_server_takes_ends_with_2() {
    let site = Site::start();
    let refused = |args: &[&str]| site.track(&[&["pub"], args, &["--size", "64"]].concat()).finish();
    refused(&[&"n".repeat(257)]).failed(2, &["a track's name has 1 to 256 bytes"]);
    refused(&["pose", "--last-will", &"x".repeat(2_000)]).failed(2, &["a last will has at most"]);
    refused(&["pose", "--encoding", "cdr"]).failed(2, &["cannot be read without a schema"]);
}
