//! A server, and clients that are run against it.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::support::{Server, command};

/// A server of its own for a test, which ends with it.
pub(crate) struct Site {
    _server: Server,
    pub(crate) url: String,
}

impl Site {
    pub(crate) fn start() -> Self {
        let ports = ["--port", "0", "--udp-port", "0", "--tcp-port", "0"];
        let mut server = Server::start(&[&["dev", "--log-level", "error"], &ports[..]].concat());
        let banner = server.until("Ctrl-C stops the server.");
        let url = banner.split_whitespace().find(|word| word.starts_with("ws://")).unwrap();
        Self { url: url.to_owned(), _server: server }
    }

    /// Starts `trackyard track` with these arguments.
    pub(crate) fn track(&self, args: &[&str]) -> Client {
        self.track_with(args, &[])
    }

    /// The same with an environment.
    pub(crate) fn track_with(&self, args: &[&str], env: &[(&str, &str)]) -> Client {
        self.run(&[&["track"], args].concat(), env)
    }

    /// Starts `trackyard` with these arguments and this environment.
    pub(crate) fn run(&self, args: &[&str], env: &[(&str, &str)]) -> Client {
        let mut command = command(args);
        command.env("LIVEKIT_URL", &self.url).envs(env.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let err = child.stderr.take().map(BufReader::new);
        Client(child, err)
    }

    /// Publishes under this identity until the client goes, 50 frames a second.
    pub(crate) fn publish(&self, identity: &str, args: &[&str]) -> Client {
        self.track(&[&["pub", "--identity", identity, "--wait", "0", "--rate", "50Hz"], args].concat())
    }
}

/// A client, which is killed with its test, and its standard error.
pub(crate) struct Client(Child, Option<BufReader<ChildStderr>>);

/// What it has said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
}

impl Client {
    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Said {
        // The end of its input, should it read that.
        drop(self.0.stdin.take());
        self.wait()
    }

    /// Ctrl-C, and its end.
    pub(crate) fn interrupt(mut self) -> Said {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        self.wait()
    }

    fn wait(&mut self) -> Said {
        let err = self.1.take();
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

    pub(crate) fn stdout(&mut self) -> ChildStdout {
        self.0.stdout.take().unwrap()
    }

    /// Its first line of standard output, and what follows.
    pub(crate) fn first_line(&mut self) -> (String, BufReader<ChildStdout>) {
        let mut out = BufReader::new(self.stdout());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "it has ended");
        (line, out)
    }

    /// Waits until its standard error holds a line with this text; what follows is read at its end.
    pub(crate) fn warned(&mut self, text: &str) {
        let err = self.1.as_mut().unwrap();
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert_ne!(err.read_line(&mut line).unwrap(), 0, "it has ended without `{text}`");
        }
    }

    pub(crate) fn stdin(&mut self) -> ChildStdin {
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
    pub(crate) fn text(&self) -> &str {
        assert_eq!(self.code, Some(0), "{}", self.err);
        std::str::from_utf8(&self.out).unwrap()
    }

    /// Standard output as one document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.text()).unwrap()
    }

    /// Standard output as one object per line.
    #[track_caller]
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// That it failed with this code and these words.
    #[track_caller]
    pub(crate) fn failed(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.err);
        for word in words {
            assert!(self.err.contains(word), "`{word}` in {}", self.err);
        }
    }
}

/// The keys of an object.
pub(crate) fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Writes these lines again and again until nobody reads them.
pub(crate) fn write_forever(mut input: ChildStdin, lines: &'static [&'static str]) {
    std::thread::spawn(move || {
        for line in lines.iter().cycle() {
            if writeln!(input, "{line}").is_err() {
                return;
            }
        }
    });
}

/// A directory that goes away with the test.
pub(crate) struct TempDir(PathBuf);

impl TempDir {
    pub(crate) fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// One within another.
    pub(crate) fn inside(outer: &Self, name: &str) -> Self {
        let path = outer.0.join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// Writes a file into it.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Its files, in the order of their names.
    pub(crate) fn files(&self) -> Vec<(String, Vec<u8>)> {
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
