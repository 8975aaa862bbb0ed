//! Encryption of packets (protocol §5.8): the value is replaced, everything around it stays readable for servers.

use bytes::Bytes;
use trackyard_proto::packet::EncryptedPacket;
use trackyard_proto::{DataPacket, Encryption, PacketValue};
use trackyard_track::{CipherError, Decryptor, Encryptor};
use trackyard_wire::Encryption as Sealing;

/// What encrypts and decrypts packets.
#[derive(Debug)]
pub struct PacketCipher {
    /// For what is sent.
    pub encryptor: Box<dyn Encryptor>,
    /// For what comes.
    pub decryptor: Box<dyn Decryptor>,
}

impl PacketCipher {
    /// Encrypts a packet's value, unless it is of a kind that nobody encrypts.
    pub(super) fn seal(&mut self, packet: &mut DataPacket) -> Result<(), CipherError> {
        let Some(payload) = packet.value.encode_payload() else { return Ok(()) };
        let (sealed, Sealing { key_index, iv }) = self.encryptor.encrypt(&payload)?;
        packet.value = PacketValue::Encrypted(EncryptedPacket {
            encryption: Encryption::Gcm,
            iv: Bytes::copy_from_slice(&iv),
            key_index: key_index.into(),
            encrypted_value: sealed.into(),
        });
        Ok(())
    }

    /// The bytes that a sender has encrypted. Its word on the kind of encryption is not asked for: official
    /// JavaScript clients leave it out.
    pub(super) fn open(&mut self, sender: &str, sealed: &EncryptedPacket) -> Result<Vec<u8>, CipherError> {
        let key_index =
            u8::try_from(sealed.key_index).map_err(|_| CipherError::NoKey { key_index: u8::MAX })?;
        let iv = sealed.iv.as_ref().try_into().map_err(|_| CipherError::WrongKey { key_index })?;
        self.decryptor.decrypt(sender, &Sealing { key_index, iv }, &sealed.encrypted_value)
    }
}
