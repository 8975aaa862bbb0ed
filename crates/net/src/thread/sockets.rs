//! What a worker reads from its own sockets.

use std::io;
use std::time::{Duration, Instant};

use mio::Token;
use trackyard_peer::{ConnectionFactory, Datagram, Transport};

use super::WorkerThread;
use crate::EventSink;
use crate::mailbox::StrayDatagram;
use crate::switch::Fate;
use crate::tcp::Connection;

/// Time given to one UDP socket in a pass. What is left is read in the next, after all else has had its turn.
const UDP_BUDGET: Duration = Duration::from_millis(5);

impl<F: ConnectionFactory + Clone, S: EventSink> WorkerThread<F, S> {
    pub(super) fn read_udp(&mut self, index: usize) {
        let start = Instant::now();
        while self.readable[index] {
            self.read_batch(index);
            self.switch.pump(&mut self.wire);
            if start.elapsed() >= UDP_BUDGET {
                return;
            }
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
        self.readable[index] = !self.receiver.has_drained();
        let now = Instant::now();
        for received in self.receiver.datagrams() {
            let Some(destination) = port.names.public_of(received.local) else {
                self.shared.counters.udp_wrong_destination.add(1);
                continue;
            };
            self.load.add_wait(received.waited);
            let (source, contents) = (received.source, received.contents);
            let datagram = Datagram { transport: Transport::Udp, source, destination, contents };
            self.switch.on_udp(datagram, now.checked_sub(received.waited).unwrap_or(now), now);
        }
    }

    pub(super) fn accept(&mut self) {
        let now = Instant::now();
        for index in 0..self.listeners.len() {
            for connection in self.listeners[index].accept(&self.shared.counters, now) {
                self.adopt(connection, now);
            }
        }
    }

    /// A connection that cannot be registered is closed by being dropped.
    pub(super) fn adopt(&mut self, connection: Connection, now: Instant) {
        if self.wire.connections.add(connection, self.poll.registry(), now).is_err() {
            self.shared.counters.tcp_ended.add(1);
        }
    }

    pub(super) fn read_connections(&mut self) {
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
            match self.switch.offer(datagram, now, now) {
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
                    let (transport, contents) = (Transport::Tcp, frame.contents.to_vec());
                    let stray = StrayDatagram { transport, source, destination, contents, received: now };
                    self.switch.stray(worker, stray);
                }
                Fate::Nobody => counters.unclaimed.add(1),
            }
        }
    }
}
