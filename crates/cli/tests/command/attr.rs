//! `trackyard attr`, with a real server between.

use serde_json::{Value, json};
use trackyard_auth::VideoGrant;

use crate::guest::token;
use crate::support::run;
use crate::track::site::{Client, Said, Site};

/// Somebody with these attributes, once it has them.
fn with(site: &Site, identity: &str, pairs: &[&str]) -> Client {
    let mut client = site.run(&[&["attr", "set", "--identity", identity], pairs].concat(), &[]);
    let (_, _rest) = client.first_line();
    client
}

fn attr(site: &Site, args: &[&str]) -> Said {
    site.run(&[&["attr"], args].concat(), &[]).finish()
}

#[test]
fn attributes_are_seen_by_others_and_go_with_their_participant() {
    let site = Site::start();
    let robot = with(&site, "robot", &["battery=71", "site=north=1"]);
    assert_eq!(attr(&site, &["get"]).text(), "robot\n  battery=71\n  site=north=1\n");
    assert_eq!(attr(&site, &["get", "robot"]).text(), "battery=71\nsite=north=1\n");
    assert_eq!(attr(&site, &["get", "robot", "battery"]).text(), "71\n");
    assert_eq!(attr(&site, &["get", "robot", "battery", "--json"]).json(), json!("71"));
    let all = json!([{ "identity": "robot", "attributes": { "battery": "71", "site": "north=1" } }]);
    assert_eq!(attr(&site, &["get", "--json"]).json(), all);
    assert_eq!(attr(&site, &["get", "robot", "--json"]).json(), all[0]);
    attr(&site, &["get", "robot", "speed"])
        .failed(4, &["`robot` has no attribute `speed`; it has battery, site"]);
    assert_eq!(robot.interrupt().code, Some(0));
    attr(&site, &["get", "robot", "--timeout", "500ms"]).failed(4, &["`robot` is not in room `demo`"]);
}

#[test]
fn a_key_changes_those_of_others_and_deletes_them() {
    let site = Site::start();
    let _robot = with(&site, "robot", &["battery=71", "alarm=on"]);
    let said = attr(&site, &["set", "alarm=", "site=north", "--of", "robot", "--json"]).json();
    assert_eq!(said, json!({ "identity": "robot", "attributes": { "battery": "71", "site": "north" } }));
    assert_eq!(attr(&site, &["get", "robot"]).text(), "battery=71\nsite=north\n");
    attr(&site, &["set", "a=b", "--of", "nobody"]).failed(4, &["participant"]);
}

#[test]
fn own_attributes_need_a_token_that_allows_it() {
    let site = Site::start();
    let plain = token("plain", VideoGrant::join("demo"));
    let said = site.run(&["attr", "set", "a=b"], &[("LIVEKIT_TOKEN", &plain)]).finish();
    said.failed(1, &["may not change its attributes", "canUpdateOwnMetadata", "--of and a key"]);
    let said = site
        .run(&["attr", "set", "a=b", "--of", "x", "--room", "demo"], &[("LIVEKIT_TOKEN", &plain)])
        .finish();
    said.failed(3, &["the key or token does not allow this"]);
    let said = site.run(&["attr", "set", "a=b", "--of", "x"], &[("LIVEKIT_TOKEN", &plain)]).finish();
    said.failed(2, &["give --room beside the token"]);
    let allowed = VideoGrant { can_update_own_metadata: Some(true), ..VideoGrant::join("demo") };
    let allowed = token("allowed", allowed);
    let said =
        site.run(&["attr", "set", "a=b", "--for", "0", "--json"], &[("LIVEKIT_TOKEN", &allowed)]).finish();
    assert_eq!(said.json(), json!({ "identity": "allowed", "attributes": { "a": "b" } }));
}

#[test]
fn changes_are_told_as_they_come() {
    let site = Site::start();
    let _robot = with(&site, "robot", &["battery=71", "alarm=on"]);
    let mut watch = site
        .run(&["attr", "watch", "robot", "--key", "alarm", "--count", "2", "--for", "60s", "--json"], &[]);
    let (first, rest) = watch.first_line();
    let object = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    assert_eq!(
        object(&first),
        json!({ "event": "present", "identity": "robot", "attributes": { "alarm": "on" } })
    );
    let _other = with(&site, "other", &["alarm=on"]);
    let changed =
        |value: Value| json!({ "event": "changed", "identity": "robot", "attributes": { "alarm": value } });
    let mut lines = std::io::BufRead::lines(rest);
    assert_eq!(attr(&site, &["set", "battery=70", "--of", "robot"]).code, Some(0));
    // Changes that come together may be told together, so each is waited for.
    for (pair, value) in [("alarm=off", json!("off")), ("alarm=", json!(null))] {
        assert_eq!(attr(&site, &["set", pair, "--of", "robot"]).code, Some(0));
        assert_eq!(object(&lines.next().unwrap().unwrap()), changed(value));
    }
    assert_eq!(watch.finish().code, Some(0));
}

#[test]
fn watching_ends_as_it_is_told() {
    let site = Site::start();
    attr(&site, &["watch", "--count", "1", "--for", "200ms"]).failed(124, &["0 of 1 changes have come"]);
    assert_eq!(attr(&site, &["watch", "--for", "200ms"]).text(), "");
    let _robot = with(&site, "robot", &["a=\u{1b}[2J"]);
    let mut watch = site.run(&["attr", "watch"], &[]);
    let (line, _rest) = watch.first_line();
    assert_eq!(line, "robot present  a=\\u{1b}[2J\n");
    assert_eq!(watch.interrupt().code, Some(0));
}

#[test]
fn wrong_usage_ends_with_2() {
    for args in [
        &["attr", "set"][..],
        &["attr", "set", "battery"],
        &["attr", "set", "=1"],
        &["attr", "set", "a=b", "--of", "x", "--for", "1s"],
        &["attr", "watch", "--count", "0"],
    ] {
        assert_eq!(run(args).code, 2, "{args:?}");
    }
}
