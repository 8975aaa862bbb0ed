//! A worker's thread: waits for sockets, the mailbox and the next deadline, and serves them in
//! turns, none for longer than its budget.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mio::{Events, Interest, Poll, Token};
use trackyard_peer::{ConnectionFactory, Datagram, Transport};
use trackyard_sfu::control::{Command, TrackKey};

use crate::EventSink;
use crate::mailbox::StrayDatagram;
use crate::shared::Shared;
use crate::switch::{Fate, Switch};
use crate::tcp::{Connection, Listener};
use crate::udp::Receiver;
use crate::wire::Wire;

/// Wakes the thread for its mailbox.
pub(crate) const WAKER: Token = Token(0);
/// The first UDP socket; the others follow, then the listeners.
const FIRST_SOCKET: usize = 1;
/// ICE/TCP connections count up from here.
pub(crate) const FIRST_CONNECTION: usize = 1_024;
const EVENTS_PER_WAIT: usize = 256;
/// Batches read from one socket in a pass.
const BATCHES_PER_PASS: usize = 8;
/// Time given to commands in a pass: an offer alone can take a millisecond.
const COMMANDS_BUDGET: Duration = Duration::from_millis(3);
/// Packets and datagrams of other workers between two pumps.
const MAIL_PER_PUMP: usize = 64;
/// How often lane totals are published.
const LANES_INTERVAL: Duration = Duration::from_millis(250);

/// The thread's state.
pub(crate) struct WorkerThread<F: ConnectionFactory, S> {
    poll: Poll,
    shared: Arc<Shared>,
    switch: Switch<F, S>,
    wire: Wire,
    listeners: Vec<Listener>,
    receiver: Receiver,
    readable: Vec<bool>,
    mail: Mail,
    lanes_due: Option<Instant>,
}

/// Queues taken from the mailbox; their memory goes back and forth.
#[derive(Debug, Default)]
struct Mail {
    commands: VecDeque<Command>,
    crossings: VecDeque<(TrackKey, Bytes)>,
    datagrams: VecDeque<StrayDatagram>,
    connections: VecDeque<Connection>,
}

impl<F: ConnectionFactory, S: EventSink> WorkerThread<F, S> {
    /// Registers the sockets.
    pub(crate) fn new(
        poll: Poll,
        shared: Arc<Shared>,
        switch: Switch<F, S>,
        (mut wire, mut listeners): (Wire, Vec<Listener>),
    ) -> io::Result<Self> {
        let mut tokens = (FIRST_SOCKET..FIRST_CONNECTION).map(Token);
        let mut next = || tokens.next().ok_or(io::ErrorKind::QuotaExceeded);
        for port in &mut wire.ports {
            poll.registry().register(&mut port.socket, next()?, Interest::READABLE)?;
        }
        for listener in &mut listeners {
            listener.register(poll.registry(), next()?)?;
        }
        let readable = vec![false; wire.ports.len()];
        let (receiver, mail) = (Receiver::new(), Mail::default());
        Ok(Self { poll, shared, switch, wire, listeners, receiver, readable, mail, lanes_due: None })
    }

