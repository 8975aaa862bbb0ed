//! Who has sent a packet, written behind it.

use bytes::Bytes;
use livekit_protocol as pb;
use prost::encoding::{WireType, encode_key, encode_varint};

use super::{Delivery, Outline, Value};

/// Who has sent a packet.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'s> {
    /// Its sid: receivers tell repetitions by it (protocol §6.2).
    pub sid: &'s str,
    /// Its identity; empty if it is hidden.
    pub identity: &'s str,
    /// It may speak for another participant.
    pub is_agent: bool,
}

/// The packet as others get it: what was sent, then the channel and the sender as the server knows them.
#[must_use]
pub fn seal(packet: &[u8], outline: &Outline<'_>, sender: Sender<'_>, delivery: Delivery) -> Bytes {
    let spare = 64 + 2 * (sender.sid.len() + sender.identity.len());
    let mut sealed = Vec::with_capacity(packet.len() + spare);
    sealed.extend_from_slice(packet);
    write_kind(&mut sealed, delivery);
    let on_behalf = speaks_for_another(outline, sender);
    if on_behalf {
        mark_generated(&mut sealed, outline.value);
    } else {
        write_text(&mut sealed, 4, sender.identity);
    }
    if outline.destinations_inside {
        outline.destination_identities.iter().for_each(|identity| write_text(&mut sealed, 5, identity));
    }
    write_text(&mut sealed, 17, sender.sid);
    if matches!(outline.value, Value::User { .. }) {
        let mut user = Vec::with_capacity(spare);
        write_text(&mut user, 1, sender.sid);
        write_text(&mut user, 5, sender.identity);
        write_bytes(&mut sealed, 2, &user);
    }
    Bytes::from(sealed)
}

/// Agents write what others have said (protocol §6.1).
fn speaks_for_another(outline: &Outline<'_>, sender: Sender<'_>) -> bool {
    let said = outline.participant_identity;
    let may =
        sender.is_agent && matches!(outline.value, Value::Chat | Value::TextStream | Value::Transcription);
    may && !said.is_empty() && said != sender.identity
}

fn mark_generated(sealed: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::Chat => {
            let mut chat = Vec::with_capacity(2);
            write_flag(&mut chat, 6);
            write_bytes(sealed, 9, &chat);
        }
        Value::TextStream => {
            let (mut text, mut header) = (Vec::with_capacity(2), Vec::with_capacity(4));
            write_flag(&mut text, 5);
            write_bytes(&mut header, 9, &text);
            write_bytes(sealed, 13, &header);
        }
        _ => {}
    }
}

fn write_kind(packet: &mut Vec<u8>, delivery: Delivery) {
    let kind = match delivery {
        Delivery::Reliable => pb::data_packet::Kind::Reliable,
        Delivery::Lossy => pb::data_packet::Kind::Lossy,
    };
    encode_key(1, WireType::Varint, packet);
    encode_varint(kind as u64, packet);
}

fn write_flag(message: &mut Vec<u8>, number: u32) {
    encode_key(number, WireType::Varint, message);
    encode_varint(1, message);
}

/// Written even if it is empty: it takes the place of what the client has written there.
fn write_text(message: &mut Vec<u8>, number: u32, text: &str) {
    write_bytes(message, number, text.as_bytes());
}

fn write_bytes(message: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    encode_key(number, WireType::LengthDelimited, message);
    encode_varint(bytes.len() as u64, message);
    message.extend_from_slice(bytes);
}
