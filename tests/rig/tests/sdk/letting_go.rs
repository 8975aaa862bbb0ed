//! What is left when a room is not closed in order, and what handles are worth after that.

use std::sync::{Arc, Weak};
use std::time::Duration;

use trackyard::{
    CloseReason, ConnectError, DataTrackFrame, PushFrameError, Room, RoomEvent, RoomOptions, Token,
};
use trackyard_relay::{Relay, RelayConfig};
use trackyard_rig::{Site, token};

use crate::room::{event, join, options, published, within};

/// A token that is let go together with the session that holds it.
fn witnessed(identity: &'static str) -> (Token, Weak<()>) {
    let witness = Arc::new(());
    let gone = Arc::downgrade(&witness);
    let provide = move || {
        let _held = &witness;
        async move { Ok::<_, String>(token(identity, "yard")) }
    };
    (Token::provider(provide), gone)
}

async fn let_go(held: &Weak<()>) {
    let mut looks = tokio::time::interval(Duration::from_millis(20));
    within(async {
        while held.strong_count() > 0 {
            looks.tick().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_fails_after_it_has_heard_of_tracks_is_let_go() {
    let site = Site::start("").await.unwrap();
    let (robot, _robot_events) = join(site.http(), "robot", options(true)).await;
    robot.local_participant().publish_data_track("pose").await.unwrap();
    let relay = Relay::start(RelayConfig::new(site.http())).await.unwrap();
    relay.set_datagrams_up(false);
    let (token, held) = witnessed("late");
    let options = RoomOptions::new().with_connect_timeout(Duration::from_secs(1));
    let error = within(Room::connect(&format!("ws://{}", relay.address()), token, options)).await;
    assert!(matches!(error, Err(ConnectError::NoPath { .. })), "{error:?}");
    let_go(&held).await;
    within(robot.close()).await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_is_let_go_once_nothing_of_it_is_held() {
    let site = Site::start("").await.unwrap();
    let (robot, _robot_events) = join(site.http(), "robot", options(true)).await;
    robot.local_participant().publish_data_track("pose").await.unwrap();
    let (token, held) = witnessed("visitor");
    let url = format!("ws://{}", site.http());
    let (room, events) = within(Room::connect(&url, token, RoomOptions::new())).await.unwrap();
    let track = within(room.data_tracks_of("robot").get_deferred("pose")).await.unwrap();
    let frames = within(track.subscribe()).await.unwrap();
    // Events wait that nobody has looked at.
    drop(room);
    drop((track, frames));
    assert!(held.strong_count() > 0, "events hold what they tell of");
    drop(events);
    let_go(&held).await;
    within(robot.close()).await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_track_of_a_room_that_was_left_gives_frames_back() {
    let site = Site::start("").await.unwrap();
    let (room, _events) = join(site.http(), "robot", options(true)).await;
    let track = room.local_participant().publish_data_track("pose").await.unwrap();
    track.try_push(DataTrackFrame::new("here")).unwrap();
    within(room.close()).await;
    let frame = DataTrackFrame::new("gone");
    assert_eq!(track.try_push(frame.clone()), Err(PushFrameError::Unpublished(frame)));
    assert_eq!(track.stats().pushed, 1);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runtime_that_is_shut_down_ends_its_rooms() {
    let site = Site::start("").await.unwrap();
    let (robot, _robot_events) = join(site.http(), "robot", options(true)).await;
    robot.local_participant().publish_data_track("pose").await.unwrap();
    let other = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let http = site.http();
    let joined = other.spawn(async move {
        let (room, mut events) = join(http, "operator", options(true)).await;
        let frames = within(published(&mut events).await.subscribe()).await.unwrap();
        (room, events, frames)
    });
    let (room, mut events, mut frames) = within(joined).await.unwrap();
    other.shutdown_background();
    assert!(within(frames.next()).await.is_none());
    let reason = event(&mut events, |event| match event {
        RoomEvent::Disconnected(reason) => Some(reason),
        _ => None,
    });
    assert_eq!(reason.await, CloseReason::Local);
    within(room.close()).await;
    within(robot.close()).await;
    site.stop().await;
}

/// One thread for everything, and frames from another that knows of no runtime.
#[tokio::test]
async fn frames_are_pushed_from_any_thread() {
    let site = Site::start("").await.unwrap();
    let (robot, _robot_events) = join(site.http(), "robot", options(true)).await;
    let (operator, mut events) = join(site.http(), "operator", options(true)).await;
    let pose = robot.local_participant().publish_data_track("pose").await.unwrap();
    let mut frames = within(published(&mut events).await.subscribe()).await.unwrap();
    let pushing = std::thread::spawn(move || pose.try_push(DataTrackFrame::new("here")));
    assert_eq!(within(frames.next()).await.unwrap().payload().as_ref(), b"here");
    pushing.join().unwrap().unwrap();
    within(robot.close()).await;
    within(operator.close()).await;
    site.stop().await;
}
