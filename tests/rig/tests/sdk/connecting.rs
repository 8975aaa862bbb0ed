//! What a client is told when it cannot connect, and what it leaves when it closes.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use trackyard::{ConnectError, RemoteParticipant, Room, RoomEvent, RoomOptions, SignalError, Token};
use trackyard_relay::{Relay, RelayConfig};
use trackyard_rig::{Site, token};

use crate::room::{event, join, options, within};

async fn refused(url: &str, token: impl Into<Token>) -> ConnectError {
    within(Room::connect(url, token, RoomOptions::new())).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_name_their_cause() {
    let site = Site::start("").await.unwrap();
    let url = format!("ws://{}", site.http());
    let wrong_key = token("robot", "yard").replace('.', ".e");
    let error = refused(&url, wrong_key.as_str()).await;
    assert!(matches!(error, ConnectError::Signal(SignalError::Refused { status: 401, .. })), "{error}");
    assert!(!error.to_string().contains(&wrong_key[20..40]), "{error}");
    let error = refused("wss:/no", "x").await;
    assert!(matches!(error, ConnectError::Url { .. }), "{error}");
    let error = refused("ws://no-such-host.invalid:7880", "x").await;
    assert!(matches!(error, ConnectError::Signal(SignalError::Dns { .. })), "{error}");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = refused(&format!("ws://{closed}"), "x").await;
    assert!(matches!(error, ConnectError::Signal(SignalError::Unreachable { .. })), "{error}");
    let error = refused(&format!("wss://{}", site.http()), "x").await;
    assert!(matches!(error, ConnectError::Signal(SignalError::Tls { .. })), "{error}");
    let own = RoomOptions::new().with_attribute("key", "value");
    let error = within(Room::connect(&url, token("robot", "yard"), own)).await.unwrap_err();
    assert!(error.to_string().contains("canUpdateOwnMetadata"), "{error}");
    let provider = Token::provider(|| async { Err::<String, _>("the token service is down") });
    let error = refused(&url, provider).await;
    assert!(error.to_string().contains("the token service is down"), "{error}");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn data_that_does_not_get_through_is_told_with_the_addresses_tried() {
    let site = Site::start("").await.unwrap();
    let relay = Relay::start(RelayConfig::new(site.http())).await.unwrap();
    relay.set_datagrams_up(false);
    let options = RoomOptions::new().with_connect_timeout(Duration::from_secs(3));
    let url = format!("ws://{}", relay.address());
    let error = within(Room::connect(&url, token("robot", "yard"), options)).await.unwrap_err();
    let ConnectError::NoPath { candidates, .. } = &error else { panic!("{error}") };
    assert!(candidates.iter().any(|candidate| candidate.starts_with("udp 127.0.0.1:")), "{candidates:?}");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_asked_for_at_each_join() {
    let site = Site::start("").await.unwrap();
    let provider = Token::provider(|| async { Ok::<_, String>(token("robot", "yard")) });
    let url = format!("ws://{}", site.http());
    let (room, _events) = within(Room::connect(&url, provider, RoomOptions::new())).await.unwrap();
    assert_eq!(room.local_participant().identity(), "robot");
    within(room.close()).await;
    site.stop().await;
}

async fn disconnected(site: &Site, identity: &str, leave: impl AsyncFnOnce(Room)) {
    let (observer, mut events) = join(site.http(), "observer", options(true)).await;
    let (room, _events) = join(site.http(), identity, options(true)).await;
    event(&mut events, |event| matches!(event, RoomEvent::ParticipantConnected(_)).then_some(())).await;
    let begin = Instant::now();
    leave(room).await;
    event(&mut events, |event| matches!(event, RoomEvent::ParticipantDisconnected(_)).then_some(())).await;
    assert!(begin.elapsed() < Duration::from_secs(2), "it was not said: {:?}", begin.elapsed());
    within(observer.close()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_is_left_however_it_is_let_go() {
    let site = Site::start("").await.unwrap();
    disconnected(&site, "closes", async |room| within(room.close()).await).await;
    disconnected(&site, "drops", async |room| drop(room)).await;
    disconnected(&site, "cancels", async |room| {
        // Polled once, then dropped.
        tokio::select! {
            biased;
            () = room.close() => {}
            () = std::future::ready(()) => {}
        }
    })
    .await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_has_a_deadline() {
    let site = Site::start("").await.unwrap();
    let relay = Relay::start(RelayConfig::new(site.http())).await.unwrap();
    let options = RoomOptions::new().with_close_timeout(Duration::from_millis(300));
    let (room, _events) = join(relay.address(), "robot", options).await;
    relay.set_up(false);
    let begin = Instant::now();
    within(room.close()).await;
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_given_up_leaves_nothing() {
    let site = Site::start("").await.unwrap();
    let (observer, mut events) = join(site.http(), "observer", options(true)).await;
    let url = format!("ws://{}", site.http());
    for wait in [0, 2, 5, 10, 20] {
        let connecting = Room::connect(&url, token("hasty", "yard"), RoomOptions::new());
        let given_up = tokio::time::timeout(Duration::from_millis(wait), connecting).await;
        drop(given_up);
    }
    // Whoever got in is gone by the time that the last one is.
    let (room, _room_events) = join(site.http(), "last", options(true)).await;
    let is_last = |participant: &RemoteParticipant| (participant.identity() == "last").then_some(());
    event(&mut events, |event| match event {
        RoomEvent::ParticipantConnected(participant) => is_last(&participant),
        _ => None,
    })
    .await;
    within(room.close()).await;
    event(&mut events, |event| match event {
        RoomEvent::ParticipantDisconnected(participant) => is_last(&participant),
        _ => None,
    })
    .await;
    assert!(observer.remote_participants().is_empty(), "{:?}", observer.remote_participants());
    within(observer.close()).await;
    site.stop().await;
}
