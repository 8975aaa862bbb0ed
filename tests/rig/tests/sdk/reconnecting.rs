//! What outages leave of a session.

use std::time::Duration;

use trackyard::{DataTrackFrame, DataTrackOptions, DataTrackSubscribeOptions, RoomEvent, RoomEvents};
use trackyard_relay::{Relay, RelayConfig};
use trackyard_rig::Site;

use crate::room::{flows, join, options, published, within};

/// What was told of interruptions, once they are over: whether the session of before goes on. Nothing if
/// none was noticed.
async fn told(events: &mut RoomEvents) -> Option<bool> {
    let mut told = None;
    let mut is_down = false;
    while let Some(event) =
        if is_down { Some(within(events.recv()).await.unwrap()) } else { events.try_recv().unwrap() }
    {
        match event {
            RoomEvent::Reconnecting => is_down = true,
            RoomEvent::Reconnected { resumed } => {
                is_down = false;
                told = Some(told.unwrap_or(true) && resumed);
            }
            _ => {}
        }
    }
    told
}

/// A publisher behind a relay and a subscriber beside the server; `fault` happens to the relay. Answers
/// whether the session was resumed, and how long frames took to flow again after that.
async fn outage(single: bool, fault: impl AsyncFnOnce(&Relay)) -> (bool, Duration) {
    let site = Site::start("").await.unwrap();
    let relay = Relay::start(RelayConfig::new(site.http())).await.unwrap();
    let (robot, mut robot_events) = join(relay.address(), "robot", options(single)).await;
    let (operator, mut events) = join(site.http(), "operator", options(single)).await;
    let last_will = DataTrackFrame::new("the robot is gone");
    let pose = DataTrackOptions::new("pose").with_last_will(last_will.clone());
    let pose = robot.local_participant().publish_data_track(pose).await.unwrap();
    assert!(pose.has_last_will());
    let track = published(&mut events).await;
    let mut frames = within(track.subscribe()).await.unwrap();
    let all = DataTrackSubscribeOptions::new().with_buffer_size(100_000);
    let mut all = within(track.subscribe_with_options(all)).await.unwrap();
    flows(&pose, &mut frames, Duration::from_secs(5)).await;
    let (sid, participant) = (pose.sid(), robot.local_participant().sid());
    fault(&relay).await;
    let again = flows(&pose, &mut frames, Duration::from_secs(40)).await;
    let told = told(&mut robot_events).await;
    let resumed = pose.sid() == sid;
    assert_eq!(robot.local_participant().sid() == participant, resumed);
    assert!(told.is_none_or(|told| told == resumed), "the application is told something else: {told:?}");
    let is_will = |frame: &DataTrackFrame| frame.is_last_will();
    let will = std::iter::from_fn(|| all.try_next()).find(is_will);
    assert_eq!(will.map(DataTrackFrame::into_payload), (!resumed).then(|| last_will.into_payload()));
    let stats = pose.stats();
    assert_eq!(stats.pushed, stats.sent + stats.dropped_total() + stats.waiting, "{stats:?}");
    within(robot.close()).await;
    within(operator.close()).await;
    site.stop().await;
    (resumed, again)
}

async fn a_cut_signal_connection_resumes(single: bool) {
    let (resumed, again) = outage(single, async |relay| relay.cut_signal()).await;
    println!("signal cut: frames after {again:?}");
    assert!(resumed, "a new session was begun");
    assert!(again < Duration::from_secs(1), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_signal_connection_resumes_with_one_connection() {
    a_cut_signal_connection_resumes(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_signal_connection_resumes_with_two_connections() {
    a_cut_signal_connection_resumes(false).await;
}

/// The pause is the fault itself.
async fn down_for(relay: &Relay, time: Duration) {
    relay.set_up(false);
    tokio::time::sleep(time).await;
    relay.set_up(true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_down_for_8_s_resumes() {
    let (resumed, again) = outage(true, async |relay| down_for(relay, Duration::from_secs(8)).await).await;
    println!("8 s: frames after {again:?}");
    assert!(resumed, "a new session was begun");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_down_for_40_s_begins_a_new_session() {
    let (resumed, again) = outage(true, async |relay| down_for(relay, Duration::from_secs(40)).await).await;
    println!("40 s: frames after {again:?}");
    assert!(!resumed, "the server has kept a session for 40 s");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_returns_on_another_address_recovers() {
    let (resumed, again) = outage(true, async |relay| {
        relay.set_up(false);
        relay.rebind();
        tokio::time::sleep(Duration::from_secs(6)).await;
        relay.set_up(true);
    })
    .await;
    println!("another address: resumed {resumed}, frames after {again:?}");
    assert!(resumed, "a new session was begun");
}
