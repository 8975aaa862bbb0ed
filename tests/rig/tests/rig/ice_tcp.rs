//! Clients that UDP does not get through to (protocol §4.7).

use std::time::{Duration, Instant};

use trackyard_rig::flow::{self, Plan};
use trackyard_rig::{LiveClient, LiveConfig, Path, Site};

use crate::machine::{in_mode, shared};

async fn over_tcp(single: bool) {
    let _machine = shared().await;
    let site = Site::start("").await.unwrap();
    let tcp = |identity| {
        in_mode(single, LiveConfig { path: Path::Tcp(site.tcp()), ..site.client(identity, "tcp") })
    };
    let (mut publisher, _) = LiveClient::join(tcp("publisher")).await.unwrap();
    let sid = publisher.publish(1, "frames").await.unwrap();
    let (mut near, _) = LiveClient::join(tcp("near")).await.unwrap();
    let (mut other, _) = LiveClient::join(site.client("udp", "tcp")).await.unwrap();
    near.subscribe(&sid).await.unwrap();
    other.subscribe(&sid).await.unwrap();
    let plan = Plan { handle: 1, bytes: 40_000, rate_hz: 30.0, duration: Duration::from_secs(2) };
    let end = Instant::now() + plan.duration + Duration::from_secs(1);
    let (sent, near, other) = tokio::join!(
        flow::send(&publisher, plan),
        flow::collect(&mut near, &sid, end),
        flow::collect(&mut other, &sid, end),
    );
    let (sent, near, other) = (sent.unwrap(), near.unwrap(), other.unwrap());
    assert!(near.is_clean() && other.is_clean(), "{near:?} {other:?}");
    assert!(near.intact * 100 >= sent.accepted * 90, "tcp: {} of {sent:?}", near.intact);
    assert!(other.intact * 100 >= sent.accepted * 90, "udp: {} of {sent:?}", other.intact);
    let metrics = site.metrics().await.unwrap();
    let connections = if single { 2.0 } else { 4.0 };
    assert_eq!(metrics.get("trackyard_ice_tcp_connections", ""), connections, "{:?}", metrics.non_zero());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_flow_over_ice_tcp_with_one_connection() {
    over_tcp(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_flow_over_ice_tcp_with_two_connections() {
    over_tcp(false).await;
}
