//! `trackyard rpc`, with a real server between.

use std::io::{BufRead, BufReader, Write};

use serde_json::json;

use crate::support::run;
use crate::track::site::{Client, Said, Site, TempDir};

/// A client that serves a method under the identity `robot`, once it does.
fn serve(site: &Site, args: &[&str]) -> Client {
    let mut client = site.run(&[&["rpc", "serve", "--identity", "robot"], args].concat(), &[]);
    client.warned(" is served as `robot`");
    client
}

fn call(site: &Site, args: &[&str]) -> Said {
    site.run(&[&["rpc", "call", "--identity", "cli"], args].concat(), &[]).finish()
}

#[test]
fn what_is_said_comes_back() {
    let site = Site::start();
    let server = serve(&site, &["echo", "--echo", "--count", "3", "--json"]);
    assert_eq!(call(&site, &["robot", "echo", "hällo"]).text(), "hällo\n");
    assert_eq!(call(&site, &["robot", "echo"]).text(), "\n");
    let mut client =
        site.run(&["rpc", "call", "robot", "echo", "--file", "-", "--json", "--identity", "cli"], &[]);
    let long = "x".repeat(40_000);
    client.stdin().write_all(long.as_bytes()).unwrap();
    let said = client.finish().json();
    assert!(said["result"] == json!(long) && said["round_trip_ms"].as_f64().unwrap() > 0.0, "{said}");
    assert_eq!(
        (&said["destination"], &said["method"], &said["error"]),
        (&json!("robot"), &json!("echo"), &json!(null))
    );

    let calls = server.finish().lines();
    let bytes: Vec<_> =
        calls.iter().map(|call| (call["payload_bytes"].clone(), call["result_bytes"].clone())).collect();
    assert_eq!(bytes, [(json!(6), json!(6)), (json!(0), json!(0)), (json!(40_000), json!(40_000))]);
    assert!(calls.iter().all(|call| call["caller"] == "cli" && call["error"].is_null()), "{calls:?}");
}

#[test]
fn a_command_answers() {
    let site = Site::start();
    let script = r#"read payload; echo "$TRACKYARD_CALLER wants $TRACKYARD_METHOD of $payload"; echo"#;
    let server = serve(&site, &["dock", "--", "sh", "-c", script]);
    assert_eq!(call(&site, &["robot", "dock", "3; rm -rf /"]).text(), "cli wants dock of 3; rm -rf /\n\n");
    assert_eq!(server.interrupt().code, Some(0));
}

#[test]
fn a_command_that_fails_tells_the_caller_why() {
    let site = Site::start();
    let _server = serve(&site, &["dock", "--", "sh", "-c", "echo 'the door is shut' >&2; exit 3"]);
    let said = call(&site, &["robot", "dock"]);
    said.failed(1, &["(code 1500): the door is shut\n"]);
    let said = call(&site, &["robot", "dock", "--json"]);
    assert_eq!(said.code, Some(1));
    let error = serde_json::from_slice::<serde_json::Value>(&said.out).unwrap()["error"].clone();
    assert_eq!((&error["code"], &error["data"]), (&json!(1500), &json!("the door is shut")));
}

#[test]
fn a_command_that_cannot_be_run_is_told() {
    let site = Site::start();
    let _server = serve(&site, &["plan", "--", "/nowhere/plan"]);
    call(&site, &["robot", "plan"]).failed(1, &["(code 1500): the command cannot be run: "]);
}

#[test]
fn what_is_not_there_ends_with_4() {
    let site = Site::start();
    let said = call(&site, &["robot", "dock", "--timeout", "1s", "--json"]);
    said.failed(4, &["(code 1401): `robot` is not in room `demo`; nobody else is"]);
    let error = serde_json::from_slice::<serde_json::Value>(&said.out).unwrap()["error"].clone();
    assert_eq!(error["code"], 1401);
    let _server = serve(&site, &["echo", "--reply", "x"]);
    call(&site, &["robot", "dock"]).failed(4, &["(code 1400)", "nobody serves `dock` there"]);
}

#[test]
fn what_takes_too_long_ends_with_124() {
    let site = Site::start();
    let _server = serve(&site, &["slow", "--", "sleep", "600"]);
    let said = call(&site, &["robot", "slow", "--response-timeout", "1s"]);
    said.failed(124, &["(code 1502)", "give --response-timeout if it needs longer"]);
}

#[test]
fn nothing_goes_on_that_was_run_for_a_call_when_serving_ends() {
    let site = Site::start();
    // The command says that it runs, and holds its end of the pipe until it is killed.
    let directory = TempDir::new("served");
    let pipe = format!("{}/pipe", directory.path());
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let server = serve(&site, &["slow", "--", "sh", "-c", &format!("exec >'{pipe}'; echo; exec sleep 600")]);
    let caller = site.run(&["rpc", "call", "robot", "slow", "--identity", "cli"], &[]);
    let mut reader = BufReader::new(std::fs::File::open(&pipe).unwrap());
    reader.read_line(&mut String::new()).unwrap();
    assert_eq!(server.interrupt().code, Some(0));
    assert_eq!(reader.read_line(&mut String::new()).unwrap(), 0);
    caller.finish().failed(1, &["(code 1500): it is served no longer"]);
}

#[test]
fn only_those_that_may_call_are_served() {
    let site = Site::start();
    let server = serve(&site, &["dock", "--reply", "ok", "--from", "operator", "--count", "1"]);
    call(&site, &["robot", "dock"]).failed(1, &["(code 1500): this caller is not served"]);
    let said = site.run(&["rpc", "call", "robot", "dock", "--identity", "operator"], &[]).finish();
    assert_eq!(said.text(), "ok\n");
    assert_eq!(server.finish().code, Some(0), "one was answered, whoever else was refused");
}

#[test]
fn wrong_usage_ends_with_2() {
    for args in [
        &["rpc", "serve", "dock"][..],
        &["rpc", "serve", "dock", "--echo", "--reply", "x"],
        &["rpc", "serve", "dock", "--echo", "--", "date"],
        &["rpc", "call", "robot"],
        &["rpc", "call", "robot", "dock", "3", "--file", "f"],
        &["rpc", "call", "robot", "dock", "--response-timeout", "0"],
    ] {
        assert_eq!(run(args).code, 2, "{args:?}");
    }
}

#[test]
fn fewer_calls_than_are_asked_for_end_with_124() {
    let site = Site::start();
    let said = site.run(&["rpc", "serve", "dock", "--echo", "--count", "1", "--for", "200ms"], &[]).finish();
    said.failed(124, &["fewer calls have come in the time given"]);
}
