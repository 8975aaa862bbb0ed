//! How the server's workers get what is for them, and what becomes of what they say.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use trackyard_lanes::LaneStats;
use trackyard_peer::{ConnectionFactory, Datagram, Transmit};
use trackyard_sfu::control::{Event, WorkerId};
use trackyard_sfu::forward::{Demux, DemuxKey, Foreign, Worker, WorkerOutput};
use trackyard_sfu::room::Input;

use super::desk::Batch;
use super::slot::{WorkerInput, hand_over};
use super::{Node, Pace};
use crate::world::mailbox::Mailbox;

impl<F: ConnectionFactory> Node<F> {
    /// A worker dies of a defect and begins anew with nothing; its sockets stay.
    pub fn fail_worker(&mut self, id: u16, now: Instant) {
        let worker = WorkerId(id);
        let slot = &mut self.workers[usize::from(id)];
        self.buried += slot.worker.lane_totals();
        self.buried_waiting += slot.worker.frames_waiting();
        slot.worker = Worker::new(worker, (self.factory)(self.config.address), self.config.worker.clone());
        slot.forget(now);
        self.claims.retain(|_, owner| *owner != worker);
        for room in self.rooms.values_mut() {
            room.inbox.push(Input::Event(Event::WorkerLost { worker }), now);
        }
    }

    /// What lanes of dead workers had counted, and the frames that waited in them.
    pub fn buried(&self) -> (LaneStats, u64) {
        (self.buried, self.buried_waiting)
    }

    /// Datagrams that found a socket full.
    pub fn overflowed(&self) -> u64 {
        self.overflowed
    }

    /// Datagrams that came from anywhere.
    pub fn arrived(&self) -> u64 {
        self.arrived
    }

    /// Packets and datagrams from one worker to another that found the other's queue full.
    pub fn crowded_out(&self) -> u64 {
        self.crowded_out
    }

    /// Any datagram, from anywhere.
    pub fn datagram(&mut self, source: SocketAddr, transmit: &Transmit, now: Instant) {
        self.arrived += 1;
        // As a kernel does it: which worker's socket gets a datagram depends on its addresses alone.
        let spread = address_number(source).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let at = usize::try_from(spread).unwrap_or(0) % self.workers.len();
        let Some(pace) = self.config.pace else {
            self.receive(at, (source, transmit), (now, now));
            return self.drain_worker(at, now);
        };
        let fits = self.workers[at].desk.take_datagram((source, copy(transmit), now), pace);
        self.overflowed += u64::from(!fits);
    }

    /// A worker reads a datagram that came to its socket before.
    fn receive(
        &mut self,
        at: usize,
        (source, transmit): (SocketAddr, &Transmit),
        (received, now): (Instant, Instant),
    ) {
        let datagram = Datagram {
            transport: transmit.transport,
            source,
            destination: transmit.destination,
            contents: &transmit.contents,
        };
        let foreign = match self.workers[at].worker.handle_received(datagram, received, now) {
            Demux::Foreign(Foreign::Ufrag(ufrag)) => DemuxKey::Ufrag(ufrag.into()),
            Demux::Foreign(Foreign::Address(endpoint)) => DemuxKey::Address(endpoint),
            Demux::Mine | Demux::Garbage(_) => return,
        };
        let Some(owner) = self.claims.get(&foreign) else { return };
        self.hops += 1;
        let copy = copy(transmit);
        let delay_max = self.config.delay_max;
        let slot = &mut self.workers[usize::from(owner.0)];
        let seed = slot.foreign_seed ^ address_number(source);
        slot.foreign
            .entry(source)
            .or_insert_with(|| Mailbox::new(delay_max, seed))
            .push((copy, received), now);
    }

    pub(super) fn run_worker(&mut self, at: usize, now: Instant) -> bool {
        let slot = &mut self.workers[at];
        let mut busy = false;
        while let Some(input) = slot.inbox.pop(now) {
            busy = true;
            slot.handle(input, now);
        }
        busy |= slot.hand_over_foreign(now);
        if slot.wake.is_some_and(|wake| wake <= now) {
            slot.wake = None;
            slot.worker.handle_timeout(now);
            busy = true;
        }
        if busy {
            self.drain_worker(at, now);
        }
        busy
    }

