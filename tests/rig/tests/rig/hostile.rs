//! Garbage on every port beside a bystander, who notices nothing.

mod api;
mod messages;
mod packets;
mod signals;
mod streams;
mod udp;
mod web;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use trackyard_rig::flow::{self, Plan};
use trackyard_rig::{LiveClient, LiveConfig, Metrics, ServerProcess};

use crate::machine::{alone, in_mode, server};

/// Unless `TRACKYARD_HOSTILE_SECONDS` says otherwise, as it does before a release.
const SECONDS_DEFAULT: u64 = 12;
/// What strangers may make the server hold for a while.
const GROWTH_MAX_KIB: u64 = 96 * 1024;

/// What is attacked, and until when.
#[derive(Clone)]
struct Target {
    http: SocketAddr,
    udp: SocketAddr,
    tcp: SocketAddr,
    /// How strangers with a token join, beside the bystander.
    stranger: LiveConfig,
    /// The name of the bystander's connection, and the track it publishes.
    ufrag: String,
    track: String,
    end: Instant,
}

impl Target {
    fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }

    /// A participant of the bystander's room with this identity.
    fn stranger(&self, identity: &str) -> LiveConfig {
        LiveConfig { token: trackyard_rig::token(identity, "yard"), ..self.stranger.clone() }
    }
}

/// Clients that only want to be left alone: two with a data track, two with user packets.
struct Bystanders {
    publisher: LiveClient,
    subscriber: LiveClient,
    sid: String,
    talker: LiveClient,
    reader: LiveClient,
}

impl Bystanders {
    async fn join(server: &ServerProcess) -> Self {
        let config = |identity| server.client(identity, "yard");
        let (mut publisher, _) = LiveClient::join(config("publisher")).await.unwrap();
        let sid = publisher.publish(1, "telemetry").await.unwrap();
        let (mut subscriber, _) = LiveClient::join(in_mode(false, config("subscriber"))).await.unwrap();
        subscriber.subscribe(&sid).await.unwrap();
        let (talker, _) = LiveClient::join(config("talker")).await.unwrap();
        let (reader, _) = LiveClient::join(in_mode(false, config("reader"))).await.unwrap();
        Self { publisher, subscriber, sid, talker, reader }
    }
}

fn seconds() -> Duration {
    let given = std::env::var("TRACKYARD_HOSTILE_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(given.unwrap_or(SECONDS_DEFAULT))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_everywhere_is_counted_and_a_bystander_loses_nothing() {
    let _machine = alone().await;
    let mut server = server("room: {departure_timeout: 1}");
    let mut bystanders = Bystanders::join(&server).await;
    let plan = Plan::telemetry(1, seconds());
    let memory = server.process().memory_kib().unwrap();
    let target = Target {
        http: server.http(),
        udp: server.udp(),
        tcp: server.tcp(),
        stranger: server.client("stranger", "yard"),
        ufrag: bystanders.publisher.ufrag(),
        track: bystanders.sid.clone(),
        end: Instant::now() + plan.duration,
    };
    let attacks = attack(&target);
    let end = target.end + Duration::from_secs(1);
    let (talked, sent, seen) = tokio::join!(
        messages::count(&bystanders.talker, target.end),
        flow::send(&bystanders.publisher, plan),
        flow::collect(&mut bystanders.subscriber, &bystanders.sid, end),
    );
    let (sent, seen) = (sent.unwrap(), seen.unwrap());
    let rounds = attacks.join_all().await;
    println!("rounds {rounds:?}; bystander {} of {sent:?}, p99 {:?}", seen.intact, seen.age_permille(990));
    assert!(server.is_alive().unwrap(), "{:?}", server.log());
    assert!(rounds.iter().all(|(_, rounds)| *rounds > 0), "every attack was made: {rounds:?}");
    check_counters(&server.metrics().await.unwrap());
    let read = messages::numbers(&mut bystanders.reader);
    assert_eq!(read, (1..=talked).collect::<Vec<_>>(), "each packet once and in order");
    assert!(seen.is_clean(), "{seen:?}");
    assert!(seen.intact * 100 >= plan.frames() * 99, "{} of {sent:?}", seen.intact);
    let after = server.process().memory_kib().unwrap();
    assert!(after <= memory + GROWTH_MAX_KIB, "{after} KiB, {memory} KiB before");
}

/// Every attack, each in a task; each answers how many rounds it has made.
fn attack(target: &Target) -> JoinSet<(&'static str, u64)> {
    let mut attacks = JoinSet::new();
    let t = || target.clone();
    attacks.spawn(named("udp garbage", udp::garbage(t())));
    attacks.spawn(named("udp stun", udp::stun_flood(t())));
    attacks.spawn(named("tcp partial", streams::partial_frames(t())));
    attacks.spawn(named("tcp slow", streams::slow_loris(t())));
    attacks.spawn(named("tcp oversize", streams::oversize(t())));
    attacks.spawn(named("http garbage", web::garbage(t())));
    attacks.spawn(named("http slow", web::slow_heads(t())));
    attacks.spawn(named("http joins", web::bad_joins(t())));
    attacks.spawn(named("ws undecodable", signals::undecodable(t())));
    attacks.spawn(named("ws bombs", signals::bombs(t())));
    attacks.spawn(named("ws oversize", signals::oversize(t())));
    attacks.spawn(named("ws publish", signals::publish_flood(t())));
    attacks.spawn(named("ws subscribe", signals::subscribe_flood(t())));
    attacks.spawn(named("ws sdp", signals::bad_descriptions(t())));
    attacks.spawn(named("packets", packets::malformed(t())));
    attacks.spawn(named("user packets", messages::hostile(t())));
    attacks.spawn(named("forbidden packets", messages::forbidden(t())));
    attacks.spawn(named("api garbage", api::garbage(t())));
    attacks.spawn(named("api endless", api::endless(t())));
    attacks.spawn(named("toggles", packets::toggled_subscriptions(t())));
    attacks
}

async fn named(name: &'static str, attack: impl Future<Output = u64>) -> (&'static str, u64) {
    (name, attack.await)
}

/// Each kind of garbage is counted under a reason of its own.
fn check_counters(metrics: &Metrics) {
    for counter in [
        "worker_garbage_unknown_protocol",
        "worker_garbage_malformed_stun",
        "worker_garbage_no_username",
        "worker_malformed_short",
        "worker_malformed_version",
        "worker_malformed_handle",
        "worker_malformed_extensions",
        "worker_unknown_handle",
        "worker_bad_descriptions",
        "worker_messages_malformed",
        "worker_messages_forbidden",
        "worker_messages_repeated",
        "worker_messages_too_long",
        "net_unclaimed",
        "net_tcp_unclaimed",
        "net_tcp_ended",
        "signal_undecodable",
    ] {
        assert!(metrics.counter(counter) > 0.0, "{counter}: {:?}", metrics.non_zero());
    }
    for event in ["tracks_refused", "subscriptions_unknown", "bad_descriptions", "bad_candidates"] {
        assert!(metrics.room_event(event) > 0.0, "{event}: {:?}", metrics.non_zero());
    }
    for status in ["400", "401"] {
        let refused = metrics.get("trackyard_joins_refused_total", &format!("status=\"{status}\""));
        assert!(refused > 0.0, "{status}: {:?}", metrics.non_zero());
    }
    assert_eq!(metrics.room_event("peers_lost"), 0.0, "no peer has panicked");
    assert_eq!(metrics.counter("worker_peers_lost"), 0.0, "no peer has panicked");
}
