//! The datagrams between one socket of a client and the server.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use trackyard_link::{Link, LinkStats};

use super::DATAGRAM_BYTES_MAX;
use crate::relay::{RelayStats, Shared, State};

/// Who is at the ends.
pub(super) struct Ends {
    /// The socket that the client sends to.
    pub(super) front: Arc<UdpSocket>,
    pub(super) client: SocketAddr,
    pub(super) server: SocketAddr,
    /// Among the clients, for links that differ in what they lose.
    pub(super) number: u64,
}

/// A pair of links.
struct Flow {
    ends: Ends,
    up: Link<Bytes>,
    down: Link<Bytes>,
    /// What was counted last.
    counted: (LinkStats, LinkStats),
    unsent: u64,
}

/// Carries datagrams both ways until the task is stopped.
pub(super) async fn run(shared: Arc<Shared>, ends: Ends, mut waiting: mpsc::Receiver<Bytes>) {
    let config = &shared.config;
    let seed = config.seed.wrapping_add(ends.number * 2);
    let mut flow = Flow {
        up: Link::new(config.up, seed),
        down: Link::new(config.down, seed.wrapping_add(1)),
        counted: <_>::default(),
        unsent: 0,
        ends,
    };
    let mut changes = shared.state.subscribe();
    let mut state = *changes.borrow_and_update();
    flow.set_up(state);
    let Ok(mut back) = flow.connect().await else { return };
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        let wake = [flow.up.poll_timeout(), flow.down.poll_timeout()].into_iter().flatten().min();
        tokio::select! {
            datagram = waiting.recv() => {
                let Some(datagram) = datagram else { return };
                flow.up.send(datagram.len(), datagram, Instant::now());
            }
            received = back.recv(&mut buffer) => {
                // A server that is down answers with errors until it is up.
                if let Ok(bytes) = received {
                    flow.down.send(bytes, Bytes::copy_from_slice(&buffer[..bytes]), Instant::now());
                }
            }
            () = sleep_until(wake) => {}
            changed = changes.changed() => {
                if changed.is_err() {
                    return;
                }
                let next: State = *changes.borrow_and_update();
                if next.rebinds != state.rebinds {
                    let Ok(socket) = flow.connect().await else { return };
                    back = socket;
                }
                flow.set_up(next);
                state = next;
            }
        }
        flow.deliver(&back);
        shared.count(|stats| flow.report(stats));
    }
}

async fn sleep_until(wake: Option<Instant>) {
    match wake {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

impl Flow {
    async fn connect(&self) -> io::Result<UdpSocket> {
        let any: SocketAddr =
            if self.ends.server.is_ipv4() { ([0; 4], 0).into() } else { ([0; 16], 0).into() };
        let socket = UdpSocket::bind(any).await?;
        socket.connect(self.ends.server).await?;
        Ok(socket)
    }

    fn set_up(&mut self, state: State) {
        self.up.set_up(state.to_server_passes);
        self.down.set_up(state.to_clients_passes);
    }

    /// Sends what has arrived.
    fn deliver(&mut self, back: &UdpSocket) {
        let now = Instant::now();
        while let Some(datagram) = self.up.poll(now) {
            self.unsent += u64::from(back.try_send(&datagram).is_err());
        }
        while let Some(datagram) = self.down.poll(now) {
            self.unsent += u64::from(self.ends.front.try_send_to(&datagram, self.ends.client).is_err());
        }
    }

    /// Adds what was carried since the last report.
    fn report(&mut self, total: &mut RelayStats) {
        let (up, down) = (self.up.stats(), self.down.stats());
        add(&mut total.up, up, self.counted.0);
        add(&mut total.down, down, self.counted.1);
        total.unsent += std::mem::take(&mut self.unsent);
        self.counted = (up, down);
    }
}

fn add(total: &mut LinkStats, now: LinkStats, before: LinkStats) {
    total.carried += now.carried - before.carried;
    total.carried_bytes += now.carried_bytes - before.carried_bytes;
    total.lost += now.lost - before.lost;
    total.overflowed += now.overflowed - before.overflowed;
    total.outage += now.outage - before.outage;
}
