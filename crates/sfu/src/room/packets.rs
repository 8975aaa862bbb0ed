//! User packets as far as a room has to do with them: those of the server, and what becomes of sessions by them.

use std::sync::Arc;

use bytes::Bytes;
use trackyard_proto::relay::Delivery;
use trackyard_proto::signal::Reason;

use super::Room;
use super::leave::Departure;
use crate::control::{Audience, Command, PeerId, ServerPacket, UserPacket};

impl Room {
    /// Sends a packet of the server's to participants. If it awaits an answer, acknowledgements and responses with that
    /// request id come back as [`Event::Reply`](crate::control::Event::Reply).
    pub(super) fn say(
        &mut self,
        message: Bytes,
        delivery: Delivery,
        audience: Audience,
        awaits: Option<&str>,
    ) {
        self.counters.server_packets += 1;
        let packet = Arc::new(UserPacket { from: None, delivery, sequence: 0, audience, message });
        // Who has just joined is to get it, so its seat is told before.
        let workers: Vec<_> = self.seats.workers().collect();
        for worker in workers {
            let (packet, awaits) = (Arc::clone(&packet), awaits.map(str::to_owned));
            let packet = ServerPacket { room: self.key, packet, awaits };
            self.command(worker, Command::Say(packet));
        }
    }

    /// A client has said which reliable packets it has.
    pub(super) fn receive_states(&mut self, peer: PeerId, states: Vec<(String, u32)>) {
        let Some(worker) = self.members.get(peer).map(|member| member.worker) else { return };
        if !states.is_empty() {
            self.command(worker, Command::Received { peer, states });
        }
    }

    /// The sender of a packet that was too long is told; nothing in the protocol answers a packet, so it names no request.
    pub(super) fn packet_too_long(&mut self, peer: PeerId, bytes: usize) {
        self.counters.packets_too_long += 1;
        let text = format!(
            "a data packet of {bytes} bytes is too long for those who are to get it; send at most 64,000"
        );
        self.respond(peer, 0, (Reason::LimitExceeded, &text), None);
    }

    /// A participant has fallen too far behind with reliable packets.
    pub(super) fn behind(&mut self, peer: PeerId) {
        self.counters.reliable_overflows += 1;
        self.remove(peer, Departure::mismatch());
    }
}
