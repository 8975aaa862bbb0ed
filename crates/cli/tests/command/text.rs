//! `trackyard text send`, with a real server between.

use std::io::Write;

use futures_util::StreamExt;
use serde_json::json;
use tokio::sync::mpsc;
use trackyard::{StreamContent, StreamInfo};

use crate::guest::Guest;
use crate::track::site::{Site, TempDir};

type Texts = mpsc::UnboundedReceiver<(StreamInfo, String)>;

/// The texts of a topic that somebody gets.
fn texts(guest: &Guest, topic: &str) -> Texts {
    let (sender, receiver) = mpsc::unbounded_channel();
    guest
        .room
        .register_text_stream_handler(topic, move |text, _| {
            let (sender, info) = (sender.clone(), text.info().clone());
            async move { sender.send((info, text.read_all().await.unwrap())).unwrap() }
        })
        .unwrap();
    receiver
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_comes_with_all_that_belongs_to_it() {
    let site = Site::start();
    let robot = Guest::join(&site, "robot").await;
    let mut texts = texts(&robot, "lk.chat");
    let args = [
        "text",
        "send",
        "hällo",
        "--to",
        "robot",
        "--attribute",
        "language=de",
        "--reply-to",
        "abc",
        "--json",
    ];
    let said = site.run(&args, &[]).finish().json();
    let (info, text) = texts.recv().await.unwrap();
    assert_eq!((text.as_str(), info.attributes["language"].as_str()), ("hällo", "de"));
    assert!(
        matches!(&info.content, StreamContent::Text(header) if header.reply_to_stream_id == "abc"),
        "{info:?}"
    );
    let expected =
        json!({ "id": info.id, "topic": "lk.chat", "to": ["robot"], "bytes": 6, "seconds": said["seconds"] });
    assert_eq!(said, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_any_length_is_a_text() {
    let site = Site::start();
    let robot = Guest::join(&site, "robot").await;
    let mut texts = texts(&robot, "reports");
    let directory = TempDir::new("text");
    let long: String = (0..60_000).map(|number| format!("{number}\n")).collect();
    let file = directory.file("report.md", long.as_bytes());
    let said =
        site.run(&["text", "send", "--file", &file, "--topic", "reports", "--to", "robot"], &[]).finish();
    assert!(
        said.text().starts_with(&format!("sent {} bytes to robot, stream ", long.len())),
        "{}",
        said.text()
    );
    assert!(texts.recv().await.unwrap().1 == long);
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_input_is_one_stream_of_which_each_line_comes_at_once() {
    let site = Site::start();
    let robot = Guest::join(&site, "robot").await;
    let (sender, mut pieces) = mpsc::unbounded_channel();
    robot
        .room
        .register_text_stream_handler("log", move |mut text, _| {
            let sender = sender.clone();
            async move {
                while let Some(piece) = text.next().await {
                    sender.send(piece.unwrap()).unwrap();
                }
            }
        })
        .unwrap();
    let mut client = site.run(&["text", "send", "--topic", "log", "--to", "robot"], &[]);
    let mut input = client.stdin();
    input.write_all(b"one\n").unwrap();
    assert_eq!(pieces.recv().await.unwrap(), "one");
    input.write_all(b"two\n").unwrap();
    assert_eq!(pieces.recv().await.unwrap(), "\ntwo");
    drop(input);
    assert!(client.finish().text().starts_with("sent 7 bytes to robot, stream "));
}

#[test]
fn what_is_no_text_is_refused() {
    let site = Site::start();
    let directory = TempDir::new("no-text");
    let file = directory.file("a.bin", &[0xff, 0xfe]);
    let said = site.run(&["text", "send", "--file", &file], &[]).finish();
    said.failed(2, &["a.bin is no text in UTF-8; `trackyard file send` sends any bytes"]);
    let mut client = site.run(&["text", "send"], &[]);
    client.stdin().write_all(&[0xff, b'\n']).unwrap();
    client.finish().failed(2, &["standard input is no text in UTF-8"]);
    let said =
        site.run(&["text", "send", "x", "--attribute", &format!("a={}", "x".repeat(70_000))], &[]).finish();
    said.failed(2, &["shorten --attribute"]);
    let said = site.run(&["text", "send", "x", "--to", "nobody", "--timeout", "500ms"], &[]).finish();
    said.failed(4, &["`nobody` is not in room `demo`"]);
}
