//! Order, statistics, tables, charts and documents of a suite, without measuring anything.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::*;

fn run(scenario: &str, server: usize, delivered: f64) -> Run {
    Run {
        scenario: scenario.to_owned(),
        title: format!("{scenario} title"),
        group: Group::OneToOne,
        server,
        number: 0,
        rate_hz: Some(1_000.0),
        parts: vec![Part { who: None, values: BTreeMap::from([(Metric::DeliveredPercent, delivered)]) }],
        marks: Vec::new(),
        unfinished: None,
    }
}

fn document(servers: &[&str], runs: Vec<Run>) -> Document {
    let server = |name: &&str| ServerFacts {
        name: (*name).to_owned(),
        url: "ws://h".to_owned(),
        version: Some("1.2".to_owned()),
        ..ServerFacts::default()
    };
    Document {
        schema: SCHEMA.to_owned(),
        version: "0".to_owned(),
        date: "today".to_owned(),
        command: "trackyard bench suite".to_owned(),
        machine: Machine { cores: 2, cpu_model: "c".to_owned(), kernel: "k".to_owned(), memory_mib: 1 },
        servers: servers.iter().map(server).collect(),
        floor: Some(Floor { datagram_bytes: 1_100, send_us: 3.0, send_gso_us: Some(0.5), seal_us: 0.25 }),
        runs,
    }
}

#[test]
fn servers_alternate_run_by_run() {
    let order: Vec<_> = turns(2, 2, 2).map(|turn| (turn.scenario, turn.run, turn.server)).collect();
    let expected = [(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1), (1, 0, 0), (1, 0, 1), (1, 1, 0), (1, 1, 1)];
    assert_eq!(order, expected);
    assert_eq!(turns(3, 0, 2).count() + turns(0, 3, 2).count(), 0);
}

#[test]
fn a_spread_is_the_median_between_its_ends() {
    let text = |values: &[f64]| Spread::of(values.iter().copied()).map(|spread| spread.text(1));
    assert_eq!(text(&[3.0, 1.0, 2.0]).as_deref(), Some("2.0 [1.0..3.0]"));
    assert_eq!(text(&[4.0, 1.0]).as_deref(), Some("2.5 [1.0..4.0]"));
    assert_eq!(text(&[1.01, 1.02]).as_deref(), Some("1.0"));
    assert_eq!(text(&[]), None);
    assert_eq!(text(&[f64::NAN]), None);
}

#[test]
fn the_catalogue_names_each_scenario_once() {
    let scenarios = catalogue(&Scale::default()).unwrap();
    let names: BTreeSet<_> = scenarios.iter().map(|scenario| &scenario.name).collect();
    assert_eq!(names.len(), scenarios.len());
    assert!(scenarios.iter().all(|scenario| scenario.name.starts_with(scenario.group.name())));
    let of = |group| scenarios.iter().filter(|scenario| scenario.group == group).count();
    assert_eq!(Group::ALL.map(of), [11, 5, 5, 18, 3, 10, 2]);
    // Memory of a server that has done something already says nothing.
    let last_fresh = scenarios.iter().rposition(Scenario::needs_fresh_server).unwrap();
    assert!(scenarios[..last_fresh].iter().all(Scenario::needs_fresh_server));
}

#[test]
fn a_scale_makes_everything_smaller() {
    let scale = Scale { duration: Duration::from_millis(200), warm_up: Duration::ZERO, divisor: 10 };
    let scenarios = catalogue(&scale).unwrap();
    let publish = scenarios.iter().find(|scenario| scenario.name == "tracks/publish-1000").unwrap();
    assert_eq!(publish.work, Work::Publish { tracks: 100 });
    let flows = scenarios.iter().filter_map(|scenario| match &scenario.work {
        Work::Flow(flow) => Some(&flow.plan),
        _ => None,
    });
    assert!(flows.into_iter().all(|plan| plan.duration == scale.duration && plan.warm_up.is_zero()));
    let nothing = Scale { duration: Duration::from_millis(1), ..scale };
    assert!(catalogue(&nothing).is_err());
}

#[test]
fn a_row_holds_all_runs_of_each_server() {
    let runs = vec![run("a", 0, 90.0), run("a", 1, 50.0), run("a", 0, 100.0), run("b", 0, 99.5)];
    let document = document(&["ours", "other"], runs);
    let rows = document.rows(Group::OneToOne);
    assert_eq!(rows.iter().map(|row| row.scenario).collect::<Vec<_>>(), ["a", "b"]);
    let spread = rows[0].cells[0].values[&Metric::DeliveredPercent];
    assert_eq!((spread.median, spread.count, rows[0].cells[1].runs), (95.0, 2, 1));
    assert_eq!(rows[0].ratio(Metric::DeliveredPercent), Some(1.9));
    assert_eq!(rows[1].ratio(Metric::DeliveredPercent), None);
    assert!(document.rows(Group::Links).is_empty());
}

#[test]
fn kinds_of_subscribers_have_rows_of_their_own() {
    let part = |who: &str, value| Part {
        who: Some(who.to_owned()),
        values: BTreeMap::from([(Metric::DeliveredPercent, value)]),
    };
    let both = Run { parts: vec![part("fast", 100.0), part("slow", 20.0)], ..run("a", 0, 0.0) };
    let neither = Run { parts: Vec::new(), unfinished: Some("gone".to_owned()), ..run("a", 1, 0.0) };
    let document = document(&["ours", "other"], vec![both, neither]);
    let rows = document.rows(Group::OneToOne);
    let titles: Vec<_> = rows.iter().map(|row| row.title.as_str()).collect();
    assert_eq!(titles, ["a title: fast", "a title: slow"]);
    assert_eq!(rows[1].cells[0].values[&Metric::DeliveredPercent].median, 20.0);
    assert_eq!(rows[1].cells[1].notes(), "not finished (1 of 1): gone");
}

