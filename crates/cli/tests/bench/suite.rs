//! `trackyard bench suite` against real servers on loopback.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use trackyard_bench::suite::{Document, Group, Metric};

use super::site::{Ran, Site, command, run};

/// A folder that goes away with its test.
struct TempFolder(PathBuf);

impl TempFolder {
    fn new(name: &str) -> Self {
        Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id())))
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        // A folder that is left behind does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn suite(args: &[&str]) -> Ran {
    run(command(&[&["bench", "suite"], args].concat()))
}

#[test]
fn two_servers_are_compared_and_everything_is_written() {
    let (first, second, out) = (Site::start(), Site::start(), TempFolder::new("suite"));
    let (first, second) = (first.as_subject("ours"), second.as_subject("other"));
    let only =
        "one-to-one/1kHz,links/64KiB@38Hz-down-5*queue-200ms,memory/idle,tracks/subscribe-100,joining/crowd";
    let ran =
        suite(&["--server", &first, "--server", &second, "--quick", "--only", only, "--out", out.path()]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let document = Document::from_json(&out.read("suite.json")).unwrap();
    assert!(document.runs.iter().all(|run| run.unfinished.is_none()), "{:?}", document.runs);
    let order: Vec<_> = document.runs.iter().map(|run| (run.scenario.as_str(), run.server)).collect();
    assert_eq!(order.len(), 10);
    assert!(order.chunks(2).all(|pair| pair[0].0 == pair[1].0 && (pair[0].1, pair[1].1) == (0, 1)));
    assert!(document.servers.iter().all(|server| server.version.is_some()));
    let row = &document.rows(Group::OneToOne)[0];
    let delivered = row.cells.iter().map(|cell| cell.values[&Metric::DeliveredPercent].median);
    assert!(delivered.into_iter().all(|percent| percent > 80.0), "{row:?}");
    // At lower rates a server may take less than the hundredth of a second in which its time is told.
    assert!(row.cells.iter().all(|cell| cell.values[&Metric::CpuUsPerPacket].median > 0.0), "{row:?}");
    let slow: Vec<_> = document.rows(Group::Links).iter().map(|row| row.title.clone()).collect();
    assert!(slow.len() == 2 && slow[0].ends_with(": fast") && slow[1].ends_with(": slow"), "{slow:?}");
    let idle = &document.rows(Group::Memory)[0];
    assert!(idle.cells[0].values[&Metric::IdleRssMib].median > 1.0, "{idle:?}");
    assert_eq!(ran.out, out.read("suite.md").split("\n![").next().unwrap());
    assert!(
        out.read("suite-links.svg").contains("</svg>") && out.read("suite-joining.svg").contains("</svg>")
    );
}

#[test]
fn a_server_is_started_anew_and_ended() {
    let out = TempFolder::new("started");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let program = env!("CARGO_BIN_EXE_trackyard");
    let server = format!(
        "url=ws://127.0.0.1:{port},run={program} dev --log-level error --port {port} --udp-port 0 --tcp-port 0"
    );
    let ran = suite(&[
        "--server",
        &server,
        "--quick",
        "--only",
        "memory/*",
        "--runs",
        "2",
        "--json",
        "--out",
        out.path(),
    ]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let document = Document::from_json(&ran.out).unwrap();
    assert_eq!(document.runs.len(), 6);
    assert!(document.runs.iter().all(|run| run.unfinished.is_none() && run.marks.is_empty()));
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err(), "it still runs");
}

#[test]
fn an_interrupted_suite_reports_what_it_has_and_lets_the_server_go() {
    let site = Site::start();
    let pid = site.pid();
    let before = allowed(&pid);
    let server = site.as_subject("ours");
    let args = ["bench", "suite", "--server", &server, "--only", "one-to-one/100Hz", "--for", "1s"];
    let args = [&args[..], &["--warm-up", "0s", "--runs", "100", "--pin-server", "0", "--json"]].concat();
    let mut suite = command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(suite.stderr.take().unwrap()));
    let second = lines.find(|line| line.as_ref().unwrap().contains("run 2 of 100"));
    assert!(second.is_some());
    let kept = allowed(&pid);
    assert!(Command::new("kill").args(["-INT", &suite.id().to_string()]).status().unwrap().success());
    lines.for_each(drop);
    let ran = super::site::said(suite.wait_with_output().unwrap());
    assert_eq!(ran.code, 130);
    let document = Document::from_json(&ran.out).unwrap();
    assert!(!document.runs.is_empty() && document.servers[0].core == Some(0), "{document:?}");
    assert!(kept.iter().all(|cores| cores == "0"), "{kept:?}");
    let after = allowed(&pid);
    assert!(after.iter().all(|cores| *cores == before[0]), "{before:?} {after:?}");
}

/// Where each thread of a process may run.
fn allowed(pid: &str) -> Vec<String> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let cores = |status: String| {
        let line = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        line.unwrap().trim().to_owned()
    };
    threads.map(|thread| cores(fs::read_to_string(thread.unwrap().path().join("status")).unwrap())).collect()
}

#[test]
fn what_makes_no_sense_says_what_to_do() {
    for (args, message) in [
        (&["--only", "nothing/*", "--list"][..], "--list shows all"),
        (&[], "--server <SERVER>"),
        (&["--server", "name=a"], "url= is missing"),
        (&["--server", "url=ws://h", "--pin-server", "0"], "--pin-server needs pid= or run="),
        (&["--server", "url=ws://h", "--server", "url=ws://h"], "give name= to each"),
        (&["--server", "url=ws://example.org"], "no key to join with"),
        (&["--server", "url=wss://h"], "needs a server at a ws:// URL"),
        (
            &["--server", "url=wss://h,run=serve", "--only", "memory/idle"],
            "run= needs a server at a ws:// URL",
        ),
        (&["--server", "url=wss://h", "--only", "one-to-one/*"], "no key to join with"),
    ] {
        let ran = suite(args);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.err);
        assert!(ran.err.contains(message), "{args:?}: {}", ran.err);
    }
}

#[test]
fn a_server_that_is_not_there_ends_with_3() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ran = suite(&["--server", &format!("name=gone,url=ws://{address}"), "--quick"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("gone does not let clients in"), "{}", ran.err);
}

#[test]
fn a_server_that_is_in_the_way_is_not_measured_instead_of_another() {
    let site = Site::start();
    let program = env!("CARGO_BIN_EXE_trackyard");
    let server = format!("name=ours,url={},run={program} dev --udp-port 0 --tcp-port 0", site.url());
    let ran = suite(&["--server", &server, "--quick", "--only", "one-to-one/100Hz"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("ours: another server listens at 127.0.0.1:"), "{}", ran.err);
}

#[test]
fn scenarios_are_listed_without_a_server() {
    let ran = suite(&["--list"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.lines().count() > 40 && ran.out.contains("one-to-one/8.5kHz"), "{}", ran.out);
    let ran = suite(&["--list", "--json", "--only", "one-to-one/8.5kHz"]);
    let list: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(list[0]["name"], "one-to-one/8.5kHz", "{list}");
}
