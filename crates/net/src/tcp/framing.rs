//! RFC 4571 framing: each frame is preceded by its length in two bytes.

use std::io::{self, Read, Write};

/// Bytes before each frame.
const PREFIX_BYTES: usize = 2;
/// Longest frame taken: one DTLS record with its overhead. A longer one ends the connection.
pub(crate) const FRAME_BYTES_MAX: usize = 16 * 1024 + 512;
/// Bytes that may wait for a slow reader; a frame that does not fit is dropped and counted.
const WAITING_BYTES_MAX: usize = 512 * 1024;
/// Cuts a byte stream into frames.
#[derive(Debug, Default)]
pub(crate) struct FrameReader {
    bytes: Vec<u8>,
    consumed: usize,
}

/// A frame is longer than any that is used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {0} bytes")]
pub(crate) struct FrameTooLong(usize);

impl FrameReader {
    /// Reads once, by way of `scratch`. `Ok(0)`: the other side has ended the stream.
    pub(crate) fn fill(&mut self, stream: &mut impl Read, scratch: &mut [u8]) -> io::Result<usize> {
        self.bytes.drain(..self.consumed);
        self.consumed = 0;
        let count = stream.read(scratch)?;
        self.bytes.extend_from_slice(&scratch[..count]);
        Ok(count)
    }

    /// Whether a whole frame is there.
    pub(crate) fn check(&self) -> Result<bool, FrameTooLong> {
        self.frame_bytes().map(|bytes| bytes.is_some())
    }

    /// The next whole frame.
    pub(crate) fn next(&mut self) -> Option<&[u8]> {
        let bytes = self.frame_bytes().ok()??;
        let start = self.consumed + PREFIX_BYTES;
        self.consumed = start + bytes;
        Some(&self.bytes[start..start + bytes])
    }

    fn frame_bytes(&self) -> Result<Option<usize>, FrameTooLong> {
        let waiting = &self.bytes[self.consumed..];
        let Some((prefix, rest)) = waiting.split_first_chunk::<PREFIX_BYTES>() else { return Ok(None) };
        let bytes = usize::from(u16::from_be_bytes(*prefix));
        if bytes > FRAME_BYTES_MAX {
            return Err(FrameTooLong(bytes));
        }
        Ok((rest.len() >= bytes).then_some(bytes))
    }

    /// A frame that has been seen by nobody, again.
    pub(crate) fn unread(&mut self, frame_bytes: usize) {
        self.consumed -= PREFIX_BYTES + frame_bytes;
    }
}

/// Frames on their way to a stream.
#[derive(Debug, Default)]
pub(crate) struct FrameWriter {
    waiting: Vec<u8>,
    written: usize,
}

impl FrameWriter {
    /// Queues a frame; `false` if there is no room and it was dropped.
    pub(crate) fn push(&mut self, frame: &[u8]) -> bool {
        let Ok(length) = u16::try_from(frame.len()) else { return false };
        if self.waiting.len() - self.written + PREFIX_BYTES + frame.len() > WAITING_BYTES_MAX {
            return false;
        }
        self.waiting.extend(length.to_be_bytes());
        self.waiting.extend(frame);
        true
    }

    /// Writes what the stream takes.
    pub(crate) fn flush(&mut self, stream: &mut impl Write) -> io::Result<()> {
        while self.written < self.waiting.len() {
            match stream.write(&self.waiting[self.written..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        self.waiting.drain(..self.written);
        self.written = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives or takes a few bytes at a time.
    struct Trickle {
        bytes: Vec<u8>,
        step: usize,
    }

    impl Read for Trickle {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.step.min(self.bytes.len()).min(into.len());
            into[..count].copy_from_slice(&self.bytes[..count]);
            self.bytes.drain(..count);
            Ok(count)
        }
    }

    impl Write for Trickle {
        fn write(&mut self, from: &[u8]) -> io::Result<usize> {
            if self.step == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let count = self.step.min(from.len());
            self.bytes.extend(&from[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn read_all(bytes: Vec<u8>, step: usize) -> Vec<Vec<u8>> {
        let (mut stream, mut reader, mut frames) =
            (Trickle { bytes, step }, FrameReader::default(), Vec::new());
        let mut scratch = vec![0; 4_096];
        while reader.fill(&mut stream, &mut scratch).unwrap() > 0 {
            while let Some(frame) = reader.next() {
                frames.push(frame.to_vec());
            }
        }
        frames
    }

    #[test]
    fn frames_survive_any_cut() {
        let frames = [b"one".to_vec(), Vec::new(), vec![7; FRAME_BYTES_MAX], b"last".to_vec()];
        let (mut writer, mut stream) = (FrameWriter::default(), Trickle { bytes: Vec::new(), step: 999 });
        for frame in &frames {
            assert!(writer.push(frame));
        }
        writer.flush(&mut stream).unwrap();
        for step in [1, 2, 3, 1_000, 100_000] {
            assert_eq!(read_all(stream.bytes.clone(), step), frames, "step {step}");
        }
    }

    #[test]
    fn a_frame_too_long_is_refused_before_its_bytes_come() {
        let mut reader = FrameReader::default();
        reader.fill(&mut Trickle { bytes: vec![0xff, 0xff], step: 2 }, &mut [0; 9]).unwrap();
        assert_eq!(reader.check(), Err(FrameTooLong(65_535)));
    }

    #[test]
    fn an_unread_frame_comes_again() {
        let mut reader = FrameReader::default();
        reader.fill(&mut Trickle { bytes: b"\0\x02hi".to_vec(), step: 4 }, &mut [0; 9]).unwrap();
        assert_eq!(reader.next(), Some(&b"hi"[..]));
        reader.unread(2);
        assert_eq!(reader.next(), Some(&b"hi"[..]));
        assert_eq!(reader.next(), None);
    }

    #[test]
    fn a_slow_reader_costs_bounded_memory_and_whole_frames() {
        let (mut writer, mut stream) = (FrameWriter::default(), Trickle { bytes: Vec::new(), step: 0 });
        let mut queued = 0;
        while writer.push(&[7; 1_000]) {
            queued += 1;
            writer.flush(&mut stream).unwrap();
        }
        assert_eq!(queued, WAITING_BYTES_MAX / 1_002);
        stream.step = 777;
        writer.flush(&mut stream).unwrap();
        assert_eq!(read_all(stream.bytes, 4_096).len(), queued);
    }
}
