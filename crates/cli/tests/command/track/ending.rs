//! Ctrl-C, and readers that go away.

use std::io::Read;

use super::site::{Site, write_forever};

#[test]
fn ctrl_c_is_how_verbs_without_a_bound_end() {
    let site = Site::start();
    let _publisher = site.publish("robot", &["load", "--size", "64", "--timestamp"]);
    for args in [&["echo", "load", "--json"][..], &["hz", "load"], &["bw", "load"], &["delay", "load"]] {
        let mut client = site.track(args);
        let (_, _rest) = client.first_line();
        assert_eq!(client.interrupt().code, Some(0), "{args:?}");
    }
}

#[test]
fn ctrl_c_before_the_work_is_done_ends_with_130() {
    let site = Site::start();
    let mut waiting = site.track(&["echo", "nothing", "--timeout", "60s"]);
    waiting.warned("note: no key is given");
    assert_eq!(waiting.interrupt().code, Some(130));

    let _publisher = site.publish("robot", &["load", "--size", "64"]);
    let mut counting = site.track(&["echo", "load", "--json", "--count", "100000"]);
    let (_, _rest) = counting.first_line();
    assert_eq!(counting.interrupt().code, Some(130));
}

#[test]
fn a_publisher_that_is_interrupted_unpublishes_and_tells_what_it_did() {
    let site = Site::start();
    let mut list = site.track(&["list", "--watch", "--json"]);
    let publisher = site.publish("robot", &["load", "--size", "64", "--json"]);
    let said = site.track(&["echo", "load", "--count", "3", "--for", "30s"]).finish();
    assert_eq!(said.code, Some(0), "{}", said.err);
    let summary = publisher.interrupt().json();
    assert!(summary["sent"].as_u64().unwrap() >= 3, "{summary}");
    let (first, rest) = list.first_line();
    let mut events = vec![first];
    for line in std::io::BufRead::lines(rest) {
        events.push(line.unwrap());
        if events.last().unwrap().contains("participant_left") {
            break;
        }
    }
    let names = ["participant_joined", "track_published", "track_unpublished", "participant_left"];
    assert_eq!(events.len(), names.len(), "{events:?}");
    for (event, name) in events.iter().zip(names) {
        assert!(event.contains(name) && event.contains("\"identity\":\"robot\""), "{events:?}");
    }
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let site = Site::start();
    let _publisher = site.publish("robot", &["load", "--size", "16KiB", "--timestamp"]);
    for args in
        [&["echo", "load"][..], &["echo", "load", "--raw"], &["echo", "load", "--json"], &["hz", "load"]]
    {
        let mut client = site.track(args);
        let mut out = client.stdout();
        out.read_exact(&mut [0; 10]).unwrap();
        drop(out);
        let said = client.finish();
        assert_eq!(said.code, Some(0), "{args:?}: {}", said.err);
        assert!(!said.err.contains("error"), "{args:?}: {}", said.err);
    }
}

#[test]
fn input_without_end_is_ended_by_ctrl_c() {
    let site = Site::start();
    let mut publisher = site.publish("robot", &["lines", "--json"]);
    write_forever(publisher.stdin(), &["line"]);
    let said = site.track(&["echo", "lines", "--utf8", "--count", "2", "--for", "30s"]).finish();
    assert_eq!(said.text(), "line\nline\n");
    assert!(publisher.interrupt().json()["pushed"].as_u64().unwrap() >= 2);
}
