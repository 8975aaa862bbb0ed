//! TURN over streams (RFC 8656 §12.5): STUN messages and channel data one after the other, the latter padded to four
//! bytes.

use bytes::{Buf, BufMut, BytesMut};

const STUN_HEADER_BYTES: usize = 20;
const CHANNEL_HEADER_BYTES: usize = 4;
const MAGIC_COOKIE: [u8; 4] = 0x2112_A442_u32.to_be_bytes();

/// What comes is neither STUN nor channel data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither STUN nor channel data")]
pub(crate) struct NotTurn;

/// Takes the next whole message off the front of what has come, without its padding. A message is not longer than
/// 64 KiB, so neither is what waits for the rest of one.
pub(super) fn take_message(stream: &mut BytesMut) -> Result<Option<BytesMut>, NotTurn> {
    let Some(&[first, _, length_high, length_low]) = stream.first_chunk::<4>() else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([length_high, length_low]));
    let (bytes, padding) = match first >> 6 {
        0 if length.is_multiple_of(4) => {
            if stream.get(4..8).is_some_and(|cookie| cookie != MAGIC_COOKIE) {
                return Err(NotTurn);
            }
            (STUN_HEADER_BYTES + length, 0)
        }
        1 => (CHANNEL_HEADER_BYTES + length, padding(length)),
        _ => return Err(NotTurn),
    };
    if stream.len() < bytes + padding {
        return Ok(None);
    }
    let message = stream.split_to(bytes);
    stream.advance(padding);
    Ok(Some(message))
}

/// Appends a message, padded as it has to be.
pub(super) fn push_message(stream: &mut BytesMut, message: &[u8]) {
    stream.put_slice(message);
    stream.put_bytes(0, padding(message.len()));
}

/// Bytes after so many that make them a multiple of four.
fn padding(bytes: usize) -> usize {
    bytes.next_multiple_of(4) - bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel_data(contents: &[u8]) -> Vec<u8> {
        let length = u16::try_from(contents.len()).unwrap().to_be_bytes();
        [&[0x40, 0x01], &length[..], contents].concat()
    }

    fn stun(attributes: &[u8]) -> Vec<u8> {
        let length = u16::try_from(attributes.len()).unwrap().to_be_bytes();
        [&[0x01, 0x03], &length[..], &MAGIC_COOKIE, &[7; 12], attributes].concat()
    }

    #[test]
    fn messages_survive_any_cut_and_lose_their_padding() {
        let messages = [
            stun(&[]),
            channel_data(b"odd"),
            channel_data(&[]),
            channel_data(&[9; 1_001]),
            stun(&[1, 2, 3, 4]),
            channel_data(&[9; 65_535]),
        ];
        let mut whole = BytesMut::new();
        messages.iter().for_each(|message| push_message(&mut whole, message));
        assert_eq!(whole.len() % 4, 0);
        for step in [1, 3, 1_000, 100_000] {
            let (mut stream, mut taken) = (BytesMut::new(), Vec::new());
            for piece in whole.chunks(step) {
                stream.extend_from_slice(piece);
                while let Some(message) = take_message(&mut stream).unwrap() {
                    taken.push(message.to_vec());
                }
            }
            assert_eq!(taken, messages, "step {step}");
            assert!(stream.is_empty());
        }
    }

    #[test]
    fn what_is_not_turn_is_refused_at_its_first_bytes() {
        for bytes in [&[0x80, 0, 0, 0][..], &[0xc0, 0, 0, 0], &[0, 1, 0, 3], &[0, 1, 0, 4, 0, 0, 0, 0]] {
            assert_eq!(take_message(&mut BytesMut::from(bytes)), Err(NotTurn), "{bytes:?}");
        }
    }
}
