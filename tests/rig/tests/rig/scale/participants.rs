//! A thousand participants join one room at once.

use std::time::Duration;

use trackyard_rig::{Crowd, raise_descriptors};

use crate::machine::{alone, server};

const CROWD: usize = 1_000;
/// Three sockets each.
const DESCRIPTORS: u64 = 4 * CROWD as u64;
/// All set out at the same moment, and are active within this.
const ACTIVE_MAX: Duration = Duration::from_secs(60);
/// What each of them is told of each other, join response and updates together, however long the names.
const BYTES_PER_PAIR_MAX: u64 = 600;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_join_one_room_at_once_and_each_knows_all() {
    let _machine = alone().await;
    raise_descriptors(DESCRIPTORS).unwrap();
    let server = server("");
    let memory = server.process().memory_kib().unwrap();
    let configs = (0..CROWD).map(|number| {
        let identity = format!("client-{number}");
        let config = server.client(&identity, "yard");
        (identity, config)
    });
    let Crowd { clients, times } = Crowd::join(configs.collect(), 2 * ACTIVE_MAX).await.unwrap();
    let each = (server.process().memory_kib().unwrap() - memory) / CROWD as u64;
    let bytes_per_pair = times.signal_bytes / (CROWD * CROWD) as u64;
    println!("{CROWD} join: {times:.1?}, {bytes_per_pair} B for each of each other, {each} KiB each");
    let metrics = server.metrics().await.unwrap();
    assert_eq!(metrics.get("trackyard_participants", ""), CROWD as f64);
    assert_eq!(metrics.room_event("joins"), CROWD as f64);
    for failure in
        ["join_failures", "peers_lost", "connection_timeouts", "negotiation_timeouts", "signal_floods"]
    {
        assert_eq!(metrics.room_event(failure), 0.0, "{failure}");
    }
    assert!(times.active <= ACTIVE_MAX, "{times:?}");
    assert!(bytes_per_pair <= BYTES_PER_PAIR_MAX, "{bytes_per_pair} B");
    drop(clients);
}
