//! Which findings lead to which words.

use std::time::Duration;

use super::*;

const LIMIT: Duration = Duration::from_secs(2);

fn answered() -> ProbeOutcome {
    ProbeOutcome::Answered { round_trip: Duration::from_millis(3), seen_as: None }
}

fn silent() -> ProbeOutcome {
    ProbeOutcome::NoAnswer { limit: LIMIT }
}

fn paths(reached: &str, candidates: &[(&str, ProbeOutcome)]) -> Paths {
    let candidate = |(text, outcome): &(&str, ProbeOutcome)| {
        let (transport, rest) = text.split_once(' ').unwrap();
        let (host, port) = rest.rsplit_once(':').unwrap();
        let line = format!("1 1 {transport} 1 {host} {port} typ host tcptype passive");
        (Candidate::parse(&line).unwrap(), outcome.clone())
    };
    Paths {
        reached: reached.parse().unwrap(),
        candidates: candidates.iter().map(candidate).collect(),
        has_relay: false,
    }
}

#[track_caller]
fn check_problem(reached: &str, candidates: &[&str], words: &[&str]) {
    let silent: Vec<_> = candidates.iter().map(|candidate| (*candidate, silent())).collect();
    let problem = path_problem(&paths(reached, &silent)).unwrap();
    for part in words {
        assert!(problem.contains(part), "`{part}` in: {problem}");
    }
}

#[test]
fn a_node_ip_that_cannot_be_right_is_called_wrong() {
    let wrong = "The server's node_ip is wrong: it is reached at 8.8.8.8";
    check_problem(
        "8.8.8.8",
        &["udp 10.0.0.5:7882", "tcp 10.0.0.5:7881"],
        &[wrong, "send data to 10.0.0.5, a private address", "rtc.use_external_ip: true"],
    );
    check_problem("8.8.8.8", &["udp 127.0.0.1:7882"], &[wrong, "of its own machine alone"]);
    check_problem("127.0.0.1", &["udp 192.0.2.1:7882"], &["node_ip is wrong: ", "for examples"]);
    check_problem("192.168.1.5", &["udp 127.0.0.1:7882"], &["node_ip is wrong: "]);
}

#[test]
fn an_address_that_may_be_right_is_given_the_benefit_of_the_doubt() {
    check_problem(
        "8.8.8.8",
        &["udp 9.9.9.9:7882"],
        &["node_ip is wrong, or a firewall", "if 9.9.9.9 is right, open UDP port 7882"],
    );
}

#[test]
fn the_right_address_without_an_answer_is_blocked() {
    check_problem(
        "8.8.8.8",
        &["udp 8.8.8.8:7882", "tcp 8.8.8.8:7881"],
        &["UDP and TCP are blocked", "Open UDP port 7882 and TCP port 7881"],
    );
    check_problem(
        "8.8.8.8",
        &["udp 8.8.8.8:7882", "udp 10.0.0.1:7883"],
        &["UDP is blocked, and the server names no TCP address", "Open UDP ports 7882, 7883", "rtc.tcp_port"],
    );
    check_problem("8.8.8.8", &["tcp 8.8.8.8:7881"], &["TCP is blocked, and the server names no UDP address"]);
    check_problem("8.8.8.8", &[], &["names no address for data"]);
}

#[test]
fn one_way_is_enough_and_the_other_is_worth_a_word() {
    let check = |udp, tcp, expected: Option<&str>| {
        let paths = paths("8.8.8.8", &[("udp 8.8.8.8:7882", udp), ("tcp 8.8.8.8:7881", tcp)]);
        assert_eq!(path_problem(&paths), None);
        let warnings = path_warnings(&paths);
        assert_eq!(warnings.len(), usize::from(expected.is_some()), "{warnings:?}");
        assert!(expected.is_none_or(|words| warnings[0].contains(words)), "{warnings:?}");
    };
    check(answered(), answered(), None);
    check(silent(), answered(), Some("UDP is blocked: data goes over TCP, which works, but worse"));
    check(answered(), silent(), Some("TCP is blocked: data goes over UDP"));
    check(answered(), ProbeOutcome::Refused, Some("Open TCP port 7881"));
}

#[test]
fn a_relay_is_enough() {
    let relayed = Paths { has_relay: true, ..paths("8.8.8.8", &[("udp 8.8.8.8:7882", silent())]) };
    assert_eq!(path_problem(&relayed), None);
    assert!(path_warnings(&relayed)[0].contains("data goes through a relay"));
}
