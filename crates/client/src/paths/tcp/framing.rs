//! RFC 4571 framing: each datagram is preceded by its length in two bytes.

use bytes::{Buf, BufMut, BytesMut};

/// Bytes before each datagram.
const PREFIX_BYTES: usize = 2;
/// The longest datagram: one DTLS record with its overhead. The server ends connections with longer ones.
pub(super) const FRAME_BYTES_MAX: usize = 16 * 1024 + 512;

/// A frame is longer than any that is used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {0} bytes")]
pub(crate) struct FrameTooLong(usize);

/// Appends a frame; one that is too long is left out.
pub(in crate::paths) fn push_frame(stream: &mut BytesMut, datagram: &[u8]) {
    if let Some(bytes) =
        u16::try_from(datagram.len()).ok().filter(|bytes| usize::from(*bytes) <= FRAME_BYTES_MAX)
    {
        stream.put_u16(bytes);
        stream.put_slice(datagram);
    }
}

/// Takes the next whole frame off the front of what has come.
pub(in crate::paths) fn take_frame(stream: &mut BytesMut) -> Result<Option<BytesMut>, FrameTooLong> {
    let Some((prefix, rest)) = stream.split_first_chunk::<PREFIX_BYTES>() else { return Ok(None) };
    let bytes = usize::from(u16::from_be_bytes(*prefix));
    if bytes > FRAME_BYTES_MAX {
        return Err(FrameTooLong(bytes));
    }
    if rest.len() < bytes {
        return Ok(None);
    }
    stream.advance(PREFIX_BYTES);
    Ok(Some(stream.split_to(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_survive_any_cut() {
        let frames = [b"one".to_vec(), Vec::new(), vec![7; FRAME_BYTES_MAX], b"last".to_vec()];
        let mut whole = BytesMut::new();
        frames.iter().for_each(|frame| push_frame(&mut whole, frame));
        for step in [1, 2, 3, 1_000, 100_000] {
            let (mut stream, mut taken) = (BytesMut::new(), Vec::new());
            for piece in whole.chunks(step) {
                stream.extend_from_slice(piece);
                while let Some(frame) = take_frame(&mut stream).unwrap() {
                    taken.push(frame.to_vec());
                }
            }
            assert_eq!(taken, frames, "step {step}");
            assert!(stream.is_empty());
        }
    }

    #[test]
    fn a_frame_too_long_is_refused_before_its_bytes_come() {
        let mut stream = BytesMut::from(&[0xff, 0xff][..]);
        assert_eq!(take_frame(&mut stream), Err(FrameTooLong(65_535)));
    }

    #[test]
    fn a_frame_too_long_is_not_sent() {
        let mut stream = BytesMut::new();
        push_frame(&mut stream, &vec![0; FRAME_BYTES_MAX + 1]);
        push_frame(&mut stream, &vec![0; 65_536 + 1]);
        assert!(stream.is_empty());
    }
}
