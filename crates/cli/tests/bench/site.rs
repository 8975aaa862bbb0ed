//! A real server on loopback, and benchmarks of it.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// A server that is killed with its test.
pub(crate) struct Site {
    server: Child,
    url: String,
}

/// What a benchmark has said.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Site {
    pub(crate) fn start() -> Self {
        let ports = ["--port", "0", "--udp-port", "0", "--tcp-port", "0"];
        let mut server = command(&[&["dev", "--log-level", "error"], &ports[..]].concat());
        let mut server = server.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
        let url = lines.find_map(|line| {
            line.split_whitespace().find(|word| word.starts_with("ws://")).map(str::to_owned)
        });
        Self { server, url: url.expect("a URL in the banner") }
    }

    /// The command of a benchmark of this server.
    pub(crate) fn bench(&self, args: &[&str]) -> Command {
        let own =
            ["bench", "--url", &self.url, "--api-key", "devkey", "--api-secret", "secret", "--room", "b"];
        command(&[&own[..], args].concat())
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// As the suite is told of it.
    pub(crate) fn as_subject(&self, name: &str) -> String {
        format!("name={name},url={},pid={}", self.url, self.pid())
    }

    /// Its process.
    pub(crate) fn pid(&self) -> String {
        self.server.id().to_string()
    }

    /// A run that succeeds, as the only run of its JSON document.
    pub(crate) fn measure(&self, args: &[&str]) -> Value {
        let ran = run(self.bench(&[args, &["--json", "-"]].concat()));
        assert_eq!(ran.code, 0, "{}", ran.err);
        only_run(&ran.out)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // It has ended already, or is to.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The command with an empty environment, so that the machine's own does not count.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trackyard"));
    command.args(args).env_clear();
    command
}

/// Runs a command to its end.
pub(crate) fn run(mut command: Command) -> Ran {
    said(command.output().unwrap())
}

pub(crate) fn said(output: Output) -> Ran {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// The one run of a document.
pub(crate) fn only_run(json: &str) -> Value {
    // The command's own reader knows every field.
    trackyard_bench::report::Results::from_json(json).unwrap();
    let document: Value = serde_json::from_str(json).unwrap();
    let [run] = document["runs"].as_array().unwrap().as_slice() else { panic!("{document}") };
    run.clone()
}

/// A file that goes away with its test.
pub(crate) struct TempFile(PathBuf);

impl TempFile {
    pub(crate) fn new(name: &str) -> Self {
        Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id())))
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    pub(crate) fn read(&self) -> String {
        std::fs::read_to_string(&self.0).unwrap()
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        // A file that is left behind does no harm.
        let _ = std::fs::remove_file(&self.0);
    }
}
