//! Packets to bytes and back.

use livekit_protocol as pb;
use prost::Message;
use thiserror::Error;

use super::{DataPacket, PacketValue};
use crate::limits;

/// Field 16 of a packet, a varint.
const SEQUENCE_KEY: u64 = 16 << 3;

/// Why bytes are no packet.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PacketError {
    /// More bytes than a packet may have.
    #[error("packet of {bytes} bytes is larger than {limit}")]
    TooLarge {
        /// What came.
        bytes: usize,
        /// What may come.
        limit: usize,
    },
    /// Not protobuf, or not a packet.
    #[error("packet is not valid protobuf")]
    Protobuf(#[from] prost::DecodeError),
}

impl DataPacket {
    /// Reads a message of a channel.
    ///
    /// # Errors
    /// It is larger than [`limits::DATA_PACKET_BYTES`], or no packet.
    pub fn decode(message: &[u8]) -> Result<Self, PacketError> {
        bounded(message)?;
        Ok(pb::DataPacket::decode(message)?.into())
    }

    /// The packet's bytes. A sequence of 0 is left out, and may be added by [`put_sequence`].
    pub fn encode(&self) -> Vec<u8> {
        pb::DataPacket::from(self).encode_to_vec()
    }

    /// The length of [`encode`](Self::encode)'s bytes.
    pub fn encoded_len(&self) -> usize {
        pb::DataPacket::from(self).encoded_len()
    }
}

impl PacketValue {
    /// The bytes that are encrypted in the value's place; `None` if values of its kind are not encrypted.
    pub fn encode_payload(&self) -> Option<Vec<u8>> {
        let payload = pb::EncryptedPacketPayload::try_from(self).ok()?;
        Some(payload.encode_to_vec())
    }

    /// Reads bytes that were encrypted.
    ///
    /// # Errors
    /// They are more than [`limits::DATA_PACKET_BYTES`], or no such payload.
    pub fn decode_payload(payload: &[u8]) -> Result<Self, PacketError> {
        bounded(payload)?;
        Ok(pb::EncryptedPacketPayload::decode(payload)?.into())
    }
}

/// Numbers an encoded packet, whatever number it had before: the last of a field's values counts.
pub fn put_sequence(packet: &mut Vec<u8>, sequence: u32) {
    prost::encoding::encode_varint(SEQUENCE_KEY, packet);
    prost::encoding::encode_varint(sequence.into(), packet);
}

fn bounded(message: &[u8]) -> Result<(), PacketError> {
    let (bytes, limit) = (message.len(), limits::DATA_PACKET_BYTES);
    if bytes > limit { Err(PacketError::TooLarge { bytes, limit }) } else { Ok(()) }
}
