//! A worker's thread: waits for sockets, the mailbox and the next deadline, and serves them in
//! turns, none for longer than its budget.

mod life;
mod mail;
mod sockets;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};
use trackyard_peer::ConnectionFactory;

use crate::EventSink;
use crate::load::LoadMeter;
use crate::pace::Pace;
use crate::shared::Shared;
use crate::switch::{Blueprint, Switch};
use crate::tcp::Listener;
use crate::udp::Receiver;
use crate::wire::Wire;
use life::Past;
use mail::Mail;

/// Wakes the thread for its mailbox.
pub(crate) const WAKER: Token = Token(0);
/// The first UDP socket; the others follow, then the listeners.
const FIRST_SOCKET: usize = 1;
/// ICE/TCP connections count up from here.
pub(crate) const FIRST_CONNECTION: usize = 1_024;
const EVENTS_PER_WAIT: usize = 256;
/// How often lane totals are published.
const LANES_INTERVAL: Duration = Duration::from_millis(250);

/// The thread's state.
pub(crate) struct WorkerThread<F: ConnectionFactory, S> {
    poll: Poll,
    shared: Arc<Shared>,
    blueprint: Blueprint<F, S>,
    switch: Switch<F, S>,
    wire: Wire,
    listeners: Vec<Listener>,
    receiver: Receiver,
    readable: Vec<bool>,
    mail: Mail,
    lanes_due: Option<Instant>,
    load: LoadMeter,
    pace: Pace,
    /// What those before it have counted who have died.
    past: Past,
}

impl<F: ConnectionFactory + Clone, S: EventSink> WorkerThread<F, S> {
    /// Registers the sockets.
    pub(crate) fn new(
        poll: Poll,
        shared: Arc<Shared>,
        blueprint: Blueprint<F, S>,
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
        let now = Instant::now();
        Ok(Self {
            poll,
            shared,
            switch: blueprint.build(now),
            load: LoadMeter::new(blueprint.load_limit_permille, now),
            pace: Pace::new(now),
            blueprint,
            readable: vec![false; wire.ports.len()],
            wire,
            listeners,
            receiver: Receiver::new(),
            mail: Mail::default(),
            lanes_due: None,
            past: Past::default(),
        })
    }

    /// Serves until told to stop.
    fn serve(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS_PER_WAIT);
        let mut awake_since = Instant::now();
        while !self.shared.is_stopping() {
            assert!(!self.shared.is_to_fail(), "told to fail by a test");
            let asleep_at = Instant::now();
            let mut timeout = self.timeout(asleep_at);
            let waits = timeout != Some(Duration::ZERO);
            if let Some(pause) = self.pace.pause(timeout) {
                std::thread::sleep(pause);
                timeout = self.timeout(Instant::now());
            }
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => self.shared.mailbox.awake(),
            }
            self.shared.counters.wakeups.add(1);
            events.iter().for_each(|event| self.on_ready(event));
            self.load.add_busy(asleep_at.saturating_duration_since(awake_since));
            // A look without waiting is work.
            awake_since = if waits { Instant::now() } else { asleep_at };
            if waits {
                self.pace.woken(awake_since);
            }
            self.pass();
        }
        self.switch.worker.close_all(Instant::now());
        self.switch.pump(&mut self.wire);
        self.publish(Instant::now());
        self.publish_lanes();
        Ok(())
    }

    /// How long to wait; `None`: until something comes.
    fn timeout(&self, now: Instant) -> Option<Duration> {
        let is_busy =
            !self.mail.is_empty() || self.readable.contains(&true) || self.wire.connections.readable() > 0;
        if is_busy || !self.shared.mailbox.may_sleep() || self.shared.has_orders() {
            return Some(Duration::ZERO);
        }
        let own = [self.lanes_due, self.load.next_sample()];
        let deadlines = [self.switch.deadline, self.wire.connections.next_sweep()];
        let accepts = self.listeners.iter().map(|listener| listener.ready_at);
        let next = deadlines.into_iter().chain(own).chain(accepts).flatten().min();
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
        self.switch.steer(&self.wire, now);
        self.wire.connections.sweep(&self.shared.counters, now);
        self.publish(now);
    }

    fn publish(&mut self, now: Instant) {
        let worker = &self.switch.worker;
        let counters = worker.counters();
        if let Some(load) = self.load.sample(counters.forwarded + counters.messages_forwarded, now) {
            self.shared.publish_load(load);
        }
        self.shared.publish(&self.past.counters(counters), worker.peers(), self.wire.connections.len());
        match self.lanes_due {
            Some(at) if at <= now => {
                self.publish_lanes();
                self.lanes_due = None;
            }
            Some(_) => {}
            None => self.lanes_due = Some(now + LANES_INTERVAL),
        }
    }

    fn publish_lanes(&self) {
        self.shared.publish_lanes(self.past.lanes(self.switch.worker.lane_totals()));
    }
}
