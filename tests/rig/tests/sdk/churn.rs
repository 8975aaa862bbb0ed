//! A thousand clients come and go.

use std::fs;

use trackyard::{DataTrackFrame, Room};
use trackyard_rig::{Site, token};

use crate::room::{options, within};

const ROUNDS: usize = 1_000;
/// What a run of this many needs to reach its level.
const WARM_UP: usize = 200;

/// Memory of this process in KiB, its descriptors and its threads.
fn footprint() -> (u64, usize, usize) {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    let memory = line.trim().trim_end_matches("kB").trim().parse().unwrap();
    let count = |path| fs::read_dir(path).unwrap().count();
    (memory, count("/proc/self/fd"), count("/proc/self/task"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_joins_and_leaves_are_flat() {
    let site = Site::start("").await.unwrap();
    let url = format!("ws://{}", site.http());
    let mut begin = footprint();
    for round in 0..ROUNDS + WARM_UP {
        if round == WARM_UP {
            begin = footprint();
        }
        let joined = Room::connect(&url, token("visitor", "yard"), options(round % 2 == 0)).await;
        let (room, _events): (Room, _) = joined.unwrap();
        let track = room.local_participant().publish_data_track("pose").await.unwrap();
        track.try_push(DataTrackFrame::new("here")).unwrap();
        within(room.close()).await;
    }
    let end = footprint();
    println!("before {begin:?}, after {ROUNDS} rounds {end:?} (KiB, descriptors, threads)");
    assert!(end.0 < begin.0 + 8 * 1_024, "memory grows: {begin:?} to {end:?}");
    assert!(
        end.1 <= begin.1 + 4 && end.2 <= begin.2 + 2,
        "descriptors or threads leak: {begin:?} to {end:?}"
    );
    site.stop().await;
}
