//! What the server itself says to participants, in the name of an administrator (protocol §10, `SendData`).

use bytes::Bytes;
use trackyard_proto::limits;
use trackyard_proto::packet::{DataPacket, PacketKind, PacketValue, UserPacket};
use trackyard_proto::relay::Delivery;

use super::Room;
use super::admin::{AdminError, AdminReply, ServerData};
use crate::control::Audience;
use crate::nonces::NONCE_BYTES;

impl Room {
    /// Says something to participants, once.
    pub(super) fn send_data(&mut self, data: ServerData) -> Result<AdminReply, AdminError> {
        if !matches!(data.nonce.len(), 0 | NONCE_BYTES) {
            return Err(AdminError::Invalid("a nonce has 16 bytes, or is absent"));
        }
        let nonce = data.nonce.clone();
        let delivery = delivery(data.kind);
        let (packet, audience) = packet(data);
        let limit = limits::DATA_PACKET_BYTES;
        if packet.len() > limit {
            return Err(AdminError::TooLong { what: "data with topic and destinations", limit });
        }
        if self.nonces.is_new(&nonce) {
            self.say(packet, delivery, audience, None);
        } else {
            self.counters.server_packets_repeated += 1;
        }
        Ok(AdminReply::Done)
    }
}

/// A packet without a sender or a number, and who is to get it.
fn packet(data: ServerData) -> (Bytes, Audience) {
    let ServerData { data, kind, topic, identities, sids, nonce } = data;
    let audience = if identities.is_empty() && sids.is_empty() {
        Audience::All
    } else {
        Audience::Named { identities: identities.clone(), sids }
    };
    let user = UserPacket { payload: data, topic, nonce, ..UserPacket::default() };
    let value = PacketValue::User(user);
    let packet = DataPacket { kind, destination_identities: identities, value, ..DataPacket::default() };
    (packet.encode().into(), audience)
}

fn delivery(kind: PacketKind) -> Delivery {
    match kind {
        PacketKind::Reliable => Delivery::Reliable,
        PacketKind::Lossy => Delivery::Lossy,
    }
}
