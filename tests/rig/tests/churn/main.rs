//! A thousand clients come and go, in a process that does nothing else.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "figures beside a failure")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use trackyard::{DataTrackFrame, Room, RoomOptions};
use trackyard_rig::{ServerProcess, token};

const ROUNDS: usize = 1_000;
/// What a run of this many needs to reach its level.
const WARM_UP: usize = 200;
const ROUND_MAX: Duration = Duration::from_secs(20);
/// What memory varies by without growing.
const MEMORY_SLACK_KIB: u64 = 2 * 1_024;

/// What this process holds.
#[derive(Debug, Clone, Copy)]
struct Footprint {
    memory_kib: u64,
    descriptors: usize,
    threads: usize,
}

impl Footprint {
    fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        let count = |path| fs::read_dir(path).unwrap().count();
        Self {
            memory_kib: line.trim().trim_end_matches("kB").trim().parse().unwrap(),
            descriptors: count("/proc/self/fd"),
            threads: count("/proc/self/task"),
        }
    }
}

async fn visit(url: &str, round: usize) {
    let options = RoomOptions::new().with_single_peer_connection(round.is_multiple_of(2));
    let (room, _events) = Room::connect(url, token("visitor", "yard"), options).await.unwrap();
    let track = room.local_participant().publish_data_track("pose").await.unwrap();
    track.try_push(DataTrackFrame::new("here")).unwrap();
    room.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_joins_and_leaves_are_flat() {
    let server = ServerProcess::start(Path::new(env!("CARGO_BIN_EXE_rig-server")), "").unwrap();
    let url = format!("ws://{}", server.http());
    let mut begin = Footprint::now();
    for round in 0..WARM_UP + ROUNDS {
        if round == WARM_UP {
            begin = Footprint::now();
        }
        tokio::time::timeout(ROUND_MAX, visit(&url, round)).await.unwrap();
    }
    let end = Footprint::now();
    println!("before {begin:?}, after {ROUNDS} rounds {end:?}");
    assert!(end.memory_kib < begin.memory_kib + MEMORY_SLACK_KIB, "memory grows");
    assert!(end.descriptors <= begin.descriptors, "descriptors leak");
    assert!(end.threads <= begin.threads + 1, "threads leak");
}