    /// As a worker's thread does it: a batch at a time, each source in turn and none for longer than its budget.
    pub(super) fn run_slow_worker(&mut self, at: usize, pace: Pace, now: Instant) -> bool {
        let mut busy = false;
        while !self.workers[at].desk.is_working(now) {
            self.crowded_out += self.workers[at].absorb(pace, now);
            let before = *self.workers[at].worker.counters();
            let Some(inputs) = self.take_turn(at, now) else { return busy };
            busy = true;
            let slot = &mut self.workers[at];
            let after = slot.worker.counters();
            let outputs = after.datagrams_out - before.datagrams_out;
            let [seen, seen_before] =
                [after, &before].map(|counted| counted.datagrams_foreign + counted.datagrams_unread);
            let glances = seen - seen_before;
            let steps = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
            let cost = pace.cost * steps(inputs - glances + outputs) + pace.glance * steps(glances);
            slot.desk.spend(cost, now);
        }
        busy
    }

    /// Answers how many inputs it has handled; `None`: there is nothing to do.
    fn take_turn(&mut self, at: usize, now: Instant) -> Option<u64> {
        let slot = &mut self.workers[at];
        let is_due = slot.wake.is_some_and(|wake| wake <= now);
        let inputs = match slot.desk.next(is_due)? {
            Batch::Inputs(inputs) => {
                let count = inputs.len();
                inputs.into_iter().for_each(|input| slot.handle(input, now));
                count
            }
            Batch::Strays(strays) => {
                let count = strays.len();
                strays.into_iter().for_each(|stray| hand_over(&mut slot.worker, stray, now));
                count
            }
            Batch::Socket(datagrams) => {
                let count = datagrams.len();
                for (source, transmit, received) in datagrams {
                    self.receive(at, (source, &transmit), (received, now));
                }
                count
            }
            Batch::Time => {
                slot.wake = None;
                slot.worker.handle_timeout(now);
                0
            }
        };
        self.drain_worker(at, now);
        Some(inputs as u64)
    }

    fn drain_worker(&mut self, at: usize, now: Instant) {
        loop {
            match self.workers[at].worker.poll_output() {
                WorkerOutput::Transmit(transmit) => self.transmits.push_back(transmit),
                WorkerOutput::Event(key, event) => self.event(key, event, now),
                WorkerOutput::Cross { to, crossing } => {
                    let key = (to, crossing.track, crossing.packet.as_ptr().addr());
                    assert!(self.crossed.insert(key), "a packet crosses once to each worker");
                    self.workers[usize::from(to.0)].inbox.push(WorkerInput::Cross(crossing), now);
                }
                WorkerOutput::CrossUserPacket { to, room, packet } => {
                    let inbox = &mut self.workers[usize::from(to.0)].inbox;
                    inbox.push(WorkerInput::CrossUserPacket(room, packet), now);
                }
                WorkerOutput::Claim(key) => {
                    let owner = WorkerId(u16::try_from(at).expect("few workers"));
                    self.claims.insert(key, owner);
                }
                WorkerOutput::Release(key) => drop(self.claims.remove(&key)),
                WorkerOutput::Timeout(wake) => {
                    self.crossed.clear();
                    self.workers[at].wake = wake.map(|wake| wake.max(now + Duration::from_micros(1)));
                    return;
                }
            }
        }
    }
}

fn copy(transmit: &Transmit) -> Transmit {
    Transmit {
        transport: transmit.transport,
        source: transmit.source,
        destination: transmit.destination,
        contents: transmit.contents.clone(),
    }
}

/// Tells addresses apart.
fn address_number(address: SocketAddr) -> u64 {
    let ip = match address.ip() {
        std::net::IpAddr::V4(ip) => u64::from(ip.to_bits()),
        std::net::IpAddr::V6(ip) => (ip.to_bits() >> 64) as u64 ^ ip.to_bits() as u64,
    };
    ip << 16 | u64::from(address.port())
}
