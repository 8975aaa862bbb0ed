//! `hz`, `bw`, `delay`, `info`, and what `pub` tells at its end.

use serde_json::Value;

use super::site::{Client, Site, TempDir, keys, write_forever};

/// A second and more of frames that come 50 times a second.
const ENOUGH: [&str; 5] = ["--json", "--count", "60", "--for", "30s"];

fn load(site: &Site, args: &[&str]) -> Client {
    site.publish("robot", &[&["load", "--size", "1kB"], args].concat())
}

/// What a verb reports at last.
#[track_caller]
fn measured(site: &Site, verb: &str) -> Value {
    let said = site.track(&[&[verb, "load"], &ENOUGH[..]].concat()).finish();
    let report = said.lines().pop().unwrap();
    assert_eq!(report["frames"], 60);
    report
}

#[track_caller]
fn check_near(value: &Value, expected: f64) {
    let value = value.as_f64().unwrap();
    assert!((value - expected).abs() < expected / 10.0, "{value} is not near {expected}");
}

#[test]
fn the_rate_is_that_of_the_publisher() {
    let site = Site::start();
    let _publisher = load(&site, &[]);
    let report = measured(&site, "hz");
    assert_eq!(
        keys(&report),
        [
            "frames",
            "interval_max_s",
            "interval_mean_s",
            "interval_min_s",
            "interval_stddev_s",
            "missed",
            "rate_hz",
            "window"
        ]
    );
    check_near(&report["rate_hz"], 50.0);
    check_near(&report["interval_mean_s"], 0.02);
    let of = |key: &str| report[key].as_f64().unwrap();
    assert!(of("interval_min_s") <= of("interval_mean_s") && of("interval_mean_s") <= of("interval_max_s"));
    assert_eq!(report["window"], 60);
}

#[test]
fn the_server_may_be_asked_for_fewer_frames() {
    let site = Site::start();
    let _publisher = load(&site, &[]);
    let args = ["hz", "load", "--max-fps", "10", "--count", "20", "--for", "30s", "--json"];
    let report = site.track(&args).finish().lines().pop().unwrap();
    check_near(&report["rate_hz"], 10.0);
}

#[test]
fn the_bandwidth_is_that_of_the_payloads() {
    let site = Site::start();
    let _publisher = load(&site, &[]);
    let report = measured(&site, "bw");
    assert_eq!(
        keys(&report),
        ["bytes_per_s", "frames", "missed", "size_max", "size_mean", "size_min", "window"]
    );
    check_near(&report["bytes_per_s"], 50_000.0);
    assert_eq!((&report["size_min"], &report["size_max"]), (&1_000.0.into(), &1_000.0.into()));
}

#[test]
fn the_age_is_that_of_the_timestamps() {
    let site = Site::start();
    let _publisher = load(&site, &["--timestamp"]);
    let report = measured(&site, "delay");
    assert_eq!(
        keys(&report),
        [
            "age_max_ms",
            "age_mean_ms",
            "age_min_ms",
            "age_p99_ms",
            "frames",
            "implausible_timestamp",
            "missed",
            "window",
            "without_timestamp"
        ]
    );
    let of = |key: &str| report[key].as_f64().unwrap();
    assert!(of("age_min_ms") <= of("age_mean_ms") && of("age_mean_ms") < 1_000.0, "{report}");
    assert!(of("age_mean_ms") <= of("age_p99_ms") && of("age_p99_ms") <= of("age_max_ms"), "{report}");
    assert_eq!((&report["window"], &report["without_timestamp"]), (&60.into(), &0.into()));
}

#[test]
fn frames_without_timestamps_have_no_age() {
    let site = Site::start();
    let _publisher = load(&site, &[]);
    let said = site.track(&["delay", "load", "--count", "5", "--for", "30s"]).finish();
    said.failed(1, &["no frame carries a timestamp"]);
    assert_eq!(said.out, b"5 without a timestamp\n");
}

#[test]
fn people_read_a_line_every_second() {
    let site = Site::start();
    let _publisher = load(&site, &["--timestamp"]);
    for (verb, words) in [
        ("hz", &[" Hz, interval min ", " ms, max ", " ms, std dev ", ", window 120"]),
        ("bw", &[" kB/s, size mean 1.00 kB", ", min 1.00 kB", ", max 1.00 kB", ", window 120"]),
        ("delay", &["age mean ", " ms, min ", " ms, p99 ", ", window 120"]),
    ] {
        let said = site.track(&[verb, "load", "--count", "120", "--for", "30s"]).finish();
        let last = said.text().lines().last().unwrap();
        assert!(words.iter().all(|word| last.contains(word)), "{last}");
        assert!(said.text().lines().count() >= 2, "{}", said.text());
    }
}

