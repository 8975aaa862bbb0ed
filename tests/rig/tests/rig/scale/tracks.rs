//! Many tracks of one participant: published, announced, known to who comes late, subscribed to.

use std::time::{Duration, Instant};

use trackyard_proto::Response;
use trackyard_proto::signal::Reason;
use trackyard_rig::{LiveClient, Metrics};
use trackyard_sim::client::{ClientEvent, Pushed};

use crate::machine::{alone, server};

/// All handles that there are.
const ALL: u16 = u16::MAX;
/// Requests that wait for their answer.
const IN_FLIGHT: usize = 256;
const PATIENCE: Duration = Duration::from_secs(120);
/// Budgets, with a margin for this profile on a busy machine.
const MARGIN: u32 = 5;
const PUBLISH_1000_MAX: Duration = Duration::from_millis(200);
const SUBSCRIBE_1000_MAX: Duration = Duration::from_millis(500);
const PUBLISH_ALL_MAX: Duration = Duration::from_secs(15);
/// Memory of the server for an idle track.
const TRACK_BYTES_MAX: u64 = 1_024;
/// What a watcher is sent if all tracks are published in no time: five times the list that it ends with.
const LISTS_BYTES: u64 = 15_000_000;
/// What lists of one participant may cost a watcher beyond it.
const LISTS_BYTES_PER_SECOND: u64 = 4_000_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_tracks_are_published_and_subscribed_to_at_once() {
    let _machine = alone().await;
    let server = server("");
    let (mut publisher, _) = LiveClient::join(server.client("publisher", "yard")).await.unwrap();
    let (mut watcher, _) = LiveClient::join(server.client("watcher", "yard")).await.unwrap();
    let before = watcher.signal_bytes();
    let published = publisher.publish_many(1..=1_000, IN_FLIGHT).await.unwrap();
    let sids = watcher.announced(1_000, PATIENCE).await.unwrap();
    let bytes = watcher.signal_bytes() - before;
    let subscribed = watcher.subscribe_many(sids).await.unwrap();
    println!("1000 tracks: published {published:.2?}, {bytes} B to a watcher, subscribed {subscribed:.2?}");
    assert!(bytes <= 500_000, "{bytes} B");
    assert!(published <= MARGIN * PUBLISH_1000_MAX, "{published:?}");
    assert!(subscribed <= MARGIN * SUBSCRIBE_1000_MAX, "{subscribed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_participant_has_65_535_tracks_and_another_all_of_them() {
    let _machine = alone().await;
    let server = server("");
    let (mut publisher, _) = LiveClient::join(server.client("publisher", "yard")).await.unwrap();
    let (mut watcher, _) = LiveClient::join(server.client("watcher", "yard")).await.unwrap();
    let (memory, before) = (server.process().memory_kib().unwrap(), watcher.signal_bytes());
    let begun = Instant::now();
    let watching = tokio::spawn(async move {
        watcher.announced(usize::from(ALL), PATIENCE).await.unwrap();
        watcher
    });
    let published = publisher.publish_many(1..=ALL, IN_FLIGHT).await.unwrap();
    let watcher = watching.await.unwrap();
    let known = begun.elapsed();
    let bytes = watcher.signal_bytes() - before;
    let (mut late, arrival) = LiveClient::arrive(server.client("late", "yard")).await.unwrap();
    let took = begun.elapsed();
    assert_eq!(arrival.sids.len(), usize::from(ALL));
    let each = || (server.process().memory_kib().unwrap() - memory) * 1024 / u64::from(ALL);
    // What lists have left behind is given back within seconds.
    let settled = |_: &Metrics| each() <= TRACK_BYTES_MAX;
    let in_time = Metrics::wait(server.http(), ("memory to settle", PATIENCE), settled).await;
    let each = each();
    println!("published {published:.1?}, known {known:.1?}, late joiner {:.1?}", arrival.took);
    println!("{bytes} B to a watcher, {each} B of memory each");
    assert!(took <= MARGIN * PUBLISH_ALL_MAX, "{took:?}");
    assert!(in_time.is_ok(), "{each} B per idle track");
    let bytes_max = LISTS_BYTES + LISTS_BYTES_PER_SECOND * (known.as_secs() + 1);
    assert!(bytes <= bytes_max, "{bytes} B, {bytes_max} B at most");
    let (first, last) = (arrival.sids[0].clone(), arrival.sids[usize::from(ALL) - 1].clone());
    let subscribed = late.subscribe_many(arrival.sids).await.unwrap();
    println!("subscribed {subscribed:.1?}");
    // One more, of someone else.
    let (mut other, _) = LiveClient::join(server.client("other", "yard")).await.unwrap();
    let one_more = other.publish(1, "one more").await.unwrap();
    let wish = one_more.clone();
    late.act(move |client, _| client.subscribe(&wish)).unwrap();
    let refused = late.message(|response| match response {
        Response::RequestResponse { reason, message, .. } => Some((reason, message)),
        _ => None,
    });
    let (reason, message) = refused.await.unwrap();
    assert_eq!(reason, Reason::LimitExceeded);
    assert_eq!(message, "65535 data tracks are subscribed to; unsubscribe from some first");
    // In place of another it may have it.
    late.act(move |client, _| client.unsubscribe(&first)).unwrap();
    late.subscribe(&one_more).await.unwrap();
    publisher.act(|client, now| assert_eq!(client.push(ALL, b"last of all", now), Pushed::Accepted)).unwrap();
    let frame = late.wait(PATIENCE, |_, event| match event {
        ClientEvent::Frame(frame) => Some((frame.sid, frame.payload)),
        _ => None,
    });
    assert_eq!(frame.await.unwrap(), (last, b"last of all".to_vec()));
    drop(watcher);
}
