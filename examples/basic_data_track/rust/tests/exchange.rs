//! Publisher and subscriber as processes of their own, against a real server.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use trackyard_rig::{Program, Site, token};

/// Everything a test waits for comes within this, or the test fails.
const WAIT_MAX: Duration = Duration::from_secs(20);

fn start(site: &Site, identity: &str, arguments: &[&str]) -> Program {
    let (url, token) = (format!("ws://{}", site.http()), token(identity, "yard"));
    Program::start(env!("CARGO_BIN_EXE_basic_data_track"), (&url, &token), arguments).unwrap()
}

/// The reading's number, if the line shows one.
fn number(line: &str) -> Option<u64> {
    line.strip_prefix('#')?.split(' ').next()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn readings_arrive_in_order_with_their_age_and_are_counted() {
    let site = Site::start("").await.unwrap();
    // The subscriber comes first, and waits.
    let mut subscriber = start(&site, "screen", &["subscribe", "--frames", "50"]);
    subscriber.line("waiting for sensor/odometry", WAIT_MAX).await.unwrap();
    let mut publisher = start(&site, "sensor", &["publish"]);
    let end = subscriber.line("50 received", WAIT_MAX).await.unwrap();
    assert!(end.text.contains("missing, age") && end.text.contains("on average"), "{}", end.text);
    assert!(subscriber.ended(WAIT_MAX).await.unwrap().success());
    let seen = subscriber.seen();
    let numbers: Vec<_> = seen.iter().filter_map(|line| number(line)).collect();
    assert_eq!(numbers.len(), 50, "{seen:?}");
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    assert!(seen.iter().any(|line| line.contains("ms {\"x\":") && line.ends_with('}')), "{seen:?}");
    publisher.interrupt().unwrap();
    let end = publisher.line("pushed", WAIT_MAX).await.unwrap();
    assert!(end.text.ends_with("0 dropped"), "{}", end.text);
    assert!(publisher.ended(WAIT_MAX).await.unwrap().success());
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_goes_on_when_its_publisher_comes_back() {
    let site = Site::start("").await.unwrap();
    let mut subscriber = start(&site, "screen", &["subscribe"]);
    for _ in 0..2 {
        let mut publisher = start(&site, "sensor", &["publish"]);
        subscriber.line("#", WAIT_MAX).await.unwrap();
        publisher.interrupt().unwrap();
        assert!(publisher.ended(WAIT_MAX).await.unwrap().success());
        subscriber.line("-- nothing for 1.0s", WAIT_MAX).await.unwrap();
    }
    subscriber.interrupt().unwrap();
    subscriber.line("received", WAIT_MAX).await.unwrap();
    assert!(subscriber.ended(WAIT_MAX).await.unwrap().success());
    site.stop().await;
}
