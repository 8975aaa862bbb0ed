//! A server, and clients that are run against it.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::support::{Server, command};

/// A server of its own for a test, which ends with it.
pub(super) struct Site {
    _server: Server,
    pub(super) url: String,
}

impl Site {
    pub(super) fn start() -> Self {
        let ports = ["--port", "0", "--udp-port", "0", "--tcp-port", "0"];
        let mut server = Server::start(&[&["dev", "--log-level", "error"], &ports[..]].concat());
        let banner = server.until("Ctrl-C stops the server.");
        let url = banner.split_whitespace().find(|word| word.starts_with("ws://")).unwrap();
        Self { url: url.to_owned(), _server: server }
    }

    /// Starts `trackyard track` with these arguments.
    pub(super) fn track(&self, args: &[&str]) -> Client {
        self.track_with(args, &[])
    }

    /// The same with an environment.
    pub(super) fn track_with(&self, args: &[&str], env: &[(&str, &str)]) -> Client {
        let mut command = command(&[&["track"], args].concat());
        command.env("LIVEKIT_URL", &self.url).envs(env.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Client(command.spawn().unwrap())
    }

    /// Publishes under this identity until the client goes, 50 frames a second.
    pub(super) fn publish(&self, identity: &str, args: &[&str]) -> Client {
        self.track(&[&["pub", "--identity", identity, "--wait", "0", "--rate", "50Hz"], args].concat())
    }
}

/// A client, which is killed with its test.
pub(super) struct Client(Child);

/// What it has said.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) code: Option<i32>,
    pub(super) out: Vec<u8>,
    pub(super) err: String,
}

impl Client {
    /// Waits for its end.
    pub(super) fn finish(mut self) -> Said {
        // The end of its input, should it read that.
        drop(self.0.stdin.take());
        self.wait()
    }

    /// Ctrl-C, and its end.
    pub(super) fn interrupt(mut self) -> Said {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        self.wait()
    }

    fn wait(&mut self) -> Said {
        let err = self.0.stderr.take();
        let err = std::thread::spawn(move || {
            let mut text = String::new();
            err.map(|mut err| err.read_to_string(&mut text).unwrap());
            text
        });
        let mut out = Vec::new();
        if let Some(mut stdout) = self.0.stdout.take() {
            stdout.read_to_end(&mut out).unwrap();
        }
        let code = self.0.wait().unwrap().code();
        Said { code, out, err: err.join().unwrap() }
    }

    pub(super) fn stdout(&mut self) -> ChildStdout {
        self.0.stdout.take().unwrap()
    }

    /// Its first line of standard output, and what follows.
    pub(super) fn first_line(&mut self) -> (String, BufReader<ChildStdout>) {
        let mut out = BufReader::new(self.stdout());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "it has ended");
        (line, out)
    }

    /// Waits until its standard error holds a line with this text.
    pub(super) fn warned(&mut self, text: &str) {
        let mut err = BufReader::new(self.0.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert_ne!(err.read_line(&mut line).unwrap(), 0, "it has ended without `{text}`");
        }
    }

    pub(super) fn stdin(&mut self) -> ChildStdin {
        self.0.stdin.take().unwrap()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // It has ended already, or is to.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Said {
    /// Standard output as text, of a run that went well.
    #[track_caller]
    pub(super) fn text(&self) -> &str {
        assert_eq!(self.code, Some(0), "{}", self.err);
        std::str::from_utf8(&self.out).unwrap()
    }

    /// Standard output as one document.
    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(self.text()).unwrap()
    }

    /// Standard output as one object per line.
    #[track_caller]
    pub(super) fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// That it failed with this code and these words.
    #[track_caller]
    pub(super) fn failed(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.err);
        for word in words {
            assert!(self.err.contains(word), "`{word}` in {}", self.err);
        }
    }
}

/// The keys of an object.
pub(super) fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Writes these lines again and again until nobody reads them.
pub(super) fn write_forever(mut input: ChildStdin, lines: &'static [&'static str]) {
    std::thread::spawn(move || {
        for line in lines.iter().cycle() {
            if writeln!(input, "{line}").is_err() {
                return;
            }
        }
    });
}

/// A directory that goes away with the test.
pub(super) struct TempDir(PathBuf);

impl TempDir {
    pub(super) fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(super) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// Writes a file into it.
    pub(super) fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Its files, in the order of their names.
    pub(super) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let mut files: Vec<_> = entries.map(|entry| read(&entry.unwrap().path())).collect();
        files.sort();
        files
    }
}

fn read(path: &Path) -> (String, Vec<u8>) {
    (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(path).unwrap())
}

impl Drop for TempDir {
    fn drop(&mut self) {
        // A directory that is left behind does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
