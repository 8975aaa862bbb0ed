//! DEFLATE, bit by bit.

use bytes::{Bytes, BytesMut};
use flate2::{Compress, Compression, FlushCompress, Status};

/// A level that keeps up with a fast link on one slow core.
const LEVEL: u32 = 3;
/// Room that the compressor is given at a time.
const ROOM_BYTES: usize = 16 * 1024;
/// How much of a file tells whether the rest is worth the time.
const SAMPLE_BYTES: usize = 64 * 1024;

/// A compressor that gives out what it has.
pub(super) struct Deflate {
    state: Compress,
    out: BytesMut,
    is_finished: bool,
}

impl Deflate {
    pub(super) fn new() -> Self {
        Self {
            state: Compress::new(Compression::new(LEVEL), false),
            out: BytesMut::new(),
            is_finished: false,
        }
    }

    /// Takes from the front of `content` until so much has come out, or nothing is left of it.
    pub(super) fn feed(&mut self, content: &mut Bytes, until: usize) {
        while !content.is_empty() && self.out.len() < until {
            let taken = self.step(content, FlushCompress::None);
            let _ = content.split_to(taken);
        }
    }

    /// Ends it, if so little has come out by then; answers whether it has ended.
    pub(super) fn finish(&mut self, until: usize) -> bool {
        while !self.is_finished && self.out.len() < until {
            self.step(&[], FlushCompress::Finish);
        }
        self.is_finished
    }

    /// What has come out and was not taken.
    pub(super) fn out(&self) -> &[u8] {
        &self.out
    }

    /// Takes so much, or what there is.
    pub(super) fn take(&mut self, bytes: usize) -> Bytes {
        self.out.split_to(bytes.min(self.out.len())).freeze()
    }

    /// How much of the input it took.
    fn step(&mut self, input: &[u8], flush: FlushCompress) -> usize {
        let (taken, given) = (self.state.total_in(), self.state.total_out());
        let start = self.out.len();
        self.out.resize(start + ROOM_BYTES, 0);
        let status = self.state.compress(input, &mut self.out[start..], flush);
        let status = status.expect("a compressor that was not finished takes input");
        self.is_finished = matches!(status, Status::StreamEnd);
        let given = usize::try_from(self.state.total_out() - given).expect("it is no more than the room");
        self.out.truncate(start + given);
        usize::try_from(self.state.total_in() - taken).expect("it is no more than the input")
    }
}

/// Content that begins so becomes shorter by a tenth; pictures and archives do not.
#[must_use]
pub fn is_worth_compressing(beginning: &[u8]) -> bool {
    let sample = &beginning[..beginning.len().min(SAMPLE_BYTES)];
    let mut deflate = Deflate::new();
    deflate.feed(&mut Bytes::copy_from_slice(sample), usize::MAX);
    deflate.finish(usize::MAX);
    deflate.out.len() < sample.len() - sample.len() / 10
}
