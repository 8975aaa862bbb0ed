//! A packet's value, encrypted end to end (protocol §5.8).

use bytes::Bytes;

use crate::data_track::Encryption;

/// What takes the place of a value that only participants shall read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EncryptedPacket {
    /// With what.
    pub encryption: Encryption,
    /// The initialisation vector.
    pub iv: Bytes,
    /// The key's place in the ring.
    pub key_index: u32,
    /// [`PacketValue::encode_payload`](crate::packet::PacketValue::encode_payload), encrypted.
    pub encrypted_value: Bytes,
}
