//! Ten thousand rooms, made and ended by the server API; in some of them frames flow.

use std::time::{Duration, Instant};

use trackyard_rig::{
    LiveClient, Metrics, ServerProcess, end_rooms, make_rooms, raise_descriptors, room_name,
};
use trackyard_sim::client::{ClientEvent, Pushed};

use crate::machine::{alone, server};

const ROOMS: usize = 10_000;
/// Two participants are in each of these.
const OCCUPIED: usize = 200;
/// Who joins at the same time.
const BATCH: usize = 20;
const PATIENCE: Duration = Duration::from_secs(60);
/// What ten thousand rooms leave behind, of what they took.
const KEPT_SHARE_MAX: f64 = 0.5;

/// Two participants, and a frame from one to the other.
async fn occupy(server: &ServerProcess, number: usize) -> [LiveClient; 2] {
    let room = room_name(number);
    let (mut publisher, _) = LiveClient::join(server.client("publisher", &room)).await.unwrap();
    let sid = publisher.publish(1, "pose").await.unwrap();
    let (mut subscriber, _) = LiveClient::join(server.client("subscriber", &room)).await.unwrap();
    subscriber.subscribe(&sid).await.unwrap();
    let sent = room.clone().into_bytes();
    publisher.act(move |client, now| assert_eq!(client.push(1, &sent, now), Pushed::Accepted)).unwrap();
    let frame = subscriber.wait(PATIENCE, |_, event| match event {
        ClientEvent::Frame(frame) => Some(frame.payload),
        _ => None,
    });
    assert_eq!(frame.await.unwrap(), room.into_bytes(), "frames of other rooms stay there");
    [publisher, subscriber]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_rooms_come_and_go() {
    let _machine = alone().await;
    raise_descriptors(4_000).unwrap();
    let server = server("");
    let before = server.process().memory_kib().unwrap();
    let made = make_rooms(server.http(), ROOMS).await.unwrap();
    let empty = server.process().memory_kib().unwrap();
    let mut clients = Vec::new();
    let begun = Instant::now();
    for first in (0..OCCUPIED).step_by(BATCH) {
        let batch = (first..first + BATCH).map(|number| occupy(&server, number * (ROOMS / OCCUPIED)));
        clients.extend(futures_util::future::join_all(batch).await);
    }
    let occupied = begun.elapsed();
    let metrics = server.metrics().await.unwrap();
    assert_eq!(metrics.get("trackyard_rooms", ""), ROOMS as f64);
    assert_eq!(metrics.get("trackyard_participants", ""), 2.0 * OCCUPIED as f64);
    let full = server.process().memory_kib().unwrap();
    let ended = end_rooms(server.http(), ROOMS).await.unwrap();
    let gone = |metrics: &Metrics| {
        ["trackyard_rooms", "trackyard_participants"].iter().all(|name| metrics.get(name, "") == 0.0)
    };
    Metrics::wait(server.http(), ("all rooms to be gone", PATIENCE), gone).await.unwrap();
    let limit = before + ((full - before) as f64 * KEPT_SHARE_MAX) as u64;
    let given_back = |_: &Metrics| server.process().memory_kib().unwrap() <= limit;
    Metrics::wait(server.http(), ("memory to be given back", PATIENCE), given_back).await.unwrap();
    let after = server.process().memory_kib().unwrap();
    println!(
        "{ROOMS} rooms: made in {made:.1?}, {OCCUPIED} occupied in {occupied:.1?}, ended in {ended:.1?}"
    );
    println!("KiB: {before} before, {empty} with empty rooms, {full} with clients, {after} after");
    let each = (empty - before) * 1024 / ROOMS as u64;
    println!("{each} B per empty room");
    assert_eq!(metrics.room_event("peers_lost"), 0.0);
    drop(clients);
}
