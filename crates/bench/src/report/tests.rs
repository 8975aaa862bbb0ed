//! Small results in every rendering, against files that are read by people before they are committed.
//!
//! `TRACKYARD_GOLDEN=write` writes the files anew.

use std::time::Duration;

use super::*;
use crate::measure::{Arrival, IntervalMeter, Latency, Outcome, SendMeter, Series, SubscriberMeter};
use crate::payload::{ClockOffset, Stamp};
use crate::plan::Plan;
use crate::process::{MachineUsage, Usage};
use trackyard_link::LinkStats;

/// A run in which the second subscriber loses each tenth frame, and latencies have a tail.
fn report(label: &str, base_us: u64) -> Report {
    let plan = Plan { subscribers: 2, ..Plan::default() };
    let mut sender = SendMeter::new(&plan, 0).unwrap();
    let mut subscribers = vec![SubscriberMeter::new(&plan, ClockOffset::default()).unwrap(); 2];
    let (mut interval, mut series) = (IntervalMeter::new(Duration::ZERO), Series::default());
    for number in 0..plan.window().end {
        sender.sent(0, number);
        interval.sent();
        let intended = plan.rate.offset(number);
        for (index, subscriber) in subscribers.iter_mut().enumerate() {
            if index == 1 && number % 10 == 0 {
                continue;
            }
            let tail = if number % 100 == 99 { 20 } else { 1 };
            let latency = Duration::from_micros((base_us + number % 50 * base_us / 25) * tail);
            let arrival =
                subscriber.record(&Ok(Stamp { track: 0, number, intended }), 1_000, intended + latency);
            interval.arrived(arrival, 1_000);
        }
        if number % 600 == 599 {
            series.push(interval.take(intended));
        }
    }
    let outcome = Outcome::tally(&plan, &[sender], &subscribers);
    let mut lateness = Latency::new();
    (0..1_000).for_each(|micros| lateness.record(Duration::from_micros(micros)));
    let usage = Usage {
        wall: Duration::from_secs(12),
        cpu: Duration::from_millis(720),
        cores: 0.06,
        rss_bytes: 48 << 20,
        rss_growth_bytes: -4_096,
        rss_peak_bytes: Some(50 << 20),
    };
    let target = Target {
        label: label.to_owned(),
        version: "0.1.0".to_owned(),
        target: "ws://127.0.0.1:7880".to_owned(),
        run: 0xfeed,
        seed: 7,
    };
    Report::new(&Facts {
        target: &target,
        plan: &plan,
        outcome: &outcome,
        lateness: &lateness,
        clock: ClockOffset::default(),
        subscribers: &[
            ("fast".to_owned(), None),
            ("slow".to_owned(), Some("down:5mbit/rtt:20ms".to_owned())),
        ],
        server: Some(usage),
        bench: None,
        machine: Some(MachineUsage { busy_cores: 0.5, other_cores: 0.25 }),
        frames_watched: 2_280,
        series: &series,
        drops: &[DropReport { side: Side::Subscribers, reason: "missing".to_owned(), frames: 100 }],
        links: &[LinkReport::new(
            Side::Subscribers,
            "down",
            &LinkStats { carried: 1_900, lost: 100, ..LinkStats::default() },
        )],
    })
}

fn reports() -> Vec<Report> {
    vec![report("1000B @ 100Hz, \"quoted\" & <odd>", 300), report("16 KiB", 2_500), report("16 KiB", 3_000)]
}

