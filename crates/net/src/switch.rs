//! A worker's core, and its ties to the other workers and to rooms.

use std::sync::Arc;
use std::time::Instant;

use trackyard_peer::{ConnectionFactory, Datagram, Transport};
use trackyard_sfu::control::{Command, WorkerId};
use trackyard_sfu::forward::{
    Crossing, Demux, DemuxKey, Endpoint, Foreign, Worker, WorkerConfig, WorkerOutput,
};

use crate::EventSink;
use crate::limiter::StunLimiter;
use crate::mailbox::StrayDatagram;
use crate::shared::{Roster, Shared};
use crate::steering::Instruction;
use crate::table::{Kept, SharedTable};
use crate::tcp::Connection;
use crate::udp::attach;
use crate::user_packets::Crossing as UserCrossing;
use crate::wire::Wire;

/// STUN messages begin with a byte below this (RFC 7983).
const STUN_FIRST_BYTES: u8 = 4;

/// Takes inputs to the core, and the core's outputs to where they belong.
pub(crate) struct Switch<F: ConnectionFactory, S> {
    pub(crate) worker: Worker<F>,
    /// When the core wants to be called.
    pub(crate) deadline: Option<Instant>,
    /// There is something to tell the kernel about whose datagrams are whose.
    pub(crate) is_to_steer: bool,
    id: WorkerId,
    sink: S,
    table: Arc<SharedTable>,
    kept: Kept,
    limiter: StunLimiter,
    workers: Roster,
    /// By worker; sent in batches.
    crossings: Vec<Vec<Crossing>>,
    user_packets: Vec<Vec<UserCrossing>>,
    strays: Vec<Vec<StrayDatagram>>,
}

/// What a switch is made of, as often as its worker dies.
#[derive(Clone)]
pub(crate) struct Blueprint<F, S> {
    pub(crate) id: WorkerId,
    pub(crate) factory: F,
    pub(crate) limits: WorkerConfig,
    pub(crate) sink: S,
    pub(crate) table: Arc<SharedTable>,
    pub(crate) stun_rate: u32,
    /// Overloaded from so many thousandths of its time on; 0: never.
    pub(crate) load_limit_permille: u32,
    pub(crate) workers: Roster,
}

impl<F: ConnectionFactory + Clone, S: EventSink> Blueprint<F, S> {
    /// A worker without peers.
    pub(crate) fn build(&self, now: Instant) -> Switch<F, S> {
        let worker = Worker::new(self.id, self.factory.clone(), self.limits.clone());
        let count = self.workers.len();
        Switch {
            worker,
            deadline: None,
            is_to_steer: false,
            id: self.id,
            sink: self.sink.clone(),
            table: Arc::clone(&self.table),
            kept: Kept::default(),
            limiter: StunLimiter::new(self.stun_rate, now),
            workers: Arc::clone(&self.workers),
            crossings: (0..count).map(|_| Vec::new()).collect(),
            user_packets: (0..count).map(|_| Vec::new()).collect(),
            strays: (0..count).map(|_| Vec::new()).collect(),
        }
    }
}

/// Whose a datagram was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// A peer of this worker has it.
    Mine,
    /// A peer of that worker should have it.
    Other(WorkerId),
    /// Nobody's.
    Nobody,
}

impl<F: ConnectionFactory, S: EventSink> Switch<F, S> {
    pub(crate) fn command(&mut self, command: Command, now: Instant) {
        self.worker.handle_command(command, now);
    }

    /// A datagram from one of this worker's UDP sockets, which came there at that time.
    pub(crate) fn on_udp(&mut self, datagram: Datagram<'_>, received: Instant, now: Instant) {
        if !self.admits(&datagram, now) {
            return self.shared().counters.stun_rate_limited.add(1);
        }
        let (source, destination, contents) = (datagram.source, datagram.destination, datagram.contents);
        match self.offer(datagram, received, now) {
            Fate::Mine => {}
            Fate::Other(to) => {
                let contents = contents.to_vec();
                self.stray(
                    to,
                    StrayDatagram { transport: Transport::Udp, source, destination, contents, received },
                );
            }
            Fate::Nobody => self.shared().counters.unclaimed.add(1),
        }
    }

    /// Offers a datagram to the core, and looks for its worker if it is not the core's.
    pub(crate) fn offer(&mut self, datagram: Datagram<'_>, received: Instant, now: Instant) -> Fate {
        let endpoint = Endpoint { transport: datagram.transport, address: datagram.source };
        let foreign = match self.worker.handle_received(datagram, received, now) {
            Demux::Mine => return Fate::Mine,
            Demux::Garbage(_) => return Fate::Nobody,
            Demux::Foreign(foreign) => foreign,
        };
        match self.table.find(&mut self.kept, foreign) {
            Some(worker) if worker != self.id => {
                // Anyone can name a connection and write any sender on a request. Only that
                // connection's own claim, after it has answered there, takes the address from here.
                let address = self.table.find(&mut self.kept, Foreign::Address(endpoint));
                if address == Some(worker) {
                    self.worker.disown(&endpoint);
                    self.is_to_steer |= self.table.lead(&mut self.kept, endpoint);
                }
                Fate::Other(worker)
            }
            _ => Fate::Nobody,
        }
    }

