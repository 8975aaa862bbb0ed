//! A server in a process of its own, and what the system knows of it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::time::interval;

use crate::live::LiveConfig;
use crate::metrics::Metrics;
use crate::site::{Ports, client_of, configuration, free_port};

/// A server listens by then.
const START_MAX: Duration = Duration::from_secs(20);
/// Lines of its log kept for whoever asks why it failed.
const LOG_LINES_MAX: usize = 10_000;

/// A server in a process of its own; killed with its owner.
pub struct ServerProcess {
    child: Child,
    orders: ChildStdin,
    log: Receiver<String>,
    http: SocketAddr,
    udp: SocketAddr,
    tcp: SocketAddr,
}

impl ServerProcess {
    /// Starts `binary serve` with these keys of configuration on top, and waits until it listens.
    ///
    /// # Errors
    /// When it does not; the error holds its log.
    pub fn start(binary: &Path, yaml: &str) -> Result<Self> {
        let ports = Ports { http: free_port()?, udp: free_port()?, tcp: free_port()? };
        let body = configuration(&format!("{yaml}\nlogging: {{level: info}}"), ports);
        let mut child = Command::new(binary)
            .args(["serve", "--config-body", &body])
            .env_remove("RUST_LOG")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} cannot be started", binary.display()))?;
        let stderr = child.stderr.take().context("its log is not piped")?;
        let orders = child.stdin.take().context("its standard input is not piped")?;
        let (lines, log) = mpsc::sync_channel(LOG_LINES_MAX);
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                // A full log keeps its beginning; the pipe must not fill up.
                let _ = lines.try_send(line);
            }
        });
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let (http, udp, tcp) = (address(ports.http), address(ports.udp), address(ports.tcp));
        let server = Self { child, orders, log, http, udp, tcp };
        server.wait_until_it_listens()?;
        Ok(server)
    }

    fn wait_until_it_listens(&self) -> Result<()> {
        let deadline = Instant::now() + START_MAX;
        let mut seen = Vec::new();
        loop {
            match self.log.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if line.contains("serving") => return Ok(()),
                Ok(line) => seen.push(line),
                Err(_) => bail!("the server does not listen:\n{}", seen.join("\n")),
            }
        }
    }

    /// HTTP and WebSocket.
    #[must_use]
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// ICE over UDP.
    #[must_use]
    pub fn udp(&self) -> SocketAddr {
        self.udp
    }

    /// ICE over TCP.
    #[must_use]
    pub fn tcp(&self) -> SocketAddr {
        self.tcp
    }

    /// How a client of this identity connects to a room.
    #[must_use]
    pub fn client(&self, identity: &str, room: &str) -> LiveConfig {
        client_of(self.http, identity, room)
    }

    /// What it has counted.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn metrics(&self) -> Result<Metrics> {
        Metrics::read(self.http).await
    }

    /// The process as the system sees it.
    #[must_use]
    pub fn process(&self) -> Process {
        Process(self.child.id())
    }

    /// Has a worker die, if it is the rig's own server: another does not listen for that.
    ///
    /// # Errors
    /// When it cannot be told.
    pub fn kill_worker(&self, worker: u16) -> Result<()> {
        Ok(writeln!(&self.orders, "{worker}")?)
    }

    /// Asks it to end, as service managers do.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn terminate(&self) -> Result<()> {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        anyhow::ensure!(sent.success(), "the signal was not sent");
        Ok(())
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn is_alive(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
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
            if Instant::now() > deadline {
                bail!("the server still runs after {limit:?}:\n{}", self.log().join("\n"));
            }
        }
    }

    /// Its log since it was last read.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.log.try_iter().collect()
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It has ended already, or is to.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process as the system sees it.
#[derive(Debug, Clone, Copy)]
pub struct Process(u32);

impl Process {
    /// This one.
    #[must_use]
    pub fn own() -> Self {
        Self(std::process::id())
    }

    /// Its number.
    #[must_use]
    pub fn id(self) -> u32 {
        self.0
    }

    /// Memory it holds, in KiB, without what it shares with files.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn memory_kib(self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0))?;
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).context("no RssAnon")?;
        Ok(line.trim().trim_end_matches("kB").trim().parse()?)
    }

    /// Descriptors it has open.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn descriptors(self) -> Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.0))?.count())
    }

    /// Time on a processor of each of its workers' threads, in their order.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn workers_cpu(self) -> Result<Vec<Duration>> {
        let mut workers = Vec::new();
        for thread in fs::read_dir(format!("/proc/{}/task", self.0))? {
            let thread = thread?.path();
            let name = fs::read_to_string(thread.join("comm"))?;
            let Some(number) = name.trim().strip_prefix("worker-") else { continue };
            workers.push((number.parse::<u16>()?, on_processor(&thread)?));
        }
        workers.sort_unstable();
        Ok(workers.into_iter().map(|(_, cpu)| cpu).collect())
    }

    /// Time on a processor, of all its threads.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn cpu(self) -> Result<Duration> {
        let mut sum = Duration::ZERO;
        for thread in fs::read_dir(format!("/proc/{}/task", self.0))? {
            sum += on_processor(&thread?.path())?;
        }
        Ok(sum)
    }
}

fn on_processor(thread: &Path) -> Result<Duration> {
    let text = fs::read_to_string(thread.join("schedstat"))?;
    Ok(Duration::from_nanos(text.split(' ').next().context("no time")?.parse()?))
}
