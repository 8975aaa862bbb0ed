//! The path of a packet to its subscribers allocates nothing.

use std::collections::HashMap;
use std::process::Command;

#[test]
fn nothing_is_allocated_for_a_packet_or_a_subscriber() {
    let said = Command::new(env!("CARGO_BIN_EXE_counts")).arg("measure").output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let lines = String::from_utf8(said.stdout).unwrap();
    let pieces = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let allocations: HashMap<String, u64> = pieces
        .map(|piece| (piece["name"].as_str().unwrap().to_owned(), piece["allocations"].as_u64().unwrap()))
        .collect();
    for piece in [
        "parse_and_patch",
        "lane_1",
        "lane_16",
        "lane_waiting",
        "backlog",
        "route_1_to_1",
        "cross_out",
        "cross_in",
    ] {
        assert_eq!(allocations[piece], 0, "{piece}");
    }
    // Who is to get a user packet is listed, and it is sealed with its sender: once, whoever gets it.
    for piece in ["lossy_1_to_20", "reliable_1_to_20"] {
        assert!(allocations[piece] <= 8 * 1_000, "{piece}: {} for 1,000 packets", allocations[piece]);
    }
    // The tree of timers makes a node once in a while.
    assert!(allocations["route_1_to_20"] <= 10, "{}", allocations["route_1_to_20"]);
}