    /// Serves until told to stop.
    pub(crate) fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS_PER_WAIT);
        while !self.shared.is_stopping() {
            let timeout = self.timeout(Instant::now());
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => self.shared.mailbox.awake(),
            }
            self.shared.counters.wakeups.add(1);
            events.iter().for_each(|event| self.on_ready(event));
            self.pass();
        }
        self.switch.worker.close_all(Instant::now());
        self.switch.pump(&mut self.wire);
        self.publish(Instant::now());
        self.shared.publish_lanes(self.switch.worker.lane_totals());
        Ok(())
    }

    /// How long to wait; `None`: until something comes.
    fn timeout(&self, now: Instant) -> Option<Duration> {
        let is_busy = !self.mail.commands.is_empty()
            || self.readable.contains(&true)
            || self.wire.connections.readable() > 0;
        if is_busy || !self.shared.mailbox.may_sleep() || self.shared.is_stopping() {
            return Some(Duration::ZERO);
        }
        let deadlines = [self.switch.deadline, self.wire.connections.next_sweep(), self.lanes_due];
        let accepts = self.listeners.iter().map(|listener| listener.ready_at);
        let next = deadlines.into_iter().chain(accepts).flatten().min();
        next.map(|at| at.saturating_duration_since(now))
    }

    fn on_ready(&mut self, event: &mio::event::Event) {
        let Token(token) = event.token();
        let ports = self.readable.len();
        match token.checked_sub(FIRST_SOCKET) {
            None => {}
            Some(index) if index < ports => self.readable[index] = true,
            Some(index) if index < ports + self.listeners.len() => {
                self.listeners[index - ports].ready_at = Some(Instant::now())
            }
            Some(_) => self.wire.connections.on_ready(event, &self.shared.counters),
        }
    }

    /// Serves each source in turn.
    fn pass(&mut self) {
        self.read_mail();
        for index in 0..self.readable.len() {
            self.read_udp(index);
        }
        self.accept();
        self.read_connections();
        let now = Instant::now();
        if self.switch.deadline.is_some_and(|at| at <= now) {
            self.switch.worker.handle_timeout(now);
            self.switch.pump(&mut self.wire);
        }
        self.wire.connections.sweep(&self.shared.counters, now);
        self.publish(now);
    }

    fn read_mail(&mut self) {
        self.read_commands();
        let mailbox = &self.shared.mailbox;
        mailbox.crossings.take(&mut self.mail.crossings);
        mailbox.datagrams.take(&mut self.mail.datagrams);
        mailbox.connections.take(&mut self.mail.connections);
        // What a room has said before is known before what others say now.
        if self.mail.commands.is_empty() {
            self.read_user_packets();
        }
        let mut now = Instant::now();
        while let Some(connection) = self.mail.connections.pop_front() {
            self.adopt(connection, now);
        }
        while !self.mail.datagrams.is_empty() || !self.mail.crossings.is_empty() {
            for stray in self.mail.datagrams.drain(..MAIL_PER_PUMP.min(self.mail.datagrams.len())) {
                self.switch.on_stray(&stray, now);
            }
            for (track, packet) in self.mail.crossings.drain(..MAIL_PER_PUMP.min(self.mail.crossings.len())) {
                self.switch.worker.handle_crossing(track, &packet, now);
            }
            self.switch.pump(&mut self.wire);
            now = Instant::now();
        }
    }

    fn read_user_packets(&mut self) {
        let taken = self.shared.mailbox.user_packets.take();
        let mut packets = taken.packets.into_iter().peekable();
        while packets.peek().is_some() {
            let now = Instant::now();
            for (room, packet) in packets.by_ref().take(MAIL_PER_PUMP) {
                self.switch.worker.handle_user_packet(room, &packet, now);
            }
            self.switch.pump(&mut self.wire);
        }
        for room in taken.lost {
            self.switch.worker.handle_user_packets_lost(room, Instant::now());
            self.switch.pump(&mut self.wire);
        }
    }

    fn read_commands(&mut self) {
        if self.mail.commands.is_empty() {
            self.shared.mailbox.commands.take(&mut self.mail.commands);
        }
        let start = Instant::now();
        let mut now = start;
        while now - start < COMMANDS_BUDGET {
            let Some(command) = self.mail.commands.pop_front() else { break };
            self.switch.command(command, now);
            self.switch.pump(&mut self.wire);
            now = Instant::now();
        }
    }

    fn read_udp(&mut self, index: usize) {
        for _ in 0..BATCHES_PER_PASS {
            if !self.readable[index] {
                return;
            }
            self.read_batch(index);
            self.switch.pump(&mut self.wire);
        }
    }

    fn read_batch(&mut self, index: usize) {
        let port = &self.wire.ports[index];
        match self.receiver.fill(port) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.readable[index] = false;
                return;
            }
            // Errors of earlier sends are reported here as well; reading goes on.
            Err(_) => return self.shared.counters.udp_receive_failed.add(1),
        }
        let now = Instant::now();
        for received in self.receiver.datagrams() {
            let Some(destination) = port.names.public_of(received.local) else {
                self.shared.counters.udp_wrong_destination.add(1);
                continue;
            };
            let (source, contents) = (received.source, received.contents);
            let datagram = Datagram { transport: Transport::Udp, source, destination, contents };
            self.switch.on_udp(datagram, now);
        }
    }

    fn accept(&mut self) {
        let now = Instant::now();
        for index in 0..self.listeners.len() {
            for connection in self.listeners[index].accept(&self.shared.counters, now) {
                self.adopt(connection, now);
            }
        }
    }

    /// A connection that cannot be registered is closed by being dropped.
    fn adopt(&mut self, connection: Connection, now: Instant) {
        if self.wire.connections.add(connection, self.poll.registry(), now).is_err() {
            self.shared.counters.tcp_ended.add(1);
        }
    }

    fn read_connections(&mut self) {
        for _ in 0..self.wire.connections.readable() {
            let Some(token) = self.wire.connections.read_next(&self.shared.counters) else { continue };
            self.read_frames(token);
            self.switch.pump(&mut self.wire);
        }
    }

    fn read_frames(&mut self, token: Token) {
        let now = Instant::now();
        let counters = &self.shared.counters;
        while let Some(frame) = self.wire.connections.next_frame(token, counters, now) {
            let (source, destination) = (frame.remote, frame.local);
            let (is_greeting, bytes) = (frame.is_greeting, frame.contents.len());
            let datagram =
                Datagram { transport: Transport::Tcp, source, destination, contents: frame.contents };
            match self.switch.offer(datagram, now) {
                Fate::Mine => self.wire.connections.serve(token),
                Fate::Other(worker) if is_greeting => {
                    let connection = self.wire.connections.hand_over(token, bytes, self.poll.registry());
                    return self.switch.hand_over(worker, connection);
                }
                Fate::Nobody if is_greeting => {
                    counters.tcp_unclaimed.add(1);
                    return self.wire.connections.close(token);
                }
                Fate::Other(worker) => {
                    self.switch.stray(worker, Transport::Tcp, (source, destination), frame.contents);
                }
                Fate::Nobody => counters.unclaimed.add(1),
            }
        }
    }

    fn publish(&mut self, now: Instant) {
        let worker = &self.switch.worker;
        self.shared.publish(worker.counters(), worker.peers(), self.wire.connections.len());
        match self.lanes_due {
            Some(at) if at <= now => {
                self.shared.publish_lanes(self.switch.worker.lane_totals());
                self.lanes_due = None;
            }
            Some(_) => {}
            None => self.lanes_due = Some(now + LANES_INTERVAL),
        }
    }
}
