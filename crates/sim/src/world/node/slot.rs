//! A worker and a room with what is on its way to them.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use trackyard_peer::{ConnectionFactory, Datagram, Transmit};
use trackyard_sfu::control::{Command, RoomKey, UserPacket};
use trackyard_sfu::forward::{Crossing, Worker};
use trackyard_sfu::room::{Input, Room};

use crate::world::mailbox::Mailbox;

pub(super) struct WorkerSlot<F: ConnectionFactory> {
    pub(super) worker: Worker<F>,
    pub(super) inbox: Mailbox<WorkerInput>,
    /// Datagrams that came to another worker, one queue per sender, so that what one client sends
    /// changes no delay of another.
    pub(super) foreign: BTreeMap<SocketAddr, Mailbox<Transmit>>,
    pub(super) foreign_seed: u64,
    pub(super) wake: Option<Instant>,
    /// Datagrams in its socket, for a worker that takes time.
    pub(super) socket: VecDeque<(SocketAddr, Transmit, Instant)>,
    /// Whose turn is next when both have something: its socket, or what others have sent it.
    pub(super) socket_next: bool,
    /// It has done what it was given by then.
    pub(super) free_at: Option<Instant>,
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

    /// It still works on something.
    pub(super) fn is_working(&self, now: Instant) -> bool {
        self.free_at.is_some_and(|at| at > now)
    }

    /// When it next does something by itself.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let foreign = self.foreign.values().map(Mailbox::poll_timeout);
        let socket = self.socket.front().map(|(_, _, arrived)| *arrived);
        let next = foreign.chain([self.wake, self.inbox.poll_timeout(), socket]).flatten().min();
        next.map(|at| self.free_at.map_or(at, |free_at| at.max(free_at)))
    }

    /// Everything that was on its way to it is for nobody any more.
    pub(super) fn forget(&mut self, now: Instant) {
        while self.inbox.pop(now + FAR).is_some() {}
        self.foreign.clear();
        self.socket.clear();
        (self.wake, self.free_at) = (None, None);
    }

    /// Gives the worker what came to others; `true` if there was anything.
    pub(super) fn hand_over_foreign(&mut self, now: Instant) -> bool {
        let mut busy = false;
        for (source, mailbox) in &mut self.foreign {
            while let Some(Transmit { transport, destination, contents, .. }) = mailbox.pop(now) {
                busy = true;
                let datagram = Datagram { transport, source: *source, destination, contents: &contents };
                // One hop only: what is foreign here as well has lost its peer meanwhile.
                let _ = self.worker.handle_datagram(datagram, now);
            }
        }
        busy
    }
}

pub(super) struct RoomSlot {
    pub(super) room: Room,
    pub(super) inbox: Mailbox<Input>,
    pub(super) closed: bool,
}