fn check_golden(name: &str, actual: &str) {
    let path = format!("{}/src/report/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var("TRACKYARD_GOLDEN").is_ok_and(|what| what == "write") {
        std::fs::write(&path, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert!(expected == actual, "{name} is not what is committed; it is now:\n{actual}");
}

#[test]
fn renderings_are_those_that_are_committed() {
    check_golden("results.json", &Results::new(vec![report("one", 300)]).to_json().unwrap());
    check_golden("results.csv", &csv(&reports()));
    check_golden("table.txt", &table(&reports()));
    check_golden("chart.svg", &chart("Trackyard <bench> & friends", &reports()));
}

#[test]
fn a_report_holds_what_was_measured() {
    let report = report("x", 300);
    assert_eq!((report.delivery.frames_due, report.delivery.frames_received), (2_000, 1_900));
    assert_eq!(report.delivery.delivered_percent, 95.0);
    assert_eq!(report.delivery.received_mbit_per_s, 1.52);
    assert_eq!(report.subscribers[1].delivery.frames_missing, 100);
    assert_eq!(report.server.unwrap().cpu_us_per_frame, Some(315.789));
    assert_eq!(report.run, "000000000000feed");
    assert_eq!((report.latency.p50_ms, report.latency.max_ms), (Some(0.6), Some(17.76)));
    assert_eq!(report.intervals.len(), 2);
    assert_eq!(report.intervals[0].frames_received, 600 + 540);
}

#[test]
fn json_is_read_back_and_other_documents_are_not() {
    let results = Results::new(reports());
    let text = results.to_json().unwrap();
    assert_eq!(Results::from_json(&text).unwrap(), results);
    let other = text.replace(SCHEMA, "trackyard.bench/2");
    assert_eq!(
        Results::from_json(&other).unwrap_err().to_string(),
        "its schema is `trackyard.bench/2`, not `trackyard.bench/1`"
    );
    assert!(matches!(Results::from_json("{}"), Err(JsonError::Format(_))));
}

#[test]
fn a_document_from_before_drops_were_reported_is_read() {
    let mut results = serde_json::to_value(Results::new(reports())).unwrap();
    for field in ["drops", "links"] {
        assert!(results["runs"][0].as_object_mut().unwrap().remove(field).is_some(), "{field}");
    }
    let read = Results::from_json(&results.to_string()).unwrap();
    assert!(read.runs[0].drops.is_empty() && read.runs[1].drops.len() == 1);
}

#[test]
fn nothing_delivered_is_reported_too() {
    let plan = Plan::default();
    let senders = [SendMeter::new(&plan, 0).unwrap()];
    let subscribers = [SubscriberMeter::new(&plan, ClockOffset::default()).unwrap()];
    let outcome = Outcome::tally(&plan, &senders, &subscribers);
    let report = Report::new(&Facts {
        target: &Target::default(),
        plan: &plan,
        outcome: &outcome,
        lateness: &Latency::new(),
        clock: ClockOffset { nanos: -1_500_000 },
        subscribers: &[],
        server: None,
        bench: None,
        machine: None,
        frames_watched: 0,
        series: &Series::default(),
        drops: &[],
        links: &[],
    });
    assert_eq!((report.latency.p50_ms, report.fairness, report.clock_offset_ms), (None, None, -1.5));
    assert_eq!(report.sending.frames_unsent, 1_000);
    assert_eq!(report.subscribers[0].name, "subscriber 0");
    let runs = [report];
    assert!(chart("none", &runs).contains("no frame was received"));
    assert!(
        table(&runs).lines().nth(2).unwrap().contains("|        0.00 |   0.00 |      - |"),
        "{}",
        table(&runs)
    );
    let rows = csv(&runs);
    let cells: Vec<_> = rows.lines().map(|row| row.split(',').count()).collect();
    assert_eq!(cells, [36, 36], "{rows}");
    let text = Results::new(runs.to_vec()).to_json().unwrap();
    assert!(text.contains("\"p99_ms\": null"));
    assert_eq!(Results::from_json(&text).unwrap().runs, runs);
    assert!(chart("nothing at all", &[]).ends_with("</svg>\n"));
}

#[test]
fn cells_are_quoted_where_they_must_be() {
    let mut run = report("a,b \"c\"\nd", 300);
    " padded".clone_into(&mut run.target);
    let text = csv(&[run]);
    let (_, row) = text.split_once("\r\n").unwrap();
    assert!(row.starts_with("\"a,b \"\"c\"\"\nd\",\" padded\",000000000000feed,1000,100,"), "{row}");
    assert!(row.ends_with(",0.25,0.1.0\r\n"), "{row}");
}

/// Every element is closed in order, and no character is one that XML forbids.
fn check_xml(text: &str) {
    let mut open = Vec::new();
    let mut rest = text;
    while let Some(begin) = rest.find('<') {
        assert!(!rest[..begin].contains('>'), "a bare bracket");
        let end = begin + rest[begin..].find('>').expect("a tag ends");
        let tag = &rest[begin + 1..end];
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name)),
            None if tag.ends_with('/') => {}
            None => open.extend(tag.split(' ').next()),
        }
        rest = &rest[end + 1..];
    }
    assert_eq!(open, Vec::<&str>::new());
    for (at, _) in text.match_indices('&') {
        let entity = text[at..].split_inclusive(';').next().unwrap();
        assert!(["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"].contains(&entity), "{entity}");
    }
    assert!(text.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{fffe}' && c != '\u{ffff}'));
}

#[test]
fn a_chart_is_xml_whatever_labels_say() {
    let mut runs = reports();
    for label in ["</text><script>x</script>", "]]>&\"'", "\u{0}\u{1b}[31m\u{fffe}\n", "Ω≈ç√ 日本 \u{202e}"]
    {
        runs[0].label = label.repeat(30);
        label.clone_into(&mut runs[0].subscribers[0].name);
        let svg = chart(label, &runs);
        check_xml(&svg);
        assert!(!svg.contains("<script"));
    }
}

#[test]
fn a_chart_has_an_end() {
    let mut many = vec![report("many", 300); 12];
    for run in &mut many {
        run.subscribers = vec![run.subscribers[0].clone(); 10];
    }
    let svg = chart("many", &many);
    check_xml(&svg);
    assert_eq!(svg.matches("<polyline").count(), SERIES_MAX);
    assert_eq!(svg.matches("class=\"track\"").count(), BARS_MAX);
    assert!(svg.contains("and 56 more, not shown") && svg.contains("and 4 more runs, not shown"));
    assert!(svg.len() < 100_000, "{}", svg.len());
}

#[test]
fn a_hostile_document_does_not_break_a_chart() {
    let mut run = report("x", 300);
    run.latency_curve = vec![
        CurvePoint { share: -1.0, latency_ms: -5.0 },
        CurvePoint { share: 2.0, latency_ms: 1e300 },
        CurvePoint { share: 0.5, latency_ms: 0.0 },
    ];
    run.subscribers[0].delivery.delivered_percent = 1e9;
    let svg = chart("x", &[run]);
    check_xml(&svg);
    assert!(!svg.contains("NaN") && !svg.contains("inf") && svg.len() < 1_000_000, "{}", svg.len());
}

#[test]
fn a_stray_is_no_arrival_of_an_interval() {
    let mut interval = IntervalMeter::new(Duration::ZERO);
    interval.arrived(Arrival::Stray, 10);
    interval.arrived(Arrival::Corrupt, 10);
    assert_eq!(interval.take(Duration::from_secs(1)).received, 0);
}
