//! A server that does not know data tracks says nothing at all.

use std::sync::Arc;
use std::time::{Duration, Instant};

use trackyard::{PublishError, SubscribeError};
use trackyard_proto::Request;
use trackyard_relay::{Relay, RelayConfig};
use trackyard_rig::Site;

use crate::room::{join, options, published, within};

#[tokio::test(flavor = "multi_thread")]
async fn publishing_and_subscribing_time_out_and_name_the_cause() {
    let site = Site::start("").await.unwrap();
    let passes = |request: &Request| {
        !matches!(request, Request::PublishDataTrack(_) | Request::UpdateDataSubscription(_))
    };
    let config = RelayConfig { passes: Some(Arc::new(passes)), ..RelayConfig::new(site.http()) };
    let relay = Relay::start(config).await.unwrap();
    let (robot, _events) = join(site.http(), "robot", options(true)).await;
    let (old, mut events) = join(relay.address(), "old", options(true)).await;
    robot.local_participant().publish_data_track("pose").await.unwrap();
    let track = published(&mut events).await;
    let begin = Instant::now();
    let local = old.local_participant();
    let (publishing, subscribing) =
        within(async { tokio::join!(local.publish_data_track("mine"), track.subscribe()) }).await;
    let publishing = publishing.unwrap_err();
    let subscribing = subscribing.unwrap_err();
    assert_eq!((&publishing, subscribing), (&PublishError::Timeout, SubscribeError::Timeout));
    for text in [publishing.to_string(), subscribing.to_string()] {
        assert!(text.contains("within 10 s") && text.contains("old one"), "{text}");
    }
    let took = begin.elapsed();
    assert!(took >= Duration::from_secs(10) && took < Duration::from_secs(12), "{took:?}");
    // Neither is left behind: the name is free, and the other participant's track can be asked for again.
    assert!(local.data_tracks().is_empty());
    within(old.close()).await;
    within(robot.close()).await;
    site.stop().await;
}
