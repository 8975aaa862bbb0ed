//! A look at a packet that allocates nothing but its list of destinations.

use std::str;

use prost::encoding::{WireType, decode_key, decode_varint};

/// Destinations of one packet; no room has more participants that could be named.
const DESTINATIONS_MAX: usize = 4_096;

/// What the server has to know of a packet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outline<'p> {
    /// Of a reliable packet; 0 is none.
    pub sequence: u32,
    /// What it holds.
    pub value: Value<'p>,
    /// Who it says has sent it.
    pub participant_identity: &'p str,
    /// Identities of those who are to get it; with [`destination_sids`](Self::destination_sids) empty, everyone.
    pub destination_identities: Vec<&'p str>,
    /// The same by sid, as older clients do.
    pub destination_sids: Vec<&'p str>,
    /// The destinations stand in the user packet alone.
    pub(super) destinations_inside: bool,
}

/// What a packet holds, as far as it matters on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Value<'p> {
    /// Nothing, or something that is not known here.
    #[default]
    Other,
    /// A packet of the application.
    User {
        /// Tells a packet from its repetition; often empty.
        nonce: &'p [u8],
    },
    /// Who speaks; clients do not say that any more.
    Speaker,
    /// What was spoken.
    Transcription,
    /// Measurements of a client.
    Metrics,
    /// A message of a chat.
    Chat,
    /// The call of a method.
    RpcRequest,
    /// A call has arrived.
    RpcAck {
        /// Which.
        request_id: &'p str,
    },
    /// What came of a call.
    RpcResponse {
        /// Of which.
        request_id: &'p str,
    },
    /// The beginning of a stream of bytes.
    ByteStream,
    /// The beginning of a stream of text.
    TextStream,
    /// A piece of a stream.
    StreamChunk,
    /// The end of a stream.
    StreamTrailer,
    /// Any of these, encrypted.
    Encrypted,
}

/// The bytes are no packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedPacket {
    /// A field cannot be read.
    #[error("not a data packet")]
    Field,
    /// A name is not UTF-8.
    #[error("a name in the packet is not UTF-8")]
    Text,
    /// Two kinds of value: receivers that know only one of them would not agree with others on what it is.
    #[error("the packet holds two kinds of value")]
    Values,
    /// Too many destinations.
    #[error("the packet names more than {DESTINATIONS_MAX} destinations")]
    Destinations,
}

impl<'p> Outline<'p> {
    /// Looks at a packet.
    ///
    /// # Errors
    /// [`MalformedPacket`] if it is none.
    pub fn of(packet: &'p [u8]) -> Result<Self, MalformedPacket> {
        let mut outline = Self::default();
        let mut inside = Inside::default();
        let mut kind = None;
        walk(packet, |field| {
            match field {
                Field { number: 4, content: Some(text), .. } => outline.participant_identity = utf8(text)?,
                Field { number: 5, content: Some(text), .. } => {
                    push(&mut outline.destination_identities, utf8(text)?)?;
                }
                Field { number: 16, varint, .. } => outline.sequence = varint as u32,
                Field { number: 17, content: Some(text), .. } => drop(utf8(text)?),
                Field { number, content: Some(content), .. } if is_value(number) => {
                    if kind.replace(number).is_some_and(|former| former != number) {
                        return Err(MalformedPacket::Values);
                    }
                    outline.value = value(number, content, &mut inside)?;
                }
                _ => {}
            }
            Ok(())
        })?;
        outline.adopt(inside);
        Ok(outline)
    }

    /// Everyone is to get it.
    #[must_use]
    pub fn is_for_all(&self) -> bool {
        self.destination_identities.is_empty() && self.destination_sids.is_empty()
    }

    /// Destinations of the packet come before those of the user packet in it.
    fn adopt(&mut self, inside: Inside<'p>) {
        let is_user = matches!(self.value, Value::User { .. });
        if is_user && self.destination_identities.is_empty() {
            self.destination_identities = inside.identities;
            self.destination_sids = inside.sids;
            self.destinations_inside = true;
        }
    }
}

/// Destinations as older clients write them.
#[derive(Debug, Default)]
struct Inside<'p> {
    identities: Vec<&'p str>,
    sids: Vec<&'p str>,
}

