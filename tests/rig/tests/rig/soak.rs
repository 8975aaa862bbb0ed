//! 1,000 joins and leaves: memory, descriptors and rooms are given back.

use std::time::Duration;

use tokio::task::JoinSet;
use trackyard_rig::{LiveClient, Metrics, ServerProcess, SignalEnd};

use crate::machine::{alone, server};

const JOINS: usize = 1_000;
/// Up to here the process may still grow: caches, threads' heaps, tables.
const WARM: usize = 200;
/// Sessions at once. The first round has twice as many: what is tested is what sessions leave behind, not
/// how many a busy machine lets overlap.
const CONCURRENT: usize = 15;
/// The first of a round vanish without a goodbye, so that as many are held at once in each round.
const VANISHING: usize = 20;
/// What 800 sessions may leave behind.
const GROWTH_MAX_KIB: u64 = 2 * 1024;
/// A vanished client is given up after 20 s.
const VANISHED_MAX: Duration = Duration::from_secs(40);

struct Soak {
    server: ServerProcess,
}

impl Soak {
    /// Joins and leaves, so many at once, and in the end nobody is there.
    async fn sessions(&self, numbers: std::ops::Range<usize>, at_once: usize) {
        // Others may have the machine while it is waited for those who have vanished.
        let machine = alone().await;
        let mut running = JoinSet::new();
        let vanishing = numbers.start + VANISHING;
        for number in numbers {
            if running.len() >= at_once {
                running.join_next().await.expect("sessions run").unwrap();
            }
            running.spawn(self.session(number, number < vanishing));
        }
        while let Some(ended) = running.join_next().await {
            ended.unwrap();
        }
        drop(machine);
        let nobody = |metrics: &Metrics| {
            let names = ["trackyard_participants", "trackyard_rooms", "trackyard_ice_tcp_connections"];
            names.iter().all(|name| metrics.get(name, "") == 0.0)
        };
        Metrics::wait(self.server.http(), ("rooms to be empty", VANISHED_MAX), nobody).await.unwrap();
    }

    /// One session in one of ten rooms; it publishes, too.
    fn session(&self, number: usize, vanishes: bool) -> impl Future<Output = ()> + use<> {
        let config = self.server.client(&format!("client-{number}"), &format!("room-{}", number % 10));
        async move {
            let (mut client, _) = LiveClient::join(config).await.unwrap();
            client.publish(1, "frames").await.unwrap();
            if !vanishes {
                assert_eq!(client.leave().await.unwrap(), SignalEnd::Closed(1000));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_joins_and_leaves_give_everything_back() {
    // A rate of joins that no client makes: loopback is exempt from the limit.
    let soak = Soak { server: server("room: {departure_timeout: 1}") };
    let descriptors = soak.server.process().descriptors().unwrap();
    soak.sessions(0..WARM, 2 * CONCURRENT).await;
    let warm = soak.server.process().memory_kib().unwrap();
    soak.sessions(WARM..JOINS, CONCURRENT).await;
    let end = soak.server.process().memory_kib().unwrap();
    println!("{warm} KiB after {WARM}, {end} KiB after {JOINS}");
    let metrics = soak.server.metrics().await.unwrap();
    assert_eq!(metrics.room_event("joins"), JOINS as f64);
    assert_eq!(metrics.room_event("peers_lost"), 0.0);
    assert_eq!(metrics.room_event("connection_timeouts"), (2 * VANISHING) as f64);
    let left = soak.server.process().descriptors().unwrap();
    // The connection by which metrics were asked for may not be closed yet.
    assert!(left <= descriptors + 1, "{left} descriptors, {descriptors} at the start");
    assert!(end <= warm + GROWTH_MAX_KIB, "{end} KiB after {JOINS}, {warm} KiB after {WARM}");
}
