//! What other threads have sent to a worker.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use trackyard_peer::ConnectionFactory;
use trackyard_sfu::control::Command;
use trackyard_sfu::forward::Crossing;

use super::WorkerThread;
use crate::EventSink;
use crate::mailbox::StrayDatagram;
use crate::tcp::Connection;
use crate::user_packets::Waiting;

/// Time given to commands in a pass: an offer alone can take a millisecond.
const COMMANDS_BUDGET: Duration = Duration::from_millis(3);
/// Time given to user packets of other workers in a pass.
const USER_PACKETS_BUDGET: Duration = Duration::from_millis(3);
/// Time given to packets and datagrams of other workers in a pass.
const MAIL_BUDGET: Duration = Duration::from_millis(4);
/// Packets and datagrams of other workers between two pumps.
const MAIL_PER_PUMP: usize = 64;

/// Queues taken from the mailbox; their memory goes back and forth. What a pass has no time for stays
/// here, and nothing more of its kind is taken until it is gone, so that the mailbox's bounds hold.
#[derive(Debug, Default)]
pub(super) struct Mail {
    commands: VecDeque<Command>,
    user_packets: Waiting,
    crossings: VecDeque<Crossing>,
    datagrams: VecDeque<StrayDatagram>,
    connections: VecDeque<Connection>,
}

impl Mail {
    /// Nothing is left of what was taken.
    pub(super) fn is_empty(&self) -> bool {
        self.commands.is_empty()
            && self.user_packets.is_empty()
            && self.crossings.is_empty()
            && self.datagrams.is_empty()
            && self.connections.is_empty()
    }
}

impl<F: ConnectionFactory + Clone, S: EventSink> WorkerThread<F, S> {
    pub(super) fn read_mail(&mut self) {
        self.read_commands();
        // What a room has said before is known before what others say now.
        if self.mail.commands.is_empty() {
            self.read_user_packets();
        }
        self.read_moved_connections();
        self.read_crossings();
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

    fn read_user_packets(&mut self) {
        if self.mail.user_packets.is_empty() {
            self.mail.user_packets = self.shared.mailbox.user_packets.take();
        }
        let waiting = &mut self.mail.user_packets;
        if waiting.is_empty() {
            return;
        }
        let start = Instant::now();
        let mut now = start;
        while now - start < USER_PACKETS_BUDGET && !waiting.packets.is_empty() {
            for (room, packet) in waiting.packets.drain(..MAIL_PER_PUMP.min(waiting.packets.len())) {
                self.switch.worker.handle_user_packet(room, &packet, now);
            }
            self.switch.pump(&mut self.wire);
            now = Instant::now();
        }
        // Those before what was lost are delivered before it is said.
        if waiting.packets.is_empty() {
            while let Some(room) = waiting.lost.pop_first() {
                self.switch.worker.handle_user_packets_lost(room, now);
                self.switch.pump(&mut self.wire);
            }
        }
    }

    fn read_moved_connections(&mut self) {
        self.shared.mailbox.connections.take(&mut self.mail.connections);
        if self.mail.connections.is_empty() {
            return;
        }
        let now = Instant::now();
        while let Some(connection) = self.mail.connections.pop_front() {
            self.adopt(connection, now);
        }
    }

    fn read_crossings(&mut self) {
        let mailbox = &self.shared.mailbox;
        if self.mail.crossings.is_empty() {
            mailbox.crossings.take(&mut self.mail.crossings);
        }
        if self.mail.datagrams.is_empty() {
            mailbox.datagrams.take(&mut self.mail.datagrams);
        }
        if self.mail.crossings.is_empty() && self.mail.datagrams.is_empty() {
            return;
        }
        let start = Instant::now();
        let mut now = start;
        let (crossings, datagrams) = (&mut self.mail.crossings, &mut self.mail.datagrams);
        while now - start < MAIL_BUDGET && !(crossings.is_empty() && datagrams.is_empty()) {
            for stray in datagrams.drain(..MAIL_PER_PUMP.min(datagrams.len())) {
                self.switch.on_stray(&stray, now);
            }
            for crossing in crossings.drain(..MAIL_PER_PUMP.min(crossings.len())) {
                self.switch.worker.handle_crossing(&crossing, now);
            }
            self.switch.pump(&mut self.wire);
            now = Instant::now();
        }
    }
}
