//! What a frame holds: who sent it and when it was meant to be, and a fill that shows each wrong byte.
//!
//! Layout, big-endian: magic (4), run (8), track (4), number (8), intended time in nanoseconds since the
//! run's epoch (8), length of the frame (4), check of all that (4), then the fill. The fill is a piece of one
//! block of the run, begun at another place for each frame, so writing it is a copy and verifying it a
//! comparison.
//!
//! Publishers and subscribers of one process share the run's epoch. Across processes they do not: whoever
//! reads states by how much the clocks differ, as a [`ClockOffset`].

mod clock;
mod fill;

use std::time::Duration;

use thiserror::Error;

pub use clock::ClockOffset;
use fill::Fill;

/// Bytes at the head of each frame.
pub const HEADER_BYTES: usize = 40;
/// The smallest frame.
pub const FRAME_BYTES_MIN: usize = HEADER_BYTES;

const MAGIC: [u8; 4] = *b"TYb1";
/// Where the check of the header begins.
const CHECK_AT: usize = 36;

/// Who sent a frame, and when it was meant to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Of all publishers' tracks.
    pub track: u32,
    /// Of the track's frames, from 0.
    pub number: u64,
    /// Since the run's epoch.
    pub intended: Duration,
}

/// Why a frame is not what was sent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// It cannot hold a header.
    #[error("{bytes} bytes are no frame of a benchmark")]
    TooShort {
        /// Its length.
        bytes: usize,
    },
    /// Somebody else's.
    #[error("it is no frame of a benchmark")]
    Foreign,
    /// Its header was changed, so it cannot be said which frame it is.
    #[error("its header was changed")]
    Header,
    /// Of another run in the same room.
    #[error("it is a frame of run {run:016x}")]
    OtherRun {
        /// Which run.
        run: u64,
    },
    /// It is shorter or longer than it was.
    #[error("it has {bytes} bytes of {expected}")]
    Length {
        /// Whose frame it is.
        stamp: Stamp,
        /// Its length.
        bytes: usize,
        /// What it was.
        expected: usize,
    },
    /// Bytes of the fill were changed.
    #[error("{wrong_bytes} of its bytes were changed")]
    Content {
        /// Whose frame it is.
        stamp: Stamp,
        /// How many.
        wrong_bytes: usize,
    },
}

/// A frame that cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{bytes} bytes cannot hold the {FRAME_BYTES_MIN} bytes of a header, or are too many")]
pub struct WriteError {
    /// Its length.
    pub bytes: usize,
}

/// Writes and verifies the frames of one run.
#[derive(Debug, Clone)]
pub struct Payloads {
    run: u64,
    fill: Fill,
}

impl Payloads {
    /// For the run of that number: random, so that two runs in one room are told apart.
    #[must_use]
    pub fn new(run: u64) -> Self {
        Self { run, fill: Fill::new(run) }
    }

    /// Which run it is.
    #[must_use]
    pub fn run(&self) -> u64 {
        self.run
    }

    /// A frame of so many bytes.
    ///
    /// # Errors
    /// When it is smaller than a header, or larger than a length can say.
    pub fn frame(&self, stamp: &Stamp, bytes: usize) -> Result<Vec<u8>, WriteError> {
        let mut frame = vec![0; bytes];
        self.write(stamp, &mut frame)?;
        Ok(frame)
    }

    /// Writes a frame over the whole of `frame`.
    ///
    /// # Errors
    /// When it is smaller than a header, or larger than a length can say.
    pub fn write(&self, stamp: &Stamp, frame: &mut [u8]) -> Result<(), WriteError> {
        let bytes = frame.len();
        let length = u32::try_from(bytes).map_err(|_| WriteError { bytes })?;
        let (header, fill) = frame.split_first_chunk_mut::<HEADER_BYTES>().ok_or(WriteError { bytes })?;
        *header = self.header(stamp, length);
        self.fill.write(stamp, fill);
        Ok(())
    }

    /// Verifies a frame to its last byte and says which it is.
    ///
    /// # Errors
    /// When it is somebody else's or was changed; where its header is whole, the error says which it was.
    pub fn read(&self, frame: &[u8]) -> Result<Stamp, PayloadError> {
        let Some((header, fill)) = frame.split_first_chunk::<HEADER_BYTES>() else {
            return Err(PayloadError::TooShort { bytes: frame.len() });
        };
        let (stamp, length) = self.parse(header)?;
        if length as usize != frame.len() {
            return Err(PayloadError::Length { stamp, bytes: frame.len(), expected: length as usize });
        }
        match self.fill.wrong_bytes(&stamp, fill) {
            0 => Ok(stamp),
            wrong_bytes => Err(PayloadError::Content { stamp, wrong_bytes }),
        }
    }

    fn header(&self, stamp: &Stamp, length: u32) -> [u8; HEADER_BYTES] {
        let intended = u64::try_from(stamp.intended.as_nanos()).unwrap_or(u64::MAX);
        let mut header = [0; HEADER_BYTES];
        header[..4].copy_from_slice(&MAGIC);
        header[4..12].copy_from_slice(&self.run.to_be_bytes());
        header[12..16].copy_from_slice(&stamp.track.to_be_bytes());
        header[16..24].copy_from_slice(&stamp.number.to_be_bytes());
        header[24..32].copy_from_slice(&intended.to_be_bytes());
        header[32..36].copy_from_slice(&length.to_be_bytes());
        let check = check(&header[..CHECK_AT]);
        header[CHECK_AT..].copy_from_slice(&check.to_be_bytes());
        header
    }

    fn parse(&self, header: &[u8; HEADER_BYTES]) -> Result<(Stamp, u32), PayloadError> {
        if header[..4] != MAGIC {
            return Err(PayloadError::Foreign);
        }
        if check(&header[..CHECK_AT]) != word(header, CHECK_AT) {
            return Err(PayloadError::Header);
        }
        let run = long(header, 4);
        if run != self.run {
            return Err(PayloadError::OtherRun { run });
        }
        let intended = Duration::from_nanos(long(header, 24));
        Ok((Stamp { track: word(header, 12), number: long(header, 16), intended }, word(header, 32)))
    }
}

impl PayloadError {
    /// Which frame it was, if that can still be said.
    #[must_use]
    pub fn stamp(&self) -> Option<Stamp> {
        match self {
            Self::Length { stamp, .. } | Self::Content { stamp, .. } => Some(*stamp),
            Self::TooShort { .. } | Self::Foreign | Self::Header | Self::OtherRun { .. } => None,
        }
    }
}

fn word(header: &[u8; HEADER_BYTES], at: usize) -> u32 {
    header[at..at + 4].iter().fold(0, |word, byte| word << 8 | u32::from(*byte))
}

fn long(header: &[u8; HEADER_BYTES], at: usize) -> u64 {
    u64::from(word(header, at)) << 32 | u64::from(word(header, at + 4))
}

/// FNV-1a, 32 bits: it meets accidents, not attacks.
fn check(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests;
