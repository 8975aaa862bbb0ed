//! A program that runs beside a test, and what it prints.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::{interval, timeout};

/// Lines that wait for the test; a program that prints more waits itself.
const LINES_MAX: usize = 1_024;

/// A program with its output piped; killed with its owner.
pub struct Program {
    child: Child,
    lines: Receiver<Line>,
    /// What has been passed over, for whoever asks why it failed.
    seen: Vec<String>,
}

/// Something that a program has printed.
#[derive(Debug, Clone)]
pub struct Line {
    /// Without its end.
    pub text: String,
    /// When it came.
    pub at: Instant,
}

impl Program {
    /// Starts a program as a client of this server, with this token.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(binary: &str, (url, token): (&str, &str), arguments: &[&str]) -> Result<Self> {
        let mut child = Command::new(Path::new(binary))
            .args(arguments)
            .envs([("LIVEKIT_URL", url), ("LIVEKIT_TOKEN", token)])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("{binary} cannot be started"))?;
        let (sender, lines) = mpsc::channel(LINES_MAX);
        read(child.stdout.take().context("its output is not piped")?, sender.clone());
        read(child.stderr.take().context("its errors are not piped")?, sender);
        Ok(Self { child, lines, seen: Vec::new() })
    }

    /// Waits for a line that holds this text, and passes over others.
    ///
    /// # Errors
    /// When none comes within `limit`, or it ends before; the error holds what was printed.
    pub async fn line(&mut self, text: &str, limit: Duration) -> Result<Line> {
        let looking = async {
            while let Some(line) = self.lines.recv().await {
                self.seen.push(line.text.clone());
                if line.text.contains(text) {
                    return Some(line);
                }
            }
            None
        };
        match timeout(limit, looking).await {
            Ok(Some(line)) => Ok(line),
            Ok(None) => bail!("it has ended without `{text}`:\n{}", self.seen.join("\n")),
            Err(_) => bail!("no `{text}` within {limit:?}:\n{}", self.seen.join("\n")),
        }
    }

    /// Everything that it has printed so far and the test has looked at.
    #[must_use]
    pub fn seen(&self) -> &[String] {
        &self.seen
    }

    /// Kills it on the spot, as a power cut does.
    ///
    /// # Errors
    /// When the system does not.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end, as Ctrl-C does.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn interrupt(&self) -> Result<()> {
        let sent = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status()?;
        ensure!(sent.success(), "the signal was not sent");
        Ok(())
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// When it has not within `limit`.
    pub async fn ended(&mut self, limit: Duration) -> Result<ExitStatus> {
        let deadline = Instant::now() + limit;
        let mut looks = interval(Duration::from_millis(20));
        loop {
            looks.tick().await;
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            ensure!(Instant::now() < deadline, "it still runs after {limit:?}:\n{}", self.seen.join("\n"));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended already, or is to.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(stream: impl Read + Send + 'static, lines: Sender<Line>) {
    thread::spawn(move || {
        for text in BufReader::new(stream).lines().map_while(Result::ok) {
            if lines.blocking_send(Line { text, at: Instant::now() }).is_err() {
                return;
            }
        }
    });
}
