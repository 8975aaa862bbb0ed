//! Emulated links.

use serde_json::Value;

use super::number;
use super::site::Site;

/// One direction of the links of subscribers.
fn link<'r>(run: &'r Value, side: &str, direction: &str) -> &'r Value {
    let links = run["links"].as_array().unwrap();
    let is_it = |link: &&Value| link["side"] == side && link["direction"] == direction;
    links.iter().find(is_it).unwrap_or_else(|| panic!("{side} {direction} in {links:?}"))
}

/// 3 Mbit/s of 13, and nothing that arrives is older than what the queues hold.
#[test]
fn a_link_below_the_load_drops_frames_and_keeps_them_young() {
    let site = Site::start();
    let load = ["--size", "16KiB", "--rate", "100Hz", "--tracks", "1", "--subscribers", "1"];
    let link = ["--link", "rate:3Mbit/rtt:20ms/queue:100ms", "--for", "2s", "--warm-up", "1s"];
    let run = site.measure(&[&load[..], &link].concat());
    let delivered = number(&run, "delivery.delivered_percent");
    assert!((5.0..=30.0).contains(&delivered), "{delivered} %: {run:#}");
    let drops = run["drops"].as_array().unwrap();
    assert!(
        drops.iter().any(|drop| drop["side"] == "subscribers" && number(drop, "frames") > 50.0),
        "{drops:?}"
    );
    assert!(number(&run, "latency.p99_ms") < 700.0, "{}", run["latency"]);
    assert_eq!(run["subscribers"][0]["link"], "rate:3Mbit/rtt:20ms/queue:100ms");
}

/// At a rate that congestion control leaves alone: frames are lost as datagrams are.
#[test]
fn a_link_loses_what_it_is_told_to() {
    let site = Site::start();
    let load = ["--size", "100B", "--rate", "200Hz", "--tracks", "1", "--subscribers", "1"];
    let time = ["--link", "loss:5%/rtt:4ms", "--for", "3s", "--warm-up", "500ms", "--seed", "1"];
    let run = site.measure(&[&load[..], &time].concat());
    let down = link(&run, "subscribers", "down");
    let (lost, carried) = (number(down, "datagrams_lost"), number(down, "datagrams_carried"));
    let share = lost / (lost + carried);
    assert!((0.02..=0.09).contains(&share), "{share} in {down}");
    let delivered = number(&run, "delivery.delivered_percent");
    assert!((85.0..=98.5).contains(&delivered), "{delivered} %: {run:#}");
}

#[test]
fn publishers_may_be_behind_links_instead() {
    let site = Site::start();
    let load = ["--size", "100B", "--rate", "50Hz", "--tracks", "1", "--subscribers", "1"];
    let time = ["--link", "rtt:100ms", "--link-for", "publishers", "--for", "500ms", "--warm-up", "200ms"];
    let run = site.measure(&[&load[..], &time].concat());
    assert!(number(link(&run, "publishers", "up"), "datagrams_carried") > 25.0);
    assert_eq!(run["links"].as_array().unwrap().len(), 2);
    assert!(number(&run, "latency.min_ms") >= 50.0, "{}", run["latency"]);
    assert!(run["subscribers"][0]["link"].is_null());
}
