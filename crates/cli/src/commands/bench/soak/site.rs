//! The server that is tested: a child of this process, with ports, keys and a configuration of its own.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};
use tokio::time::interval;
use trackyard::{Room, RoomEvents, RoomOptions};
use trackyard_auth::{Token, VideoGrant};
use trackyard_bench::soak::{Footprint, Tolerance};

use super::http::{self, Metrics};
use super::process::{self, Word};
use crate::clock;

/// A server listens by then.
const START_MAX: Duration = Duration::from_secs(20);
/// How often it is looked whether something has come about.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Another program may take a free port first.
const PORT_TRIES: usize = 5;
/// Below those of outgoing connections.
const PORTS: RangeInclusive<u16> = 20_000..=31_999;
const PORTS_LOOKED_AT: usize = 1_000;
const KEY: &str = "soak";
/// What bystanders publish. A machine that stands still for a moment is no fault of the server's, so its frames may grow older
/// than others; how old they get is reported.
pub(super) const PATIENT_TRACK: &str = "pose";
/// Tokens are signed as of two hours ago, so that no clock that is an hour off thinks that they are from the future.
const SIGNED_BEFORE_S: u64 = 2 * 3_600;
const VALIDITY: Duration = Duration::from_secs(6 * 3_600);
/// A token that begins so much later than a clock that may be off is not valid yet.
const TELLING_S: i64 = 600;

/// Where a server logs.
#[derive(Debug, Clone)]
pub(super) enum Log {
    /// Into a file.
    File(PathBuf),
    /// Nowhere: the device is full.
    Full,
}

/// A server in a process of its own; killed with its owner.
#[derive(Debug)]
pub(super) struct Site {
    child: Mutex<Child>,
    /// What it is told of faults.
    orders: Mutex<Option<ChildStdin>>,
    pub(super) pid: u32,
    pub(super) http: SocketAddr,
    pub(super) udp: SocketAddr,
    pub(super) tcp: SocketAddr,
    secret: String,
}