#[test]
fn what_is_not_finished_is_said_and_not_counted() {
    let failed = Run { parts: Vec::new(), unfinished: Some("too | slow".to_owned()), ..run("a", 0, 0.0) };
    let document = document(&["ours"], vec![failed.clone(), failed, run("a", 0, 99.0)]);
    let rows = document.rows(Group::OneToOne);
    let cell = &rows[0].cells[0];
    assert_eq!((cell.runs, cell.values[&Metric::DeliveredPercent].count), (1, 1));
    assert_eq!(cell.notes(), "not finished (2 of 3): too | slow");
    assert!(markdown(&document).contains("not finished (2 of 3): too   slow |"));
}

#[test]
fn the_highest_rate_is_the_fastest_that_is_delivered() {
    let at = |rate: f64, delivered| Run { rate_hz: Some(rate), ..run(&format!("{rate}"), 0, delivered) };
    let found = |runs| document(&["ours"], runs).highest_rate_hz(0);
    assert_eq!(found(vec![at(1e3, 100.0), at(5e3, 99.0), at(1e4, 98.9)]), Some(5e3));
    assert_eq!(found(vec![at(1e3, 12.0)]), None);
}

#[test]
fn marks_are_said_with_how_often_they_were_set() {
    let marked = Run { marks: vec![Mark::ClientBound], ..run("a", 0, 99.0) };
    let document = document(&["ours"], vec![marked, run("a", 0, 98.0)]);
    assert_eq!(document.rows(Group::OneToOne)[0].cells[0].notes(), "client-bound (1 of 2)");
    let text = markdown(&document);
    assert!(text.contains("- *client-bound*: ") && !text.contains("- *noisy*: "), "{text}");
}

#[test]
fn every_line_of_a_table_has_as_many_cells_as_its_head() {
    let cpu = Part { who: None, values: BTreeMap::from([(Metric::IdleRssMib, 7.0)]) };
    let idle = Run { group: Group::Memory, parts: vec![cpu], ..run("m", 1, 0.0) };
    let failed = Run { parts: Vec::new(), unfinished: Some("no".to_owned()), ..idle.clone() };
    let failed = Run { scenario: "f".to_owned(), ..failed };
    for servers in [&["ours", "a|b"][..], &["x", "y"]] {
        let runs = vec![run("a", 0, 1.0), run("a", 1, 2.0), idle.clone(), failed.clone()];
        let text = markdown(&document(servers, runs));
        for table in text.split("\n## ").skip(1) {
            let lines = table.lines().filter(|line| line.starts_with('|'));
            let widths: BTreeSet<_> = lines.map(|line| line.matches('|').count()).collect();
            assert_eq!(widths.len(), 1, "{table}");
        }
        assert_eq!(text.matches("\n## ").count(), 2);
        assert!(text.contains("0.50") && text.contains("Floor of this machine"), "{text}");
    }
}

#[test]
fn a_chart_shows_each_server_and_who_did_not_finish() {
    let failed = Run { parts: Vec::new(), unfinished: Some("no".to_owned()), ..run("b", 1, 0.0) };
    let runs = vec![run("a", 0, 90.0), run("a", 1, 50.0), run("b", 0, 80.0), failed];
    let drawn = charts(&document(&["<ours>", "other"], runs));
    let [(name, svg)] = drawn.as_slice() else { panic!("{drawn:?}") };
    assert_eq!(name, "suite-one-to-one");
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"), "{svg}");
    assert!(svg.contains("&lt;ours&gt;") && svg.contains("not finished"), "{svg}");
    assert!(!svg.contains("no frame arrived") && !svg.contains("not measured"), "{svg}");
    // Each bar, and the colour's name in the legend.
    assert_eq!((svg.matches("\"fill0\"").count(), svg.matches("\"fill1\"").count()), (3, 2));
    assert!(charts(&document(&["ours"], Vec::new())).is_empty());
}

#[test]
fn a_server_that_delivers_nothing_has_finished_all_the_same() {
    let with = |server, delivered, metric| {
        let mut run = run("a", server, delivered);
        run.parts[0].values.extend([(metric, 3.0)]);
        run
    };
    let drawn = |runs| charts(&document(&["ours", "other"], runs)).remove(0).1;
    let svg = drawn(vec![with(0, 100.0, Metric::P99Ms), run("a", 1, 0.0)]);
    assert!(svg.contains("no frame arrived") && !svg.contains("not finished"), "{svg}");
    let svg = drawn(vec![with(0, 100.0, Metric::CpuUsPerPacket), run("a", 1, 90.0)]);
    assert!(svg.contains("not measured") && !svg.contains("no frame arrived"), "{svg}");
}

#[test]
fn json_comes_back_as_it_was() {
    let marked = Run { marks: vec![Mark::Noisy], ..run("a", 0, 99.0) };
    let document = document(&["ours"], vec![marked]);
    let text = document.to_json().unwrap();
    assert!(text.contains("\"delivered_percent\": 99.0") && text.contains("\"noisy\""), "{text}");
    assert_eq!(Document::from_json(&text).unwrap(), document);
    let other = text.replace("trackyard.suite/1", "trackyard.suite/9");
    assert!(matches!(Document::from_json(&other), Err(ReadError::Schema(_))));
    assert!(matches!(Document::from_json("{}"), Err(ReadError::Format(_))));
}