#[test]
fn a_track_tells_what_it_holds() {
    let site = Site::start();
    let directory = TempDir::new("schema");
    let file = directory.file("Pose.msg", b"float64 x\nfloat64 y\n");
    let schema = ["--encoding", "cdr", "--schema", "ros2msg:geometry_msgs/msg/Pose", "--schema-file", &file];
    let _publisher = load(&site, &schema);
    let args = ["info", "load", "--for", "1s"];
    let said = site.track(&[&args[..], &["--json"]].concat()).finish().json();
    assert_eq!(
        keys(&said),
        ["encoding", "encrypted", "name", "publisher", "room", "schema", "schema_text", "sid", "traffic"]
    );
    assert_eq!((&said["encoding"], &said["publisher"]), (&"cdr".into(), &"robot".into()));
    assert_eq!(said["schema"]["language"], "ros2msg");
    assert_eq!(said["schema"]["name"], "geometry_msgs/msg/Pose");
    assert_eq!(said["schema_text"], "float64 x\nfloat64 y\n");
    assert_eq!((&said["encrypted"], &said["room"]), (&false.into(), &"demo".into()));
    assert!(said["sid"].as_str().unwrap().starts_with("DTR_"));
    assert_eq!(keys(&said["traffic"]), ["bytes_per_s", "frames", "missed", "rate_hz"]);
    check_near(&said["traffic"]["rate_hz"], 50.0);
    let text = site.track(&args).finish();
    assert!(text.text().contains("Schema     ros2msg:geometry_msgs/msg/Pose\n"), "{}", text.text());
    assert!(text.text().ends_with("\n\nfloat64 x\nfloat64 y\n"), "{}", text.text());
}

#[test]
fn a_schema_whose_text_is_not_stored_is_told_by_name() {
    let site = Site::start();
    let _publisher = load(&site, &["--encoding", "json", "--schema", "jsonschema:pose"]);
    let said = site.track(&["info", "load", "--for", "100ms", "--json"]).finish();
    assert_eq!((&said.json()["schema"]["name"], &said.json()["schema_text"]), (&"pose".into(), &Value::Null));
    assert!(said.err.contains("note: the schema's text cannot be fetched"), "{}", said.err);
}

#[test]
fn a_publisher_tells_what_has_become_of_its_frames() {
    let site = Site::start();
    let args =
        ["pub", "load", "--size", "64", "--rate", "200Hz", "--count", "20", "--json", "--identity", "r"];
    let said = site.track(&args).finish().json();
    assert_eq!(
        keys(&said),
        [
            "bytes_sent",
            "dropped",
            "dropped_by_reason",
            "packets_sent",
            "publisher",
            "pushed",
            "seconds",
            "sent",
            "sid",
            "track"
        ]
    );
    assert_eq!((&said["pushed"], &said["sent"], &said["dropped"]), (&20.into(), &20.into(), &0.into()));
    assert_eq!((&said["track"], &said["publisher"]), (&"load".into(), &"r".into()));
    assert!(keys(&said["dropped_by_reason"]).contains(&"queue_full"));
    let seconds = said["seconds"].as_f64().unwrap();
    assert!((0.09..5.0).contains(&seconds), "{seconds}");
}

#[test]
fn a_publisher_ends_with_its_input_or_its_time() {
    let site = Site::start();
    let mut publisher = site.track(&["pub", "lines", "--wait", "0"]);
    std::io::Write::write_all(&mut publisher.stdin(), b"one\n\nlast").unwrap();
    assert!(publisher.finish().text().starts_with("lines: pushed 3 in "));

    let mut publisher = site.track(&["pub", "lines", "--wait", "0", "--for", "200ms"]);
    write_forever(publisher.stdin(), &["more"]);
    assert!(publisher.finish().text().contains("sent"));
}

#[test]
fn a_frame_that_is_too_large_is_refused() {
    let site = Site::start();
    let said = site.track(&["pub", "load", "--size", "3MiB", "--wait", "0"]).finish();
    said.failed(2, &["3145728 bytes are too many for a frame"]);
}
