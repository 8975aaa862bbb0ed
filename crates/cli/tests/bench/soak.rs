//! `trackyard bench soak` with a server of its own: small, each fault once.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::number;
use super::site::{Ran, command, run, said};

/// A server that is told to end has ended by then.
const ENDS_WITHIN: Duration = Duration::from_secs(30);

/// A directory of this test's own.
fn directory(name: &str) -> PathBuf {
    let directory =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("soak-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    directory
}

#[test]
fn a_small_soak_of_every_fault_holds() {
    let out = directory("small");
    let soak =
        ["bench", "soak", "--joins", "300", "--mixed", "--flaps", "3s", "--seed", "7", "--duration", "5m"];
    let ran = run(command(&[&soak[..], &["--json", "--progress", "--out", out.to_str().unwrap()]].concat()));
    assert_eq!(ran.code, 0, "{}\n{}", ran.err, ran.out);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&report["seed"], &report["is_cut"]), (&7.into(), &false.into()));
    assert_eq!(report["broken"], Value::Array(Vec::new()));
    assert_eq!(number(&report, "joins.done"), 300.0);
    let stages = report["stages"].as_array().unwrap();
    let mut faults: Vec<_> = stages.iter().flat_map(|stage| stage["faults"].as_array().unwrap()).collect();
    faults.sort_by_key(|fault| fault.to_string());
    faults.dedup();
    assert_eq!(faults.len(), 8, "{faults:?}");
    let ago = |name: &str| number(&report, &format!("{name}.participants"));
    assert_eq!((ago("before"), ago("after")), (3.0, 3.0));
    assert!(stages.iter().any(|stage| number(&stage["bystanders"][1], "frames_sent") > 100.0), "{report:#}");
    let kept = std::fs::read_to_string(out.join("report.md")).unwrap();
    assert!(kept.contains("Everything held.") && kept.contains("seed 7"), "{kept}");
    assert!(out.join("server.log").exists() && out.join("report.json").exists());
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 3, "no configuration is left");
    std::fs::remove_dir_all(out).unwrap();
}

#[test]
fn what_does_not_hold_ends_with_1_and_says_so() {
    let temporary = directory("broken");
    // Named twice, it comes once all the same.
    let soak = ["bench", "soak", "--joins", "60", "--only", "joins,joins", "--memory-tolerance", "0"];
    let ran = run(with_temporary(command(&soak), &temporary));
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.err.contains("error: in the end") && ran.err.contains("MiB of memory"), "{}", ran.err);
    assert!(ran.out.contains("What did not hold:") && !ran.out.contains("Cut short"), "{}", ran.out);
    assert!(has_log(&temporary), "{}", ran.err);
    std::fs::remove_dir_all(temporary).unwrap();
}

#[test]
fn unknown_faults_and_too_little_time_are_told() {
    let ran = run(command(&["bench", "soak", "--only", "fire"]));
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("`fire` is none of joins, flaps"), "{}", ran.err);
    let temporary = directory("late");
    let soak = ["bench", "soak", "--only", "joins", "--duration", "3s", "--joins", "1000000"];
    let ran = run(with_temporary(command(&soak), &temporary));
    assert_eq!(ran.code, 124, "{}", ran.err);
    assert!(ran.err.contains("not done within 3s") && ran.out.contains(", cut short: joins."), "{}", ran.out);
    assert!(was_cut(&ran), "{}", ran.out);
    std::fs::remove_dir_all(temporary).unwrap();
}

/// Files that are for a while go there.
fn with_temporary(mut command: Command, directory: &Path) -> Command {
    std::fs::create_dir_all(directory).unwrap();
    command.env("TMPDIR", directory);
    command
}

/// Whether a soak has left a server's log there.
fn has_log(temporary: &Path) -> bool {
    let mut left = std::fs::read_dir(temporary).unwrap();
    left.any(|entry| entry.unwrap().path().join("server.log").exists())
}

fn was_cut(ran: &Ran) -> bool {
    ran.out.contains("Cut short: nothing is known of the end.") && !ran.out.contains("Everything held")
}

/// A soak under way, and its server's process.
struct Running {
    soak: Child,
    server: String,
    temporary: PathBuf,
}

impl Running {
    fn start(name: &str) -> Self {
        let temporary = directory(name);
        let soak = command(&["bench", "soak", "--only", "joins", "--joins", "1000000", "--progress"]);
        let mut soak = with_temporary(soak, &temporary);
        let mut soak = soak.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(soak.stderr.take().unwrap()).lines();
        // The server serves from here on.
        assert!(lines.by_ref().any(|line| line.unwrap().contains("to warm up")), "it has ended");
        // Whoever says more is read by nobody, which does not hold it up.
        std::thread::spawn(move || lines.for_each(drop));
        let children = format!("/proc/{0}/task/{0}/children", soak.id());
        let server = std::fs::read_to_string(children).unwrap().trim().to_owned();
        assert!(server.parse::<u32>().is_ok(), "one server: {server}");
        Self { soak, server, temporary }
    }
}

/// Waits until a process has ended.
fn wait_until_it_has_ended(process: &str) {
    let deadline = Instant::now() + ENDS_WITHIN;
    let runs = || match std::fs::read_to_string(format!("/proc/{process}/stat")) {
        // One that has ended and that nobody asks about is a zombie.
        Ok(stat) => !stat.rsplit(") ").next().unwrap().starts_with('Z'),
        Err(_) => false,
    };
    while runs() {
        assert!(Instant::now() < deadline, "the server outlives its soak");
        std::thread::yield_now();
    }
}

#[test]
fn an_interrupted_soak_takes_its_server_along_and_is_reported() {
    let Running { soak, server, temporary } = Running::start("interrupted");
    signal(&soak.id().to_string(), "-INT");
    let ran = said(soak.wait_with_output().unwrap());
    assert_eq!(ran.code, 130, "{}", ran.err);
    assert!(was_cut(&ran) && has_log(&temporary), "{}", ran.out);
    wait_until_it_has_ended(&server);
    std::fs::remove_dir_all(temporary).unwrap();
}

#[test]
fn a_soak_whose_server_dies_says_so_and_keeps_its_log() {
    let Running { soak, server, temporary } = Running::start("orphan");
    signal(&server, "-KILL");
    let ran = said(soak.wait_with_output().unwrap());
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(was_cut(&ran) && ran.out.contains("What did not hold:") && has_log(&temporary), "{}", ran.out);
    std::fs::remove_dir_all(temporary).unwrap();
}

#[test]
fn a_server_does_not_outlive_a_soak_that_is_killed() {
    let Running { mut soak, server, temporary } = Running::start("killed");
    signal(&soak.id().to_string(), "-KILL");
    assert!(!soak.wait().unwrap().success());
    wait_until_it_has_ended(&server);
    std::fs::remove_dir_all(temporary).unwrap();
}

fn signal(process: &str, signal: &str) {
    assert!(Command::new("kill").args([signal, process]).status().unwrap().success());
}
