//! A stream that is written bit by bit.

use std::collections::BTreeMap;
use std::fmt;
use std::mem;

use bytes::Bytes;
use trackyard_proto::packet::{Compression, PacketValue, StreamChunk, StreamHeader, StreamTrailer};
use trackyard_proto::{DataPacket, Encryption};

use super::deflate::Deflate;
use super::options::header_packet;
use super::{CHUNK_BYTES, Origin, StreamOptions};
use crate::{Medium, StreamError, StreamInfo};

/// The reason that a trailer gives when the content did not come to its end.
const INCOMPLETE: &str = "incomplete";

/// Cuts what is written into the packets of one stream.
///
/// Invariant: chunks are numbered from 0 without gaps, one trailer ends them, and a chunk of text ends where
/// a character does unless it is compressed.
pub struct Writer {
    info: StreamInfo,
    destinations: Vec<String>,
    header: Option<DataPacket>,
    next_index: u64,
    deflate: Option<Deflate>,
    /// Bytes before compression.
    written: u64,
    is_closed: bool,
}

impl Writer {
    /// A stream whose content becomes known as it is written: never compressed, so that all that is
    /// written goes out at once.
    ///
    /// # Errors
    /// [`StreamError::HeaderTooLarge`].
    pub fn new(options: StreamOptions, origin: &Origin) -> Result<Self, StreamError> {
        let header = options.header(origin);
        Self::begin(header, options.destinations, None)
    }

    /// A stream whose content is long and known before, such as a file: compressed if every recipient
    /// can read that.
    ///
    /// # Errors
    /// [`StreamError::HeaderTooLarge`].
    pub fn compressed(options: StreamOptions, origin: &Origin) -> Result<Self, StreamError> {
        let mut header = options.header(origin);
        let deflate = options.may_deflate(origin).then(Deflate::new);
        if deflate.is_some() {
            header.compression = Compression::DeflateRaw;
        }
        Self::begin(header, options.destinations, deflate)
    }

    pub(super) fn begin(
        header: StreamHeader,
        destinations: Vec<String>,
        deflate: Option<Deflate>,
    ) -> Result<Self, StreamError> {
        let info = StreamInfo::of(&header, Encryption::None).expect("options say what kind of stream it is");
        let header = Some(header_packet(header, &destinations)?);
        Ok(Self { info, destinations, header, next_index: 0, deflate, written: 0, is_closed: false })
    }

    /// What the header says.
    #[must_use]
    pub fn info(&self) -> &StreamInfo {
        &self.info
    }

    /// Bytes of the content that were taken so far.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Between 0 and 1; nothing where the size is not known.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a fraction for people")]
    pub fn progress(&self) -> Option<f64> {
        let size = self.info.size?;
        Some(if size == 0 { 1.0 } else { (self.written as f64 / size as f64).min(1.0) })
    }

    /// The next packet, taking from the front of `content`; nothing once `content` is empty and waits for more.
    pub fn next(&mut self, content: &mut Bytes) -> Option<DataPacket> {
        if let Some(header) = self.header.take() {
            return Some(header);
        }
        let before = content.len();
        let chunk = match &mut self.deflate {
            Some(deflate) => {
                deflate.feed(content, CHUNK_BYTES);
                if deflate.out().len() < CHUNK_BYTES { Bytes::new() } else { deflate.take(CHUNK_BYTES) }
            }
            None => content.split_to(self.cut(content)),
        };
        self.written += as_u64(before - content.len());
        (!chunk.is_empty()).then(|| self.chunk(chunk))
    }

    /// Ends the stream: call until nothing comes. The last packet is the trailer.
    pub fn close(&mut self, attributes: &BTreeMap<String, String>) -> Option<DataPacket> {
        if self.is_closed {
            return None;
        }
        if let Some(header) = self.header.take() {
            return Some(header);
        }
        if let Some(deflate) = &mut self.deflate {
            deflate.finish(CHUNK_BYTES);
            let chunk = deflate.take(CHUNK_BYTES);
            if !chunk.is_empty() {
                return Some(self.chunk(chunk));
            }
        }
        let reason = if self.is_complete() { "" } else { INCOMPLETE };
        self.is_closed = true;
        Some(self.trailer(reason, attributes.clone()))
    }

    /// Gives the stream up for a reason that its readers are told; nothing if they know of none, or of its end.
    pub fn abort(&mut self, reason: &str) -> Option<DataPacket> {
        let is_unknown = self.header.take().is_some();
        if mem::replace(&mut self.is_closed, true) || is_unknown {
            return None;
        }
        Some(self.trailer(reason, BTreeMap::new()))
    }

    /// As much was written as was announced, if anything was.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.info.size.is_none_or(|size| size == self.written)
    }

    /// The trailer has been given out.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Where the next chunk ends.
    fn cut(&self, content: &[u8]) -> usize {
        if content.len() <= CHUNK_BYTES || self.info.medium() == Medium::Bytes {
            return content.len().min(CHUNK_BYTES);
        }
        let is_boundary = |at: &usize| content[*at] & 0xc0 != 0x80;
        (CHUNK_BYTES - 3..=CHUNK_BYTES).rev().find(is_boundary).unwrap_or(CHUNK_BYTES)
    }

    fn chunk(&mut self, content: Bytes) -> DataPacket {
        let chunk_index = self.next_index;
        self.next_index += 1;
        let chunk = StreamChunk { stream_id: self.info.id.clone(), chunk_index, content, version: 0 };
        PacketValue::StreamChunk(chunk).reliable(self.destinations.clone())
    }

    fn trailer(&self, reason: &str, attributes: BTreeMap<String, String>) -> DataPacket {
        let trailer =
            StreamTrailer { stream_id: self.info.id.clone(), reason: reason.to_owned(), attributes };
        PacketValue::StreamTrailer(trailer).reliable(self.destinations.clone())
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("id", &self.info.id)
            .field("written", &self.written)
            .finish_non_exhaustive()
    }
}

fn as_u64(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
