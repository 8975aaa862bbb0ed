//! Packets of users.

mod rpc;
mod stream;

use livekit_protocol as pb;
use pb::data_packet::Value as Wire;
use pb::encrypted_packet_payload::Value as Payload;

use super::enums::FromNumber;
use crate::data_track::Encryption;
use crate::packet::{DataPacket, EncryptedPacket, PacketKind, PacketValue, UserPacket};

#[allow(deprecated, reason = "servers and older clients read the field")]
impl From<&DataPacket> for pb::DataPacket {
    fn from(packet: &DataPacket) -> Self {
        let kind = match packet.kind {
            PacketKind::Reliable => pb::data_packet::Kind::Reliable,
            PacketKind::Lossy => pb::data_packet::Kind::Lossy,
        };
        Self {
            kind: kind.into(),
            participant_identity: packet.participant_identity.clone(),
            destination_identities: packet.destination_identities.clone(),
            sequence: packet.sequence,
            participant_sid: packet.participant_sid.clone(),
            value: wire_value(&packet.value),
        }
    }
}

#[allow(deprecated, reason = "servers and older clients write the fields")]
impl From<pb::DataPacket> for DataPacket {
    fn from(mut packet: pb::DataPacket) -> Self {
        if let Some(Wire::User(user)) = &mut packet.value {
            fill(&mut packet.participant_sid, &mut user.participant_sid);
            fill(&mut packet.participant_identity, &mut user.participant_identity);
            if packet.destination_identities.is_empty() {
                packet.destination_identities = std::mem::take(&mut user.destination_identities);
            }
        }
        let lossy = packet.kind == pb::data_packet::Kind::Lossy as i32;
        Self {
            kind: if lossy { PacketKind::Lossy } else { PacketKind::Reliable },
            participant_sid: packet.participant_sid,
            participant_identity: packet.participant_identity,
            destination_identities: packet.destination_identities,
            sequence: packet.sequence,
            value: packet.value.map_or(PacketValue::Other, PacketValue::from),
        }
    }
}

/// A field of the packet, from that of its user packet where only the latter is set.
fn fill(packet: &mut String, user: &mut String) {
    if packet.is_empty() {
        *packet = std::mem::take(user);
    }
}

fn wire_value(value: &PacketValue) -> Option<Wire> {
    Some(match value {
        PacketValue::User(user) => Wire::User(user.into()),
        PacketValue::StreamHeader(header) => Wire::StreamHeader(header.into()),
        PacketValue::StreamChunk(chunk) => Wire::StreamChunk(chunk.into()),
        PacketValue::StreamTrailer(trailer) => Wire::StreamTrailer(trailer.into()),
        PacketValue::RpcRequest(request) => Wire::RpcRequest(request.into()),
        PacketValue::RpcAck(ack) => Wire::RpcAck(ack.into()),
        PacketValue::RpcResponse(response) => Wire::RpcResponse(response.into()),
        PacketValue::Encrypted(packet) => Wire::EncryptedPacket(packet.into()),
        PacketValue::Other => return None,
    })
}

impl From<Wire> for PacketValue {
    fn from(value: Wire) -> Self {
        match value {
            Wire::User(user) => Self::User(user.into()),
            Wire::StreamHeader(header) => Self::StreamHeader(header.into()),
            Wire::StreamChunk(chunk) => Self::StreamChunk(chunk.into()),
            Wire::StreamTrailer(trailer) => Self::StreamTrailer(trailer.into()),
            Wire::RpcRequest(request) => Self::RpcRequest(request.into()),
            Wire::RpcAck(ack) => Self::RpcAck(ack.into()),
            Wire::RpcResponse(response) => Self::RpcResponse(response.into()),
            Wire::EncryptedPacket(packet) => Self::Encrypted(packet.into()),
            _ => Self::Other,
        }
    }
}

impl TryFrom<&PacketValue> for pb::EncryptedPacketPayload {
    type Error = ();

    fn try_from(value: &PacketValue) -> Result<Self, ()> {
        let value = match value {
            PacketValue::User(user) => Payload::User(user.into()),
            PacketValue::StreamHeader(header) => Payload::StreamHeader(header.into()),
            PacketValue::StreamChunk(chunk) => Payload::StreamChunk(chunk.into()),
            PacketValue::StreamTrailer(trailer) => Payload::StreamTrailer(trailer.into()),
            PacketValue::RpcRequest(request) => Payload::RpcRequest(request.into()),
            PacketValue::RpcAck(ack) => Payload::RpcAck(ack.into()),
            PacketValue::RpcResponse(response) => Payload::RpcResponse(response.into()),
            PacketValue::Encrypted(_) | PacketValue::Other => return Err(()),
        };
        Ok(Self { value: Some(value) })
    }
}

impl From<pb::EncryptedPacketPayload> for PacketValue {
    fn from(payload: pb::EncryptedPacketPayload) -> Self {
        match payload.value {
            Some(Payload::User(user)) => Self::User(user.into()),
            Some(Payload::StreamHeader(header)) => Self::StreamHeader(header.into()),
            Some(Payload::StreamChunk(chunk)) => Self::StreamChunk(chunk.into()),
            Some(Payload::StreamTrailer(trailer)) => Self::StreamTrailer(trailer.into()),
            Some(Payload::RpcRequest(request)) => Self::RpcRequest(request.into()),
            Some(Payload::RpcAck(ack)) => Self::RpcAck(ack.into()),
            Some(Payload::RpcResponse(response)) => Self::RpcResponse(response.into()),
            Some(Payload::ChatMessage(_)) | None => Self::Other,
        }
    }
}

impl From<&UserPacket> for pb::UserPacket {
    fn from(user: &UserPacket) -> Self {
        Self {
            payload: user.payload.to_vec(),
            topic: user.topic.clone(),
            id: user.id.clone(),
            start_time: user.start_time,
            end_time: user.end_time,
            nonce: user.nonce.to_vec(),
            ..Self::default()
        }
    }
}

impl From<pb::UserPacket> for UserPacket {
    fn from(user: pb::UserPacket) -> Self {
        Self {
            payload: user.payload.into(),
            topic: user.topic,
            id: user.id,
            start_time: user.start_time,
            end_time: user.end_time,
            nonce: user.nonce.into(),
        }
    }
}

impl From<&EncryptedPacket> for pb::EncryptedPacket {
    fn from(packet: &EncryptedPacket) -> Self {
        Self {
            encryption_type: packet.encryption.number(),
            iv: packet.iv.to_vec(),
            key_index: packet.key_index,
            encrypted_value: packet.encrypted_value.to_vec(),
        }
    }
}

impl From<pb::EncryptedPacket> for EncryptedPacket {
    fn from(packet: pb::EncryptedPacket) -> Self {
        Self {
            encryption: Encryption::from_number(packet.encryption_type),
            iv: packet.iv.into(),
            key_index: packet.key_index,
            encrypted_value: packet.encrypted_value.into(),
        }
    }
}
