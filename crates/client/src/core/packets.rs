//! Packets beside data tracks: who waits for one's way, and where one that has come belongs.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;
use trackyard_proto::packet::UserPacket;
use trackyard_proto::{DataPacket, Encryption, PacketValue};
use trackyard_session::{PacketDropReason, PacketEvent, PacketId};

use super::Core;
use crate::events::{DataReceived, RoomEvent};
use crate::participant::RemoteParticipant;
use crate::shared::Shared;

/// Whoever waits until a reliable packet is written. Each packet is answered once by the session.
#[derive(Default)]
pub(crate) struct PacketWaiters {
    all: HashMap<PacketId, oneshot::Sender<Result<(), PacketDropReason>>>,
}

impl PacketWaiters {
    /// Waits for a packet that was just sent.
    pub(crate) fn wait(&mut self, id: PacketId) -> oneshot::Receiver<Result<(), PacketDropReason>> {
        let (sender, receiver) = oneshot::channel();
        self.all.insert(id, sender);
        receiver
    }

    /// Whoever does not wait any more is passed over.
    fn answer(&mut self, id: PacketId, answer: Result<(), PacketDropReason>) {
        let _ = self.all.remove(&id).map(|waiter| waiter.send(answer));
    }
}

impl Core {
    pub(super) fn packet_event(&mut self, event: PacketEvent, shared: &Arc<Shared>, now: Instant) {
        match event {
            PacketEvent::Received { packet, encryption } => self.packet(*packet, encryption, (shared, now)),
            PacketEvent::Written(id) => {
                self.packets.answer(id, Ok(()));
                self.streams.room.notify_waiters();
            }
            PacketEvent::Dropped { packet, reason } => self.packets.answer(packet, Err(reason)),
            PacketEvent::Unconfirmed(packets) => {
                self.events.push(RoomEvent::DataUnconfirmed { packets: packets.len() });
            }
            PacketEvent::Undecryptable { identity, error } => {
                self.events.push(RoomEvent::DataUndecryptable { participant_identity: identity, error });
            }
        }
    }

    fn packet(&mut self, packet: DataPacket, encryption: Encryption, (shared, now): (&Arc<Shared>, Instant)) {
        match packet.value {
            PacketValue::User(_) => self.user_packet(packet, encryption, shared),
            PacketValue::StreamHeader(_)
            | PacketValue::StreamChunk(_)
            | PacketValue::StreamTrailer(_)
            | PacketValue::RpcRequest(_)
            | PacketValue::RpcAck(_)
            | PacketValue::RpcResponse(_) => self.stream_packet(packet, encryption, (shared, now)),
            PacketValue::Encrypted(_) | PacketValue::Other => {}
        }
    }

    fn user_packet(&self, packet: DataPacket, encryption: Encryption, shared: &Arc<Shared>) {
        let DataPacket { kind, participant_identity, value: PacketValue::User(user), .. } = packet else {
            return;
        };
        let UserPacket { payload, topic, .. } = user;
        let sender = self.people.others.get(&participant_identity);
        let participant = sender.map(|info| RemoteParticipant::new(shared, info));
        self.events.push(RoomEvent::DataReceived(DataReceived {
            payload,
            topic,
            kind,
            participant,
            participant_identity,
            encryption,
        }));
    }
}
