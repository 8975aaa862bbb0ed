//! How a benchmark ends: limits, Ctrl-C, servers that are not there.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use super::number;
use super::site::{Site, command, only_run, run, said};

const SMALL: [&str; 10] =
    ["--size", "100B", "--rate", "50Hz", "--tracks", "1", "--subscribers", "1", "--warm-up", "100ms"];

#[test]
fn limits_that_are_not_kept_end_with_1_and_say_so() {
    let site = Site::start();
    let run_with = |limits: &[&str]| run(site.bench(&[&SMALL[..], &["--for", "300ms"], limits].concat()));
    let kept = run_with(&["--fail-if-delivery-below", "10%", "--fail-if-p99-above", "10s"]);
    assert_eq!(kept.code, 0, "{}", kept.err);
    let late = run_with(&["--fail-if-p99-above", "1us"]);
    assert_eq!(late.code, 1);
    assert!(
        late.err.contains("the 99th percentile of latency is") && late.out.contains("100B @ 50Hz"),
        "{}",
        late.err
    );
    // Nothing gets through in time: the link takes longer than is waited for.
    let lost =
        run_with(&["--link", "down:1kbit/queue:1ms", "--timeout", "1s", "--fail-if-delivery-below", "99%"]);
    assert!(lost.code == 3 || lost.code == 1, "{} {}", lost.code, lost.err);
}

#[test]
fn what_is_not_delivered_breaks_a_limit() {
    let site = Site::start();
    let load =
        ["--size", "16KiB", "--rate", "100Hz", "--tracks", "1", "--subscribers", "1", "--warm-up", "0s"];
    let limit = ["--link", "down:1Mbit/queue:100ms", "--for", "1s", "--fail-if-delivery-below", "99%"];
    let ran = run(site.bench(&[&load[..], &limit].concat()));
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("% were delivered, below 99 %"), "{}", ran.err);
}

#[test]
fn an_interrupted_run_is_reported() {
    let site = Site::start();
    let mut bench = site.bench(&[&SMALL[..], &["--for", "1h", "--json", "-", "--progress"]].concat());
    let mut bench = bench.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut errors = BufReader::new(bench.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("received") {
        line.clear();
        assert!(errors.read_line(&mut line).unwrap() > 0, "it has ended");
    }
    let interrupt = Command::new("kill").args(["-INT", &bench.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    let mut rest = String::new();
    errors.read_to_string(&mut rest).unwrap();
    let ran = said(bench.wait_with_output().unwrap());
    assert_eq!(ran.code, 130, "{rest}");
    let run = only_run(&ran.out);
    let seconds = number(&run, "scenario.duration_s");
    assert!((0.1..60.0).contains(&seconds), "{seconds}");
    assert!(number(&run, "delivery.delivered_percent") > 80.0, "{run:#}");
    assert!(rest.contains("100B @ 50Hz"), "{rest}");
}

#[test]
fn an_interrupted_joining_ends_at_once() {
    // Accepts connections, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", silent.local_addr().unwrap());
    let bench = ["bench", "--url", &url, "--timeout", "60s"];
    let bench = command(&bench).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _connection = silent.accept().unwrap();
    assert!(Command::new("kill").args(["-INT", &bench.id().to_string()]).status().unwrap().success());
    let ran = said(bench.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.out.as_str()), (130, ""), "{}", ran.err);
}

#[test]
fn a_server_that_is_not_there_ends_with_3() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("ws://{address}");
    for link in [&[][..], &["--link", "rtt:1ms"]] {
        let ran = run(command(&[&["bench", "--url", &url], link].concat()));
        assert_eq!(ran.code, 3, "{}", ran.err);
        assert!(ran.err.contains(&format!("nothing answers at {address}")), "{}", ran.err);
    }
}
