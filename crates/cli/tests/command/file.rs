//! `trackyard file`, with a real server between.

use std::path::Path;

use serde_json::{Value, json};
use trackyard::StreamByteOptions;

use crate::guest::Guest;
use crate::support::run;
use crate::track::site::{Client, Said, Site, TempDir, keys};

/// SHA-256 of nothing.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A client that receives files as `operator`, once it does.
fn receive(site: &Site, directory: &TempDir, args: &[&str]) -> Client {
    let base = ["file", "receive", directory.path(), "--identity", "operator", "--json"];
    let mut client = site.run(&[&base[..], args].concat(), &[]);
    client.warned("note: receiving files as `operator`");
    client
}

fn send(site: &Site, args: &[&str]) -> Said {
    site.run(&[&["file", "send", "--identity", "robot"], args].concat(), &[]).finish()
}

fn object(said: &Said) -> Value {
    serde_json::from_slice(&said.out).unwrap()
}

fn noise(length: u32) -> Vec<u8> {
    (0..length).map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

#[test]
fn a_file_comes_whole_and_both_sides_say_so() {
    let site = Site::start();
    let (from, to) = (TempDir::new("from"), TempDir::new("to"));
    let bytes = noise(3_000_000);
    let file = from.file("map.bin", &bytes);
    let receiver = receive(&site, &to, &["--count", "1"]);
    let sent = send(&site, &[&file, "--to", "operator", "--json"]).json();
    let received = receiver.finish().json();
    assert!(to.files() == [("map.bin".to_owned(), bytes)]);
    let path = Path::new(to.path()).join("map.bin");
    assert_eq!(
        keys(&received),
        ["bytes", "bytes_per_second", "error", "from", "id", "name", "path", "seconds", "sha256", "verified"]
    );
    assert_eq!((&received["from"], &received["path"]), (&json!("robot"), &json!(path.to_str())));
    assert_eq!((&received["verified"], &received["error"]), (&json!(true), &json!(null)));
    assert_eq!(
        keys(&sent),
        ["bytes", "bytes_per_second", "id", "name", "receivers", "seconds", "sha256", "topic"]
    );
    assert_eq!(sent["receivers"], json!([{ "identity": "operator", "state": "received", "error": null }]));
    for key in ["name", "bytes", "sha256", "id"] {
        assert_eq!(sent[key], received[key], "{key}");
    }
    assert_eq!((&sent["name"], &sent["bytes"]), (&json!("map.bin"), &json!(3_000_000)));
    assert!(
        sent["seconds"].as_f64().unwrap() > 0.0 && sent["bytes_per_second"].as_u64().unwrap() > 0,
        "{sent}"
    );
}

#[test]
fn several_files_come_one_after_the_other() {
    let site = Site::start();
    let (from, to) = (TempDir::new("several"), TempDir::new("taken"));
    let files = [from.file("a", b""), from.file("b.txt", b"two")];
    let mut receiver =
        site.run(&["file", "receive", to.path(), "--identity", "operator", "--count", "2"], &[]);
    receiver.warned("note: receiving files as `operator`");
    let said = send(&site, &[&files[0], &files[1], "--to", "operator"]);
    assert!(said.text().starts_with("a: 0 B to operator in "), "{}", said.text());
    assert_eq!(said.text().matches("\n  operator: has it, whole\n").count(), 2, "{}", said.text());
    let text = receiver.finish();
    assert!(text.text().contains(&format!("sha256 {EMPTY} (verified)\n")), "{}", text.text());
    assert_eq!(to.files(), [("a".to_owned(), Vec::new()), ("b.txt".to_owned(), b"two".to_vec())]);
}

#[test]
fn encrypted_files_are_checked_as_well() {
    let site = Site::start();
    let (from, to) = (TempDir::new("plain"), TempDir::new("opened"));
    let file = from.file("plan.txt", &noise(100_000));
    let receiver = receive(&site, &to, &["--count", "1", "--e2ee-passphrase", "correct horse"]);
    let sent =
        send(&site, &[&file, "--to", "operator", "--e2ee-passphrase", "correct horse", "--json"]).json();
    assert_eq!(sent["receivers"][0]["state"], "received");
    assert_eq!(receiver.finish().json()["verified"], true);
    assert_eq!(to.files(), from.files());
}

#[test]
fn what_is_there_already_is_kept_unless_it_is_to_be_replaced() {
    let site = Site::start();
    let (from, to) = (TempDir::new("new"), TempDir::new("old"));
    let file = from.file("map.bin", b"new");
    to.file("map.bin", b"old");
    let receiver = receive(&site, &to, &["--count", "1"]);
    let said = send(&site, &[&file, "--to", "operator"]);
    said.failed(
        1,
        &["not everyone has taken it: operator: `map.bin` exists already; the receiver's --overwrite"],
    );
    let said = receiver.finish();
    assert_eq!((said.code, &object(&said)["path"]), (Some(1), &json!(null)));
    assert_eq!(to.files(), [("map.bin".to_owned(), b"old".to_vec())]);

    let receiver = receive(&site, &to, &["--count", "1", "--overwrite"]);
    assert_eq!(send(&site, &[&file, "--to", "operator"]).code, Some(0));
    assert_eq!(receiver.finish().code, Some(0));
    assert_eq!(to.files(), [("map.bin".to_owned(), b"new".to_vec())]);
}

#[test]
fn what_is_too_large_is_not_taken() {
    let site = Site::start();
    let (from, to) = (TempDir::new("huge"), TempDir::new("small"));
    let file = from.file("map.bin", &noise(2_000));
    let receiver = receive(&site, &to, &["--count", "1", "--size-max", "1kB"]);
    send(&site, &[&file, "--to", "operator"])
        .failed(1, &["operator: it has more than the 1.00 kB that are taken"]);
    assert_eq!(receiver.finish().code, Some(1));
    assert!(to.files().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_leads_out_of_the_directory() {
    let site = Site::start();
    let (outer, mut evil) = (TempDir::new("outer"), Guest::join(&site, "evil").await);
    let inner = TempDir::inside(&outer, "inner");
    let receiver = receive(&site, &inner, &["--count", "5"]);
    evil.meets("operator").await;
    let absolute = format!("{}/absolute", outer.path());
    for name in ["../../x", "../y", &absolute, ".bashrc", "..\\z"] {
        let options = StreamByteOptions::new("files").with_name(name).with_destination("operator");
        evil.room.local_participant().send_bytes(name.to_owned(), options).await.unwrap();
    }
    let reports = receiver.finish().lines();
    assert!(
        reports.iter().all(|report| report["verified"] == false && report["error"].is_null()),
        "{reports:?}"
    );
    let names: Vec<_> = inner.files().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["_bashrc", "absolute", "x", "y", "z"]);
    assert_eq!(std::fs::read_dir(outer.path()).unwrap().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_what_was_sent_is_not_kept() {
    let site = Site::start();
    let (to, mut evil) = (TempDir::new("damaged"), Guest::join(&site, "evil").await);
    let receiver = receive(&site, &to, &["--count", "1"]);
    evil.meets("operator").await;
    let options = StreamByteOptions::new("files").with_name("map.bin").with_attribute("sha256", EMPTY);
    evil.room.local_participant().send_bytes("something", options).await.unwrap();
    let said = receiver.finish();
    assert_eq!(said.code, Some(1));
    assert!(
        object(&said)["error"].as_str().unwrap().starts_with("the hash is not the one"),
        "{:?}",
        object(&said)
    );
    assert!(to.files().is_empty());
}

/// Begins a file of which only a part is sent, and waits until the receiver has begun to write it.
async fn begin(robot: &mut Guest) -> trackyard::ByteStreamWriter {
    robot.meets("operator").await;
    let options = StreamByteOptions::new("files")
        .with_name("map.bin")
        .with_total_length(1_000_000)
        .with_attribute("trackyard.receipt", "word");
    let mut writer = robot.room.local_participant().stream_bytes(options).await.unwrap();
    writer.write(noise(100_000)).await.unwrap();
    let receipt: Value = serde_json::from_slice(&robot.data().await.payload).unwrap();
    assert_eq!(receipt, json!({ "transfer": "word", "state": "receiving", "bytes": 0 }));
    writer
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_stays_of_a_file_whose_sender_gives_up() {
    let site = Site::start();
    let (to, mut robot) = (TempDir::new("given-up"), Guest::join(&site, "robot").await);
    let receiver = receive(&site, &to, &["--count", "1"]);
    begin(&mut robot).await.abort("changed my mind");
    let said = receiver.finish();
    assert_eq!(
        (said.code, &object(&said)["error"]),
        (Some(1), &json!("the sender has ended the stream early: changed my mind"))
    );
    let receipt: Value = serde_json::from_slice(&robot.data().await.payload).unwrap();
    assert_eq!((&receipt["state"], &receipt["transfer"]), (&json!("failed"), &json!("word")));
    assert!(to.files().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_stays_of_a_file_whose_receiver_is_interrupted() {
    let site = Site::start();
    let (to, mut robot) = (TempDir::new("interrupted"), Guest::join(&site, "robot").await);
    let receiver = receive(&site, &to, &[]);
    let _writer = begin(&mut robot).await;
    assert_eq!(receiver.interrupt().code, Some(130));
    assert!(to.files().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn those_that_say_nothing_are_told_apart() {
    let site = Site::start();
    let (from, to) = (TempDir::new("silent"), TempDir::new("other"));
    let file = from.file("a", b"a");
    let _robot = Guest::join(&site, "silent").await;
    let receiver = receive(&site, &to, &["--from", "somebody"]);
    let said = send(&site, &[&file, "--to", "silent", "--linger", "0"]);
    assert!(
        said.text().ends_with("\n  silent: was sent it; it does not say whether it has it\n"),
        "{}",
        said.text()
    );
    let sent = send(&site, &[&file, "--to", "operator", "--linger", "200ms", "--json"]).json();
    assert_eq!(sent["receivers"], json!([{ "identity": "operator", "state": "unconfirmed", "error": null }]));
    assert_eq!(receiver.interrupt().code, Some(0));
    assert!(to.files().is_empty());
}

#[test]
fn what_cannot_be_sent_or_stored_is_told_at_once() {
    let site = Site::start();
    let directory = TempDir::new("wrong");
    let file = directory.file("a", b"a");
    send(&site, &[&file, "--to", "nobody", "--timeout", "500ms"])
        .failed(4, &["`nobody` is not in room `demo`"]);
    send(&site, &["/nowhere/a"]).failed(1, &["/nowhere/a cannot be read"]);
    send(&site, &[directory.path()]).failed(2, &["is no file"]);
    send(&site, &[&file, &file, "--name", "b"]).failed(2, &["--name is for one file"]);
    send(&site, &[&file, "--attribute", "sha256=0"]).failed(2, &["`sha256` is made by the command itself"]);
    let said = site.run(&["file", "receive", "/nowhere"], &[]).finish();
    said.failed(2, &["/nowhere: ", "make the directory first"]);
    site.run(&["file", "receive", &file], &[]).finish().failed(2, &["is no directory"]);
    let bounded = ["file", "receive", directory.path(), "--count", "1", "--for", "200ms"];
    site.run(&bounded, &[]).finish().failed(124, &["0 of 1 files have come in the time given"]);
}

#[test]
fn wrong_usage_ends_with_2() {
    for args in [
        &["file", "send"][..],
        &["file", "receive", "--size-max", "1PB"],
        &["file", "receive", "--count", "0"],
    ] {
        assert_eq!(run(args).code, 2, "{args:?}");
    }
}
