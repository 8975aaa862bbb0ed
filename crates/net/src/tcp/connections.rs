//! A worker's ICE/TCP connections.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Registry, Token};
use trackyard_peer::Transmit;

use super::connection::Ends;
use super::{Connection, Filled};
use crate::counters::NetCounters;

/// How often silent connections are looked for.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
/// Bytes read from a connection in one pass.
const READ_BYTES: usize = 32 * 1024;

/// Connections by token and by who is at the other end. Tokens are not used twice, so that a late
/// readiness event harms nobody.
#[derive(Debug)]
pub(crate) struct Connections {
    by_token: HashMap<Token, Entry>,
    by_remote: HashMap<SocketAddr, Token>,
    readable: VecDeque<Token>,
    next_token: usize,
    next_sweep: Option<Instant>,
    scratch: Box<[u8]>,
}

#[derive(Debug)]
struct Entry {
    connection: Connection,
    is_readable: bool,
    stage: Stage,
}

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Its first frame decides whose it is.
    Greeting,
    /// It is a peer's.
    Serving,
}

/// A frame and where it has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    pub(crate) contents: &'a [u8],
    /// It decides whose the connection is.
    pub(crate) is_greeting: bool,
}

impl Connections {
    /// None yet; tokens count up from `first_token`.
    pub(crate) fn new(first_token: usize) -> Self {
        Self {
            by_token: HashMap::new(),
            by_remote: HashMap::new(),
            readable: VecDeque::new(),
            next_token: first_token,
            next_sweep: None,
            scratch: vec![0; READ_BYTES].into_boxed_slice(),
        }
    }

    /// Takes a connection, from a listener or from another worker.
    pub(crate) fn add(
        &mut self,
        mut connection: Connection,
        registry: &Registry,
        now: Instant,
    ) -> io::Result<()> {
        let token = Token(self.next_token);
        self.next_token += 1;
        connection.register(registry, token)?;
        self.by_remote.insert(connection.ends.remote, token);
        self.by_token.insert(token, Entry { connection, is_readable: true, stage: Stage::Greeting });
        self.readable.push_back(token);
        self.next_sweep.get_or_insert(now + SWEEP_INTERVAL);
        Ok(())
    }

    /// The system says that something can be done.
    pub(crate) fn on_ready(&mut self, event: &mio::event::Event, counters: &NetCounters) {
        let token = event.token();
        let Some(entry) = self.by_token.get_mut(&token) else { return };
        if event.is_writable() && entry.connection.flush().is_err() {
            return self.end(token, counters);
        }
        if !entry.is_readable {
            entry.is_readable = true;
            self.readable.push_back(token);
        }
    }

    /// Connections that may have something to read.
    pub(crate) fn readable(&self) -> usize {
        self.readable.len()
    }

    /// Reads the next readable connection once; its frames can be taken then.
    pub(crate) fn read_next(&mut self, counters: &NetCounters) -> Option<Token> {
        let token = self.readable.pop_front()?;
        let entry = self.by_token.get_mut(&token)?;
        entry.is_readable = false;
        match entry.connection.fill(&mut self.scratch) {
            Ok(Filled::Drained) => {}
            Ok(Filled::Some) => {
                entry.is_readable = true;
                self.readable.push_back(token);
            }
            Err(_) => self.end(token, counters),
        }
        Some(token)
    }

    /// The next whole frame of a connection.
    pub(crate) fn next_frame(
        &mut self,
        token: Token,
        counters: &NetCounters,
        now: Instant,
    ) -> Option<Frame<'_>> {
        // Looked up again below: a borrow that is returned on one path is held on all.
        let entry = self.by_token.get_mut(&token)?;
        if entry.connection.check_frame(now).is_err() {
            self.end(token, counters);
            return None;
        }
        let entry = self.by_token.get_mut(&token)?;
        let Ends { local, remote } = entry.connection.ends;
        let is_greeting = entry.stage == Stage::Greeting;
        entry.connection.take_frame().map(|contents| Frame { local, remote, contents, is_greeting })
    }

    /// A peer has taken the connection's first frame.
    pub(crate) fn serve(&mut self, token: Token) {
        if let Some(entry) = self.by_token.get_mut(&token) {
            entry.stage = Stage::Serving;
        }
    }

    /// Gives a connection away, its first frame unread.
    pub(crate) fn hand_over(
        &mut self,
        token: Token,
        frame_bytes: usize,
        registry: &Registry,
    ) -> Option<Connection> {
        let mut connection = self.remove(token)?.connection;
        connection.unread(frame_bytes);
        connection.deregister(registry).ok()?;
        Some(connection)
    }

    /// Closes a connection.
    pub(crate) fn close(&mut self, token: Token) {
        self.remove(token);
    }

    /// Closes all of them.
    pub(crate) fn close_all(&mut self) {
        self.by_token.clear();
        self.by_remote.clear();
        self.readable.clear();
        self.next_sweep = None;
    }

    /// Closes the connection to `remote`: no peer answers to it any more.
    pub(crate) fn close_remote(&mut self, remote: &SocketAddr) {
        if let Some(&token) = self.by_remote.get(remote) {
            self.close(token);
        }
    }

    /// Sends a datagram of a peer.
    pub(crate) fn send(&mut self, transmit: &Transmit, counters: &NetCounters) {
        let token = self.by_remote.get(&transmit.destination).copied();
        let Some((token, entry)) = token.and_then(|token| Some((token, self.by_token.get_mut(&token)?)))
        else {
            return counters.tcp_no_connection.add(1);
        };
        match entry.connection.send(&transmit.contents) {
            Ok(true) => {}
            Ok(false) => counters.tcp_send_full.add(1),
            Err(_) => self.end(token, counters),
        }
    }

    /// Closes connections that have been silent for too long.
    pub(crate) fn sweep(&mut self, counters: &NetCounters, now: Instant) {
        if self.next_sweep.is_none_or(|at| at > now) {
            return;
        }
        let is_silent =
            |(token, entry): (&Token, &Entry)| (entry.connection.deadline <= now).then_some(*token);
        let silent: Vec<Token> = self.by_token.iter().filter_map(is_silent).collect();
        counters.tcp_timed_out.add(silent.len() as u64);
        silent.into_iter().for_each(|token| self.close(token));
        self.next_sweep = (!self.by_token.is_empty()).then_some(now + SWEEP_INTERVAL);
    }

    /// When to sweep.
    pub(crate) fn next_sweep(&self) -> Option<Instant> {
        self.next_sweep
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.by_token.len()
    }

    /// A connection has ended by itself, or has broken the rules.
    fn end(&mut self, token: Token, counters: &NetCounters) {
        counters.tcp_ended.add(1);
        self.close(token);
    }

    fn remove(&mut self, token: Token) -> Option<Entry> {
        let entry = self.by_token.remove(&token)?;
        // A newer connection from the same place may have taken over.
        if self.by_remote.get(&entry.connection.ends.remote) == Some(&token) {
            self.by_remote.remove(&entry.connection.ends.remote);
        }
        Some(entry)
    }
}
