//! What is measured, and the files it is written to.

use super::number;
use super::site::{Site, TempFile, run};

#[test]
fn every_frame_that_was_due_is_accounted_for() {
    let site = Site::start();
    let pid = site.pid();
    let load =
        ["--size", "2KiB", "--rate", "100Hz", "--tracks", "2", "--publishers", "2", "--subscribers", "3"];
    let time = ["--for", "1s", "--warm-up", "200ms", "--seed", "7", "--label", "own", "--pid", &pid];
    let run = site.measure(&[&load[..], &time].concat());
    assert_eq!(run["label"], "own: 2KiB @ 100Hz x 2 tracks, 2 -> 3");
    assert_eq!(run["seed"], "0000000000000007");
    assert_eq!(run["target"].as_str().unwrap().split(':').next(), Some("ws"));
    let sending = |field: &str| number(&run["sending"], field);
    assert_eq!(sending("frames_due"), 400.0);
    assert_eq!(sending("frames_sent") + sending("frames_refused") + sending("frames_unsent"), 400.0);
    let delivery = |field: &str| number(&run["delivery"], field);
    assert_eq!(delivery("frames_due"), 1_200.0);
    assert_eq!(delivery("frames_received") + delivery("frames_missing"), delivery("frames_sent"));
    assert!(delivery("delivered_percent") > 90.0, "{run:#}");
    assert_eq!((delivery("frames_corrupt"), delivery("frames_duplicate")), (0.0, 0.0));
    assert_eq!(run["subscribers"].as_array().unwrap().len(), 3);
    assert!(number(&run, "latency.p50_ms") > 0.0 && number(&run, "latency.frames") > 1_000.0);
    for usage in ["server.rss_bytes", "bench.rss_bytes", "machine.busy_cores"] {
        assert!(number(&run, usage) > 0.0, "{usage}");
    }
}

#[test]
fn a_matrix_is_written_to_every_file() {
    let site = Site::start();
    let (json, csv, chart) = (TempFile::new("m.json"), TempFile::new("m.csv"), TempFile::new("m.svg"));
    let lists =
        ["--size", "100B,1KiB", "--rate", "50Hz", "--tracks", "1", "--subscribers", "1,2", "--runs", "2"];
    let files = ["--json", json.path(), "--csv", csv.path(), "--chart", chart.path()];
    let time = ["--for", "200ms", "--warm-up", "0s"];
    let ran = run(site.bench(&[&lists[..], &files, &time].concat()));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(
        ran.out.lines().filter(|line| line.starts_with("| 100B @ 50Hz, 1 -> ")).count(),
        2,
        "{}",
        ran.out
    );
    let results = trackyard_bench::report::Results::from_json(&json.read()).unwrap();
    assert_eq!(results.runs.len(), 8);
    let csv = csv.read();
    let columns: Vec<_> =
        csv.lines().map(|line| line.rsplit_once("->").map_or(line, |(_, line)| line)).collect();
    assert_eq!(columns.len(), 9);
    assert!(
        columns[0].starts_with("label,target,run,frame_bytes,") && csv.contains(",1024,50,1,1,2,0.2,"),
        "{csv}"
    );
    let svg = chart.read();
    assert!(
        svg.starts_with("<svg ")
            && svg.trim_end().ends_with("</svg>")
            && svg.matches("<polyline").count() == 8
    );
}

#[test]
fn encrypted_frames_are_verified_over_two_connections_each() {
    let site = Site::start();
    let load = ["--size", "20KiB", "--rate", "50Hz", "--tracks", "1", "--subscribers", "2"];
    let run =
        site.measure(&[&load[..], &["--for", "500ms", "--warm-up", "200ms", "--e2ee", "--dual"]].concat());
    assert!(number(&run, "delivery.delivered_percent") > 90.0, "{run:#}");
    assert_eq!(number(&run, "delivery.frames_corrupt"), 0.0);
}

/// More than a server lets in from one address in a second.
#[test]
fn a_crowd_gets_in() {
    let site = Site::start();
    let load = ["--size", "100B", "--rate", "10Hz", "--tracks", "1", "--subscribers", "120"];
    let run = site.measure(&[&load[..], &["--for", "1s", "--warm-up", "500ms"]].concat());
    let subscribers = run["subscribers"].as_array().unwrap();
    assert_eq!(subscribers.len(), 120);
    assert!(subscribers.iter().all(|one| number(one, "delivery.frames_received") > 0.0), "{run:#}");
}
