//! The task that feeds a pure client and carries out what it wants.

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::Result;
use tokio::sync::mpsc;
use tokio::time::sleep_until;
use trackyard_peer::{Datagram, Str0mFactory, Target, Transmit};
use trackyard_proto::Response;
use trackyard_sim::client::{Client, ClientEvent, ClientOutput};
use trackyard_sim::link::Link;

use super::wire::Wire;
use super::{Facts, LiveConfig, Path};
use crate::signal_socket::{SignalEnd, SignalSocket};

/// Datagrams taken from a socket before anything else is looked at.
const BATCH_MAX: usize = 64;

type Act = Box<dyn FnOnce(&mut Client<Str0mFactory>, Instant) + Send>;

/// What a client is told to do.
pub(super) enum Order {
    Act(Act),
    Resume,
    LinksUp(bool),
}

pub(super) struct Driver {
    config: LiveConfig,
    client: Client<Str0mFactory>,
    signal: Option<SignalSocket>,
    wires: [Wire; 2],
    up: Link<(Target, Transmit)>,
    down: Link<(Target, SocketAddr, Vec<u8>)>,
    events: mpsc::UnboundedSender<(Instant, ClientEvent)>,
    facts: Facts,
    signal_bytes_before: u64,
    wake: Option<Instant>,
}

impl Driver {
    pub(super) async fn start(
        config: LiveConfig,
        events: mpsc::UnboundedSender<(Instant, ClientEvent)>,
        facts: Facts,
    ) -> Result<Self> {
        // With one connection the other's wire stays silent; nothing is dialled for it.
        let second = if config.client.single { Path::Udp } else { config.path };
        let wires = [Wire::open(config.path).await?, Wire::open(second).await?];
        let factories = [wires[0].factory(), wires[1].factory()];
        let now = Instant::now();
        let mut client = Client::new(factories, config.client.clone(), now);
        let request = client.join_request(now);
        let how = (&request, config.client.single);
        if let Some(gate) = &config.gate {
            gate.wait().await;
        }
        let signal = SignalSocket::connect(&config.url, &config.token, how).await?;
        Ok(Self {
            up: Link::new(config.links.up, config.seed),
            down: Link::new(config.links.down, config.seed.wrapping_add(1)),
            config,
            client,
            signal: Some(signal),
            wires,
            events,
            facts,
            signal_bytes_before: 0,
            wake: Some(now),
        })
    }

    pub(super) async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>) -> Result<()> {
        loop {
            self.drain().await?;
            let wake = self.next_wake();
            let [publisher, subscriber] = &self.wires;
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.obey(order).await?,
                    None => return Ok(()),
                },
                response = receive(&mut self.signal) => self.heard(response?),
                ready = publisher.ready() => { ready?; self.read(Target::Publisher)?; }
                ready = subscriber.ready() => { ready?; self.read(Target::Subscriber)?; }
                () = until(wake) => {}
            }
            self.advance();
        }
    }

    fn next_wake(&self) -> Option<Instant> {
        [self.wake, self.up.poll_timeout(), self.down.poll_timeout()].into_iter().flatten().min()
    }

    fn heard(&mut self, response: Option<Response>) {
        let (bytes, end) = self
            .signal
            .as_ref()
            .map_or((0, SignalEnd::Broken), |signal| (signal.received_bytes(), signal.end()));
        self.facts.set_signal_bytes(self.signal_bytes_before + bytes);
        let Some(response) = response else {
            self.signal = None;
            self.facts.set_signal(end);
            return;
        };
        if let Response::Answer(answer) = &response {
            self.facts.set_ufrag(&answer.sdp);
        }
        self.client.handle_signal(response, Instant::now());
    }

    async fn obey(&mut self, order: Order) -> Result<()> {
        match order {
            Order::Act(act) => act(&mut self.client, Instant::now()),
            Order::LinksUp(up) => {
                self.up.set_up(up);
                self.down.set_up(up);
            }
            Order::Resume => self.resume().await?,
        }
        Ok(())
    }

    async fn resume(&mut self) -> Result<()> {
        self.signal_bytes_before = self.facts.signal_bytes();
        self.signal = None;
        let request = self.client.resume_request();
        let how = (&request, self.client.is_single());
        self.signal = Some(SignalSocket::connect(&self.config.url, &self.config.token, how).await?);
        self.facts.set_signal(SignalEnd::Open);
        Ok(())
    }

    fn read(&mut self, target: Target) -> Result<()> {
        for _ in 0..BATCH_MAX {
            let Some((source, contents)) = self.wires[target as usize].try_recv()? else { break };
            self.down.send(contents.len(), (target, source, contents), Instant::now());
        }
        Ok(())
    }

    fn advance(&mut self) {
        let now = Instant::now();
        while let Some((target, source, contents)) = self.down.poll(now) {
            let wire = &self.wires[target as usize];
            let (transport, destination) = (wire.transport(), wire.local());
            let datagram = Datagram { transport, source, destination, contents: &contents };
            self.client.handle_datagram(target, datagram, now);
        }
        if self.wake.is_some_and(|wake| wake <= now) {
            self.wake = None;
            self.client.handle_timeout(now);
        }
    }

    /// Carries out what the client wants.
    async fn drain(&mut self) -> Result<()> {
        let now = Instant::now();
        loop {
            match self.client.poll_output() {
                ClientOutput::Signal(request) => {
                    if let Some(signal) = &mut self.signal {
                        // Its end is seen where messages are received.
                        let _ = signal.send(&request).await;
                    }
                }
                ClientOutput::Transmit(target, transmit) => {
                    self.up.send(transmit.contents.len(), (target, transmit), now);
                }
                // Whoever listened may have gone; the client goes on.
                ClientOutput::Event(event) => drop(self.events.send((now, event))),
                ClientOutput::Timeout(at) => {
                    self.wake = at;
                    break;
                }
            }
        }
        while let Some((target, transmit)) = self.up.poll(Instant::now()) {
            self.wires[target as usize].send(transmit.destination, &transmit.contents)?;
        }
        Ok(())
    }
}

async fn receive(signal: &mut Option<SignalSocket>) -> Result<Option<Response>> {
    match signal {
        Some(signal) => signal.recv().await,
        None => std::future::pending().await,
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
