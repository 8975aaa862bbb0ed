//! A worker and a room with what is on its way to them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use trackyard_peer::{ConnectionFactory, Datagram, Transmit};
use trackyard_sfu::control::{Command, RoomKey, TrackKey, UserPacket};
use trackyard_sfu::forward::Worker;
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
}

pub(super) enum WorkerInput {
    Command(Command),
    Cross(TrackKey, Bytes),
    CrossUserPacket(RoomKey, Arc<UserPacket>),
}

impl<F: ConnectionFactory> WorkerSlot<F> {
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
