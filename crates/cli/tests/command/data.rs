//! `trackyard data send`, with a real server between.

use serde_json::json;
use trackyard::DataPacketKind;
use trackyard_auth::VideoGrant;

use crate::guest::{Guest, token};
use crate::support::run;
use crate::track::site::{Said, Site, TempDir};

fn send(site: &Site, args: &[&str]) -> Said {
    site.run(&[&["data", "send", "--identity", "cli"], args].concat(), &[]).finish()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_a_packet() {
    let site = Site::start();
    let mut robot = Guest::join(&site, "robot").await;
    let said = send(&site, &["dock", "--topic", "command", "--to", "robot"]);
    assert_eq!(said.text(), "sent 1 packet of 4 bytes in all to robot\n");
    let data = robot.data().await;
    assert_eq!((&data.payload[..], data.topic.as_deref()), (&b"dock"[..], Some("command")));
    assert_eq!((data.kind, data.participant_identity.as_str()), (DataPacketKind::Reliable, "cli"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_a_packet_and_each_line_is_one() {
    let site = Site::start();
    let mut robot = Guest::join(&site, "robot").await;
    let directory = TempDir::new("packet");
    let file = directory.file("pose.bin", &[0, 255, 10]);
    let said = send(&site, &["--file", &file, "--json"]);
    let expected = json!({ "topic": null, "kind": "reliable", "to": [], "packets": 1, "bytes": 3, "dropped": 0, "seconds": said.json()["seconds"] });
    assert_eq!(said.json(), expected);
    assert_eq!(robot.data().await.payload[..], [0, 255, 10]);

    let mut client = site.run(&["data", "send", "--to", "robot", "--json"], &[]);
    std::io::Write::write_all(&mut client.stdin(), b"one\n\nthree").unwrap();
    let said = client.finish().json();
    assert_eq!((&said["packets"], &said["bytes"], &said["to"]), (&json!(3), &json!(8), &json!(["robot"])));
    for line in ["one", "", "three"] {
        assert_eq!(robot.data().await.payload, line);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lossy_packets_are_told_apart() {
    let site = Site::start();
    let mut robot = Guest::join(&site, "robot").await;
    let said = send(&site, &["1", "--lossy", "--to", "robot", "--json"]).json();
    assert_eq!((&said["kind"], &said["dropped"]), (&json!("lossy"), &json!(0)));
    assert_eq!(robot.data().await.kind, DataPacketKind::Lossy);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_there_ends_it_with_4_and_a_list_of_those_who_are() {
    let site = Site::start();
    let said = send(&site, &["x", "--to", "robot-9", "--timeout", "1s"]);
    said.failed(4, &["`robot-9` is not in room `demo`; nobody else is"]);
    let _robot = Guest::join(&site, "robot").await;
    let said = send(&site, &["x", "--to", "robot-9", "--timeout", "1s"]);
    said.failed(4, &["`robot-9` is not in room `demo`; there is:\n  robot\n"]);
    let said = send(&site, &["x", "--to", "cli", "--timeout", "1s"]);
    said.failed(4, &["`cli` is this client itself; give --identity another name"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_long_or_not_allowed_is_refused() {
    let site = Site::start();
    let directory = TempDir::new("large");
    let file = directory.file("large.bin", &[7; 100_000]);
    let said = send(&site, &["--file", &file]);
    said.failed(2, &["of one packet; `trackyard text send` and `trackyard file send` take any length"]);
    assert!(said.err.contains("note: nobody else is in the room"), "{}", said.err);

    let mute = token("mute", VideoGrant { can_publish_data: Some(false), ..VideoGrant::join("demo") });
    let said = site.run(&["data", "send", "x"], &[("LIVEKIT_TOKEN", &mute)]).finish();
    said.failed(1, &["may not publish data", "the token has to grant it"]);
}

#[test]
fn wrong_usage_ends_with_2() {
    for args in [&["data", "send", "x", "--file", "f"][..], &["data", "send", "x", "--to", ""], &["data"]] {
        assert_eq!(run(args).code, 2, "{args:?}");
    }
}