struct Field<'p> {
    number: u32,
    varint: u64,
    content: Option<&'p [u8]>,
}

/// The kinds of value that are known. What else there may be takes nothing's place, or it would hide a user packet
/// from having its sender written.
fn is_value(number: u32) -> bool {
    matches!(number, 2 | 3 | 6..=15 | 18)
}

fn value<'p>(number: u32, content: &'p [u8], inside: &mut Inside<'p>) -> Result<Value<'p>, MalformedPacket> {
    Ok(match number {
        2 => Value::User { nonce: user(content, inside)? },
        3 => Value::Speaker,
        7 => Value::Transcription,
        8 => Value::Metrics,
        9 => Value::Chat,
        10 => Value::RpcRequest,
        11 => Value::RpcAck { request_id: first_text(content)? },
        12 => Value::RpcResponse { request_id: first_text(content)? },
        13 if has_field(content, 9)? => Value::TextStream,
        13 => Value::ByteStream,
        14 => Value::StreamChunk,
        15 => Value::StreamTrailer,
        18 => Value::Encrypted,
        _ => Value::Other,
    })
}

fn user<'p>(content: &'p [u8], inside: &mut Inside<'p>) -> Result<&'p [u8], MalformedPacket> {
    let mut nonce: &[u8] = &[];
    walk(content, |field| {
        match (field.number, field.content) {
            (3, Some(text)) => push(&mut inside.sids, utf8(text)?)?,
            (6, Some(text)) => push(&mut inside.identities, utf8(text)?)?,
            (11, Some(bytes)) => nonce = bytes,
            _ => {}
        }
        Ok(())
    })?;
    Ok(nonce)
}

fn first_text(content: &[u8]) -> Result<&str, MalformedPacket> {
    let mut found = "";
    walk(content, |field| {
        if let Field { number: 1, content: Some(text), .. } = field {
            found = utf8(text)?;
        }
        Ok(())
    })?;
    Ok(found)
}

fn has_field(content: &[u8], number: u32) -> Result<bool, MalformedPacket> {
    let mut found = false;
    walk(content, |field| {
        found |= field.number == number;
        Ok(())
    })?;
    Ok(found)
}

fn push<'p>(list: &mut Vec<&'p str>, item: &'p str) -> Result<(), MalformedPacket> {
    if list.len() >= DESTINATIONS_MAX {
        return Err(MalformedPacket::Destinations);
    }
    list.push(item);
    Ok(())
}

fn utf8(text: &[u8]) -> Result<&str, MalformedPacket> {
    str::from_utf8(text).map_err(|_| MalformedPacket::Text)
}

/// Visits each field. Groups are refused: no generator of this century writes them, and what is in one would be
/// mistaken for fields.
fn walk<'p>(
    mut rest: &'p [u8],
    mut visit: impl FnMut(Field<'p>) -> Result<(), MalformedPacket>,
) -> Result<(), MalformedPacket> {
    while !rest.is_empty() {
        let (number, wire_type) = decode_key(&mut rest).map_err(|_| MalformedPacket::Field)?;
        let mut varint = 0;
        let length = match wire_type {
            WireType::Varint => {
                varint = decode_varint(&mut rest).map_err(|_| MalformedPacket::Field)?;
                None
            }
            WireType::LengthDelimited => {
                let length = decode_varint(&mut rest).map_err(|_| MalformedPacket::Field)?;
                Some(usize::try_from(length).map_err(|_| MalformedPacket::Field)?)
            }
            WireType::SixtyFourBit => {
                rest = rest.get(8..).ok_or(MalformedPacket::Field)?;
                None
            }
            WireType::ThirtyTwoBit => {
                rest = rest.get(4..).ok_or(MalformedPacket::Field)?;
                None
            }
            WireType::StartGroup | WireType::EndGroup => return Err(MalformedPacket::Field),
        };
        let mut content = None;
        if let Some(length) = length {
            let (taken, left) = rest.split_at_checked(length).ok_or(MalformedPacket::Field)?;
            (content, rest) = (Some(taken), left);
        }
        visit(Field { number, varint, content })?;
    }
    Ok(())
}