impl Site {
    /// Starts a server whose configuration is written into this directory.
    ///
    /// # Errors
    /// When none listens.
    pub(super) async fn start(directory: &Path, log: &Log, workers: u16) -> anyhow::Result<Self> {
        let mut failure = anyhow!("no port was tried");
        for _ in 0..PORT_TRIES {
            match Self::try_start(directory, log, workers).await {
                Ok(site) => return Ok(site),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    async fn try_start(directory: &Path, log: &Log, workers: u16) -> anyhow::Result<Self> {
        let [http, udp, tcp] = free_addresses()?;
        let secret = format!("{:032x}", fastrand::u128(..));
        let level = if matches!(log, Log::Full) { "debug" } else { "info" };
        let path = directory.join(format!("server-{}.yaml", http.port()));
        let yaml = format!(
            "port: {}\nbind_addresses: [127.0.0.1]\nworkers: {workers}\nkeys:\n  {KEY}: {secret}\n\
             rtc: {{udp_port: {}, tcp_port: {}, enable_loopback_candidate: true, ips: {{includes: [127.0.0.0/8]}}}}\n\
             room: {{departure_timeout: 1, empty_timeout: 5}}\nlimit: {{max_worker_load: 0}}\nlogging: {{level: {level}}}\n\
             data_tracks: {{rules: [{{tracks: {PATIENT_TRACK}, policy: queue, frames: 64, age_max: 2s}}]}}\n",
            http.port(),
            udp.port(),
            tcp.port()
        );
        write_secret(&path, &yaml)?;
        let mut child =
            command(&path)?.stdout(log.open()?).stderr(log.open()?).spawn().context("no server starts")?;
        let orders = Mutex::new(child.stdin.take());
        let pid = child.id();
        let site = Self { child: Mutex::new(child), orders, pid, http, udp, tcp, secret };
        let listens = site.wait_until_it_listens().await;
        // It is read once; the secret does not stay behind.
        fs::remove_file(&path).with_context(|| format!("{} cannot be removed", path.display()))?;
        listens.map(|()| site)
    }

    async fn wait_until_it_listens(&self) -> anyhow::Result<()> {
        let is_up = move || async move {
            match http::get(self.http, "/readyz").await {
                Ok((200, _)) => Ok(true),
                _ => match self.status()? {
                    Some(status) => bail!("the server has ended: {status}"),
                    None => Ok(false),
                },
            }
        };
        ensure!(until(START_MAX, is_up).await?, "the server does not listen after {START_MAX:?}");
        Ok(())
    }

    /// How it has ended, if it has.
    ///
    /// # Errors
    /// When the system does not say.
    pub(super) fn status(&self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.child.lock().unwrap_or_else(PoisonError::into_inner).try_wait()?)
    }

    /// Orders a fault.
    ///
    /// # Errors
    /// When the server does not listen to orders any more.
    pub(super) fn order(&self, order: &str) -> anyhow::Result<()> {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        let orders = orders.as_mut().context("the server takes no orders any more")?;
        writeln!(orders, "{order}").context("the server takes no orders any more")
    }

    /// Ends it as service managers do, and waits until it has.
    ///
    /// # Errors
    /// When it has not within `limit`.
    pub(super) async fn stop(&self, limit: Duration) -> anyhow::Result<ExitStatus> {
        process::tell(self.pid, Word::Terminate)?;
        ensure!(
            until(limit, move || async move { Ok(self.status()?.is_some()) }).await?,
            "the server has not ended within {limit:?}"
        );
        self.status()?.context("the server runs")
    }

    /// A token for a room.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub(super) fn token(&self, identity: &str, room: &str) -> anyhow::Result<String> {
        self.token_of(identity, room, clock::unix_s().saturating_sub(SIGNED_BEFORE_S))
    }

    fn token_of(&self, identity: &str, room: &str, unix_s: u64) -> anyhow::Result<String> {
        let token = Token::new(identity).grant(VideoGrant::join(room)).validity(VALIDITY);
        token.to_jwt(KEY, &self.secret, unix_s).context("no token can be signed")
    }

    /// Joins a room.
    ///
    /// # Errors
    /// When nothing comes of it.
    pub(super) async fn join(&self, identity: &str, room: &str) -> anyhow::Result<(Room, RoomEvents)> {
        self.join_at(self.http, (identity, room), RoomOptions::new()).await
    }

    /// Joins a room by another way, with options.
    ///
    /// # Errors
    /// When nothing comes of it.
    pub(super) async fn join_at(
        &self,
        address: SocketAddr,
        (identity, room): (&str, &str),
        options: RoomOptions,
    ) -> anyhow::Result<(Room, RoomEvents)> {
        let token = self.token(identity, room)?;
        let joined = Room::connect(&format!("ws://{address}"), token, options).await;
        joined.with_context(|| format!("`{identity}` does not get into `{room}`"))
    }

    /// What it has counted.
    ///
    /// # Errors
    /// When it does not say.
    pub(super) async fn metrics(&self) -> anyhow::Result<Metrics> {
        Metrics::read(self.http).await
    }

    /// What it holds now.
    ///
    /// # Errors
    /// When it does not say, or the system does not.
    pub(super) async fn footprint(&self) -> anyhow::Result<Footprint> {
        process::footprint(self.pid, &self.metrics().await?)
    }

    /// What it holds once no more than so many participants of one room are there and nothing but memory is more
    /// than before, or in the end.
    ///
    /// # Errors
    /// As [`footprint`](Self::footprint).
    pub(super) async fn settled(
        &self,
        (participants, limit): (u64, Duration),
        (before, tolerance): (Option<&Footprint>, Tolerance),
    ) -> anyhow::Result<Footprint> {
        let tolerance = Tolerance { memory_bytes: u64::MAX / 2, ..tolerance };
        let (mut looks, deadline) = (interval(LOOK_EVERY), Instant::now() + limit);
        loop {
            looks.tick().await;
            let now = self.footprint().await?;
            let is_quiet = now.participants <= participants && now.rooms <= 1 && now.tcp_connections == 0;
            let is_settled = before.is_none_or(|before| now.growth(before, &tolerance).is_empty());
            if is_quiet && is_settled || Instant::now() > deadline {
                return Ok(now);
            }
        }
    }

    /// Whether its clock is off by about so much.
    ///
    /// # Errors
    /// When it does not answer.
    pub(super) async fn clock_is_off_by(&self, seconds: i64) -> anyhow::Result<bool> {
        let allows = move |from_s: i64| async move {
            let token = self.token_of("clock", "clock", clock::unix_s().saturating_add_signed(from_s))?;
            let (status, _) = http::get(self.http, &format!("/rtc/validate?access_token={token}")).await?;
            anyhow::Ok(status == 200)
        };
        Ok(allows(seconds - TELLING_S).await? && !allows(seconds + TELLING_S).await?)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        // It has ended already, or is to.
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Log {
    fn open(&self) -> anyhow::Result<Stdio> {
        let path = match self {
            Self::File(path) => path,
            Self::Full => Path::new("/dev/full"),
        };
        let file = OpenOptions::new().append(true).create(true).open(path);
        Ok(file.with_context(|| format!("{} cannot be written", path.display()))?.into())
    }
}

/// Looks until something is so, or not in time.
///
/// # Errors
/// The look's own.
pub(super) async fn until<F>(limit: Duration, mut look: impl FnMut() -> F) -> anyhow::Result<bool>
where
    F: Future<Output = anyhow::Result<bool>>,
{
    let (mut looks, deadline) = (interval(LOOK_EVERY), Instant::now() + limit);
    loop {
        looks.tick().await;
        if look().await? {
            return Ok(true);
        }
        if Instant::now() > deadline {
            return Ok(false);
        }
    }
}

/// This very command.
fn command(config: &Path) -> anyhow::Result<Command> {
    let executable = std::env::current_exe().context("this command does not know where it is")?;
    let mut command = Command::new(executable);
    command.args(["serve", "--faults", "--config"]).arg(config).stdin(Stdio::piped());
    // What is meant for another server is not meant for this one.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("LIVEKIT_") || text.starts_with("TRACKYARD_") || text == "RUST_LOG" {
            command.env_remove(&name);
        }
    }
    // The symbols that the backtrace of a worker's death reads stay in memory, and are no leak of the server's.
    for name in ["NODE_IP", "UDP_PORT", "RUST_BACKTRACE", "RUST_LIB_BACKTRACE"] {
        command.env_remove(name);
    }
    Ok(command)
}

/// HTTP, UDP and TCP, free a moment ago, of those that the system gives to nobody's outgoing connections: of these a
/// soak has many, and one could come between the look and the server.
fn free_addresses() -> anyhow::Result<[SocketAddr; 3]> {
    let hold = |port: u16| {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Some((TcpListener::bind(address).ok()?, UdpSocket::bind(address).ok()?, address))
    };
    let ports = std::iter::repeat_with(|| fastrand::u16(PORTS)).take(PORTS_LOOKED_AT);
    // Held until all three are there, so that none is the same.
    let held: Vec<_> = ports.filter_map(hold).take(3).collect();
    let [(.., http), (.., udp), (.., tcp)] = held.as_slice() else { bail!("no port is free") };
    Ok([*http, *udp, *tcp])
}

#[cfg(unix)]
fn write_secret(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;

    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    write_all(file, path, text)
}

#[cfg(not(unix))]
fn write_secret(path: &Path, text: &str) -> anyhow::Result<()> {
    write_all(File::create(path), path, text)
}

fn write_all(file: std::io::Result<File>, path: &Path, text: &str) -> anyhow::Result<()> {
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.with_context(|| format!("{} cannot be written", path.display()))
}