    /// Tells the kernel whose datagrams are whose, once it is time.
    pub(crate) fn steer(&mut self, wire: &Wire, now: Instant) {
        if self.is_to_steer {
            let attach =
                |program: &[Instruction]| wire.ports.iter().try_for_each(|port| attach(port, program));
            self.is_to_steer = !self.table.steering().apply(now, attach);
        }
    }

    /// Sends a datagram to its worker with the next flush.
    pub(crate) fn stray(&mut self, to: WorkerId, stray: StrayDatagram) {
        self.strays[usize::from(to.0)].push(stray);
    }

    /// A datagram that another worker's socket has received. One hop is all it gets.
    pub(crate) fn on_stray(&mut self, stray: &StrayDatagram, now: Instant) {
        self.shared().counters.strays_in.add(1);
        let datagram = Datagram {
            transport: stray.transport,
            source: stray.source,
            destination: stray.destination,
            contents: &stray.contents,
        };
        if self.worker.handle_received(datagram, stray.received, now) != Demux::Mine {
            self.shared().counters.unclaimed.add(1);
        }
    }

    /// Gives a connection to the worker of its first frame.
    pub(crate) fn hand_over(&self, worker: WorkerId, connection: Option<Connection>) {
        let (counters, other) = (&self.shared().counters, &self.workers[usize::from(worker.0)]);
        let handed = connection.is_some_and(|connection| other.mailbox.connections.push(connection).is_ok());
        if handed {
            counters.tcp_handed_over.add(1)
        } else {
            counters.tcp_ended.add(1)
        }
        other.mailbox.ring();
    }

    /// Takes all outputs where they belong.
    pub(crate) fn pump(&mut self, wire: &mut Wire) {
        loop {
            match self.worker.poll_output() {
                WorkerOutput::Transmit(transmit) => wire.send(&transmit, &self.shared().counters),
                WorkerOutput::Event(room, event) => self.sink.deliver(room, event),
                WorkerOutput::Cross { to, crossing } => self.cross(to, crossing),
                WorkerOutput::CrossUserPacket { to, room, packet } => {
                    self.cross_user_packet(to, (room, packet))
                }
                WorkerOutput::Claim(key) => self.table.claim(key, self.id),
                WorkerOutput::Release(key) => self.release(&key, wire),
                WorkerOutput::Timeout(deadline) => {
                    self.deadline = deadline;
                    break;
                }
            }
        }
        wire.flush(&self.shared().counters);
        self.flush();
    }

    /// Binding requests from where no peer is known are limited per source.
    fn admits(&mut self, datagram: &Datagram<'_>, now: Instant) -> bool {
        if datagram.contents.first().is_none_or(|byte| *byte >= STUN_FIRST_BYTES) {
            return true;
        }
        let endpoint = Endpoint { transport: datagram.transport, address: datagram.source };
        self.worker.knows(&endpoint)
            || self.table.find(&mut self.kept, Foreign::Address(endpoint)).is_some()
            || self.limiter.admit(endpoint.address.ip(), now)
    }

    fn cross(&mut self, to: WorkerId, crossing: Crossing) {
        match self.crossings.get_mut(usize::from(to.0)) {
            Some(batch) => batch.push(crossing),
            None => self.shared().counters.crossings_dropped.add(1),
        }
    }

    fn cross_user_packet(&mut self, to: WorkerId, crossing: UserCrossing) {
        match self.user_packets.get_mut(usize::from(to.0)) {
            Some(batch) => batch.push(crossing),
            None => self.shared().counters.user_packets_dropped.add(1),
        }
    }

    fn release(&self, key: &DemuxKey, wire: &mut Wire) {
        self.table.release(key, self.id);
        if let DemuxKey::Address(Endpoint { transport: Transport::Tcp, address }) = key {
            wire.connections.close_remote(address);
        }
    }

    /// Hands batches to the other workers: one lock each, however many packets.
    fn flush(&mut self) {
        let counters = &self.workers[usize::from(self.id.0)].counters;
        let batches = self.crossings.iter_mut().zip(&mut self.user_packets).zip(&mut self.strays);
        for (worker, ((crossings, user_packets), strays)) in self.workers.iter().zip(batches) {
            if crossings.is_empty() && user_packets.is_empty() && strays.is_empty() {
                continue;
            }
            let sent = strays.len();
            let dropped = worker.mailbox.datagrams.append(strays);
            counters.strays_dropped.add(dropped as u64);
            counters.strays_out.add((sent - dropped) as u64);
            counters.crossings_dropped.add(worker.mailbox.crossings.append(crossings) as u64);
            counters.user_packets_dropped.add(worker.mailbox.user_packets.append(user_packets) as u64);
            worker.mailbox.ring();
        }
    }

    fn shared(&self) -> &Shared {
        &self.workers[usize::from(self.id.0)]
    }
}

#[cfg(test)]
mod tests;
