//! A worker and a room with what is on its way to them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use trackyard_peer::{ConnectionFactory, Datagram, Transmit};
use trackyard_sfu::control::{Command, RoomKey, UserPacket};
use trackyard_sfu::forward::{Crossing, Worker};
use trackyard_sfu::room::{Input, Room};

use super::Pace;
use super::desk::{Desk, Waiting};
use crate::world::mailbox::Mailbox;

pub(super) struct WorkerSlot<F: ConnectionFactory> {
    pub(super) worker: Worker<F>,
    pub(super) inbox: Mailbox<WorkerInput>,
    /// Datagrams that came to another worker, one queue per sender, so that what one client sends
    /// changes no delay of another.
    pub(super) foreign: BTreeMap<SocketAddr, Mailbox<(Transmit, Instant)>>,
    pub(super) foreign_seed: u64,
    pub(super) wake: Option<Instant>,
    /// What waits for a worker that takes time.
    pub(super) desk: Desk,
}

/// Nothing is on its way for longer.
const FAR: std::time::Duration = std::time::Duration::from_secs(3_600);

pub(super) enum WorkerInput {
    Command(Command),
    Cross(Crossing),
    CrossUserPacket(RoomKey, Arc<UserPacket>),
}

impl<F: ConnectionFactory> WorkerSlot<F> {
    /// Gives the worker what others have sent it.
    pub(super) fn handle(&mut self, input: WorkerInput, now: Instant) {
        match input {
            WorkerInput::Command(command) => self.worker.handle_command(command, now),
            WorkerInput::Cross(crossing) => self.worker.handle_crossing(&crossing, now),
            WorkerInput::CrossUserPacket(room, packet) => {
                self.worker.handle_user_packet(room, &packet, now);
            }
        }
    }

    /// When it next does something by itself.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let foreign = self.foreign.values().map(Mailbox::poll_timeout);
        let next = foreign.chain([self.wake, self.inbox.poll_timeout()]).flatten().min();
        self.desk.poll_timeout(next)
    }

    /// Puts on its desk what has arrived; answers how much found no place.
    pub(super) fn absorb(&mut self, pace: Pace, now: Instant) -> u64 {
        let mut lost = 0;
        while let Some(input) = self.inbox.pop(now) {
            lost += u64::from(!self.desk.take(input, pace, now));
        }
        for (source, mailbox) in &mut self.foreign {
            while let Some((transmit, received)) = mailbox.pop(now) {
                lost += u64::from(!self.desk.take_stray((*source, transmit, received), pace, now));
            }
        }
        lost
    }

    /// Everything that was on its way to it is for nobody any more.
    pub(super) fn forget(&mut self, now: Instant) {
        while self.inbox.pop(now + FAR).is_some() {}
        self.foreign.clear();
        self.desk = Desk::default();
        self.wake = None;
    }

    /// Gives the worker what came to others; `true` if there was anything.
    pub(super) fn hand_over_foreign(&mut self, now: Instant) -> bool {
        let mut busy = false;
        for (source, mailbox) in &mut self.foreign {
            while let Some((transmit, received)) = mailbox.pop(now) {
                busy = true;
                hand_over(&mut self.worker, (*source, transmit, received), now);
            }
        }
        busy
    }
}

/// Gives the worker a datagram that came to another. One hop only: what is foreign here as well has lost its peer
/// meanwhile.
pub(super) fn hand_over<F: ConnectionFactory>(
    worker: &mut Worker<F>,
    (source, transmit, received): Waiting,
    now: Instant,
) {
    let Transmit { transport, destination, contents, .. } = transmit;
    let datagram = Datagram { transport, source, destination, contents: &contents };
    let _ = worker.handle_received(datagram, received, now);
}

pub(super) struct RoomSlot {
    pub(super) room: Room,
    pub(super) inbox: Mailbox<Input>,
    pub(super) closed: bool,
}
