//! A look at a protobuf message's outline, before any part of it is allocated.
//!
//! An empty sub-message takes two bytes on the wire and hundreds in memory, so a bound on bytes
//! alone would let a frame of 2 MiB occupy several hundred. Counting costs one pass over the keys.

use prost::encoding::{WireType, decode_key, decode_varint};

/// One field of a message: its number and, if it has a length, its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    /// The field's number.
    pub(crate) number: u32,
    /// Key and content as they came.
    pub(crate) raw: &'a [u8],
    /// The content of a string, bytes or sub-message; else empty.
    pub(crate) content: &'a [u8],
}

/// The fields of a message, up to its end or to the first byte that is no protobuf: saying what is
/// wrong with it is left to the decoder.
#[derive(Debug, Clone)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Starts at the beginning.
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    fn read(&mut self) -> Option<Field<'a>> {
        let start = self.rest;
        let mut rest = start;
        let (number, wire_type) = decode_key(&mut rest).ok()?;
        let content = match wire_type {
            WireType::Varint => decode_varint(&mut rest).ok().map(|_| 0)?,
            WireType::SixtyFourBit => 8,
            WireType::ThirtyTwoBit => 4,
            WireType::LengthDelimited => usize::try_from(decode_varint(&mut rest).ok()?).ok()?,
            // Decoders skip unknown groups, so a group must not end the walk: what is in it counts.
            WireType::StartGroup | WireType::EndGroup => 0,
        };
        let (content, rest) = rest.split_at_checked(content)?;
        let raw = start.get(..start.len() - rest.len())?;
        self.rest = rest;
        Some(Field { number, raw, content })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let field = self.read();
        if field.is_none() {
            self.rest = &[];
        }
        field
    }
}

/// How many fields a message has, down to so many levels. Texts that happen to look like messages
/// are counted as such: an upper bound is what is wanted.
pub(crate) fn count(message: &[u8], levels: u32) -> usize {
    if levels == 0 {
        return 0;
    }
    Fields::new(message).map(|field| 1 + count(field.content, levels - 1)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(message: &[u8]) -> Vec<u32> {
        Fields::new(message).map(|field| field.number).collect()
    }

    #[test]
    fn every_wire_type_is_stepped_over() {
        let message = [
            &[0x08, 0x96, 0x01][..],         // 1: varint
            &[0x12, 0x02, b'h', b'i'],       // 2: length
            &[0x19, 0, 0, 0, 0, 0, 0, 0, 0], // 3: 64 bits
            &[0x25, 0, 0, 0, 0],             // 4: 32 bits
        ]
        .concat();
        assert_eq!(numbers(&message), [1, 2, 3, 4]);
        let text = Fields::new(&message).nth(1).unwrap();
        assert_eq!((text.content, text.raw), (&b"hi"[..], &message[3..7]));
    }

    #[test]
    fn what_is_no_protobuf_ends_the_walk() {
        assert_eq!(numbers(&[0x12, 0x05, b'h', b'i']), [0; 0]);
        assert_eq!(numbers(&[0x08, 0x01, 0xff]), [1]);
        assert_eq!(numbers(&[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]), [0; 0]);
    }

    #[test]
    fn a_group_does_not_hide_what_follows() {
        assert_eq!(numbers(&[0xa3, 0x06, 0x08, 0x01, 0xa4, 0x06, 0x10, 0x01]), [100, 1, 100, 2]);
    }

    #[test]
    fn fields_are_counted_down_to_a_level() {
        let message = [0x0a, 0x04, 0x0a, 0x02, 0x08, 0x01, 0x10, 0x01];
        assert_eq!([0, 1, 2, 3, 4].map(|levels| count(&message, levels)), [0, 2, 3, 4, 4]);
    }
}
