//! What a subscriber is told and what it shares.

use std::time::Duration;

use trackyard::{
    DataTrackEvent, DataTrackFrame, DataTrackSubscribeOptions, Overflow, RoomEvent, SubscribeError,
};
use trackyard_rig::{Metrics, Site};

use crate::room::{WAIT_MAX, join, options, published, within};

fn frame(number: u32) -> DataTrackFrame {
    DataTrackFrame::new(number.to_be_bytes().to_vec())
}

fn number(frame: &DataTrackFrame) -> u32 {
    u32::from_be_bytes(frame.payload().as_ref().try_into().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_of_a_track_share_one_and_the_last_one_ends_it() {
    let site = Site::start("").await.unwrap();
    let (robot, _robot_events) = join(site.http(), "robot", options(true)).await;
    let (operator, mut events) = join(site.http(), "operator", options(true)).await;
    let pose = robot.local_participant().publish_data_track("pose").await.unwrap();
    let track = published(&mut events).await;
    let (first, second) = within(async { tokio::join!(track.subscribe(), track.subscribe()) }).await;
    let (mut first, mut second) = (first.unwrap(), second.unwrap());
    pose.try_push(frame(1)).unwrap();
    assert_eq!(number(&within(first.next()).await.unwrap()), 1);
    drop(first);
    pose.try_push(frame(2)).unwrap();
    assert_eq!(number(&within(second.next()).await.unwrap()), 1);
    assert_eq!(number(&within(second.next()).await.unwrap()), 2);
    assert_eq!(second.stats().received, 2);
    drop(second);
    let sent =
        Metrics::wait(site.http(), ("two frames", WAIT_MAX), |metrics| metrics.frames("out") > 1.0).await;
    let sent = sent.unwrap().frames("out");
    assert!(sent < 3.0, "the server has sent {sent} frames for two subscriptions");
    // The same connection carries what comes after: once this is answered, the subscription has ended.
    robot.local_participant().publish_data_track("other").await.unwrap();
    within(published(&mut events).await.subscribe()).await.unwrap();
    pose.unpublish();
    within(async {
        while track.is_published() {
            tokio::task::yield_now().await
        }
    })
    .await;
    assert_eq!(within(track.subscribe()).await.err(), Some(SubscribeError::Unpublished));
    within(robot.close()).await;
    within(operator.close()).await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_buffer_tells_its_gaps() {
    let site = Site::start("").await.unwrap();
    let (robot, _robot_events) = join(site.http(), "robot", options(true)).await;
    let (operator, mut events) = join(site.http(), "operator", options(true)).await;
    let pose = robot.local_participant().publish_data_track("pose").await.unwrap();
    let track = published(&mut events).await;
    let options = DataTrackSubscribeOptions::new().with_buffer_size(2);
    let mut oldest = within(track.subscribe_with_events(options)).await.unwrap();
    let newest = options.with_overflow(Overflow::Newest);
    let mut newest = within(track.subscribe_with_events(newest)).await.unwrap();
    let mut all = within(track.subscribe()).await.unwrap();
    for sent in 0..5 {
        pose.try_push(frame(sent)).unwrap();
        assert_eq!(number(&within(all.next()).await.unwrap()), sent);
    }
    let mut told = Vec::new();
    for events in [&mut oldest, &mut newest] {
        for _ in 0..3 {
            told.push(match within(events.next()).await.unwrap() {
                DataTrackEvent::Frame(frame) => i64::from(number(&frame)),
                DataTrackEvent::Gap(gap) => -i64::try_from(gap.frames).unwrap(),
                DataTrackEvent::Silent { .. } => panic!("there is no deadline"),
            });
        }
    }
    assert_eq!(told, [-3, 3, 4, 0, 1, -3]);
    within(robot.close()).await;
    within(operator.close()).await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_told_once_until_frames_come() {
    let site = Site::start("").await.unwrap();
    let (robot, _robot_events) = join(site.http(), "robot", options(true)).await;
    let (operator, mut events) = join(site.http(), "operator", options(true)).await;
    let pose = robot.local_participant().publish_data_track("pose").await.unwrap();
    let track = published(&mut events).await;
    let options = DataTrackSubscribeOptions::new().with_deadline(Duration::from_millis(200));
    let mut told = within(track.subscribe_with_events(options)).await.unwrap();
    assert!(matches!(within(told.next()).await, Some(DataTrackEvent::Silent { .. })));
    pose.try_push(frame(1)).unwrap();
    assert!(matches!(within(told.next()).await, Some(DataTrackEvent::Frame(_))));
    // Also when its publisher is gone.
    within(robot.close()).await;
    assert!(matches!(within(told.next()).await, Some(DataTrackEvent::Silent { .. })));
    within(operator.close()).await;
    assert_eq!(within(told.next()).await, None);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_goes_on_when_its_publisher_comes_back() {
    let site = Site::start("").await.unwrap();
    let (operator, mut events) = join(site.http(), "operator", options(true)).await;
    let tracks = operator.data_tracks_of("robot");
    let come = async {
        let (robot, _robot_events) = join(site.http(), "robot", options(true)).await;
        let pose = robot.local_participant().publish_data_track("pose").await.unwrap();
        (robot, pose)
    };
    let (track, (robot, pose)) = within(async { tokio::join!(tracks.get_deferred("pose"), come) }).await;
    let track = track.unwrap();
    let mut stays = within(track.subscribe()).await.unwrap();
    let until = DataTrackSubscribeOptions::new().until_unpublished();
    let mut ends = within(track.subscribe_with_options(until)).await.unwrap();
    pose.try_push(frame(1)).unwrap();
    assert_eq!(number(&within(stays.next()).await.unwrap()), 1);
    assert_eq!(number(&within(ends.next()).await.unwrap()), 1);
    within(robot.close()).await;
    assert_eq!(within(ends.next()).await, None);
    let (robot, _robot_events) = join(site.http(), "robot", options(true)).await;
    let pose = robot.local_participant().publish_data_track("pose").await.unwrap();
    crate::room::flows(&pose, &mut stays, Duration::from_secs(5)).await;
    assert!(track.is_published());
    // Whoever subscribes to all that is published would have two subscriptions otherwise.
    let told = std::iter::from_fn(|| events.try_recv().unwrap()).filter(|event| {
        matches!(event, RoomEvent::DataTrackPublished(_) | RoomEvent::DataTrackRepublished(_))
    });
    let is_new: Vec<bool> = told.map(|event| matches!(event, RoomEvent::DataTrackPublished(_))).collect();
    assert_eq!(is_new, [true, false]);
    within(robot.close()).await;
    within(operator.close()).await;
    site.stop().await;
}
