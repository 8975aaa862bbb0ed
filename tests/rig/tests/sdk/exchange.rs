//! Two clients and the frames between them.

use trackyard::{DataTrackFrame, RoomEvent};
use trackyard_rig::Site;

use crate::room::{event, join, options, published, within};

async fn exchange(single: bool) {
    let site = Site::start("").await.unwrap();
    let (robot, _robot_events) = join(site.http(), "robot", options(single)).await;
    let (operator, mut events) = join(site.http(), "operator", options(single)).await;
    let pose = robot.local_participant().publish_data_track("pose").await.unwrap();
    let track = published(&mut events).await;
    assert_eq!((track.name(), track.publisher_identity()), ("pose", "robot"));
    let mut frames = within(track.subscribe()).await.unwrap();
    for size in [1, 1_000, 100_000] {
        pose.try_push(DataTrackFrame::new(vec![7; size]).with_user_timestamp_now()).unwrap();
        let frame = within(frames.next()).await.unwrap();
        assert_eq!(frame.payload().as_ref(), vec![7; size]);
        assert_eq!(frame.publisher(), Some("robot"));
        assert!(frame.duration_since_timestamp().is_some());
    }
    assert_eq!((pose.stats().sent, frames.stats().delivered), (3, 3));
    within(robot.close()).await;
    event(&mut events, |event| match event {
        RoomEvent::ParticipantDisconnected(participant) => (participant.identity() == "robot").then_some(()),
        _ => None,
    })
    .await;
    let stats = track.stats().expect("what it had counted is kept");
    assert_eq!((stats.frames_received, stats.frames_delivered, stats.dropped_total()), (3, 3, 0));
    within(operator.close()).await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_arrive_with_one_connection() {
    exchange(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_arrive_with_two_connections() {
    exchange(false).await;
}
