//! Other ways than UDP.

use std::net::{TcpListener, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use trackyard::{DataTrackFrame, IceServer, Room, RoomOptions};
use trackyard_relay::{Relay, RelayConfig};
use trackyard_rig::{Metrics, Site};

use crate::room::{WAIT_MAX, flows, join, options, published, within};

/// Frames flow both ways between a client that is as it is, and one beside the server.
async fn exchange(site: &Site, room: &Room) {
    let (beside, mut events) = join(site.http(), "beside", options(true)).await;
    let up = room.local_participant().publish_data_track("up").await.unwrap();
    let mut received = within(published(&mut events).await.subscribe()).await.unwrap();
    flows(&up, &mut received, WAIT_MAX).await;
    let down = beside.local_participant().publish_data_track("down").await.unwrap();
    let track = within(room.data_tracks_of("beside").get_deferred("down")).await.unwrap();
    let mut frames = within(track.subscribe()).await.unwrap();
    down.try_push(DataTrackFrame::new(vec![7; 50_000])).unwrap();
    assert_eq!(within(frames.next()).await.unwrap().payload().len(), 50_000);
    within(beside.close()).await;
}

async fn without_udp(single: bool) {
    let site = Site::start("").await.unwrap();
    let config = RelayConfig { keeps_tcp: true, ..RelayConfig::new(site.http()) };
    let relay = Relay::start(config).await.unwrap();
    relay.set_datagrams_up(false);
    let begin = Instant::now();
    let (room, _events) = join(relay.address(), "robot", options(single)).await;
    println!("connected over TCP after {:?}", begin.elapsed());
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    exchange(&site, &room).await;
    within(room.close()).await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_udp_connects_over_tcp_with_one_connection() {
    without_udp(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_udp_connects_over_tcp_with_two_connections() {
    without_udp(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_udp_opens_no_tcp_connection() {
    let site = Site::start("").await.unwrap();
    let (room, _events) = join(site.http(), "robot", options(true)).await;
    let track = room.local_participant().publish_data_track("pose").await.unwrap();
    // Until TCP would have been tried.
    let mut pushes = tokio::time::interval(Duration::from_millis(100));
    for _ in 0..30 {
        pushes.tick().await;
        track.try_push(DataTrackFrame::new("here")).unwrap();
    }
    let metrics = Metrics::read(site.http()).await.unwrap();
    let accepted = metrics.counter("net_tcp_accepted");
    assert!(accepted < 1.0, "{:?}", metrics.non_zero());
    within(room.close()).await;
    site.stop().await;
}

/// coturn on loopback, stopped with its owner.
struct Turn {
    process: Child,
    port: u16,
}

impl Turn {
    fn start() -> Self {
        let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let listen = format!("--listening-port={port}");
        let mut command = Command::new("turnserver");
        command.args(["-n", "--no-cli", "--no-tls", "--no-dtls", "--lt-cred-mech", "--realm=yard", &listen]);
        command.args(["--user=robot:secret", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1"]);
        command.args(["--allow-loopback-peers", "--log-file=stdout", "--simple-log", "--pidfile="]);
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self { process: process.expect("coturn is installed by the test command"), port }
    }

    async fn listens(&self) {
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        within(async {
            // It listens on TCP once it does on UDP.
            while TcpListener::bind(("127.0.0.1", self.port)).is_ok() {
                looks.tick().await;
            }
        })
        .await;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // It is to end, or has already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn relayed(transport: &str) {
    let site = Site::start("").await.unwrap();
    let turn = Turn::start();
    turn.listens().await;
    let server = IceServer {
        urls: vec![format!("turn:127.0.0.1:{}?transport={transport}", turn.port)],
        username: "robot".to_owned(),
        credential: "secret".to_owned(),
    };
    let options = RoomOptions::new().with_relay_only(true).with_ice_servers([server]);
    let (room, _events) = join(site.http(), "robot", options).await;
    exchange(&site, &room).await;
    assert!(room.relay_url().is_some_and(|url| url.contains(transport)), "{:?}", room.relay_url());
    within(room.close()).await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_connects_through_a_relay_over_udp() {
    relayed("udp").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_connects_through_a_relay_over_tcp() {
    relayed("tcp").await;
}
