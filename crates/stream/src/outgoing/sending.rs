//! A stream whose content is all there.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use trackyard_proto::packet::{Compression, StreamContent, StreamHeader};
use trackyard_proto::{DataPacket, Encryption};

use super::deflate::{Deflate, is_worth_compressing};
use super::options::header_packet;
use super::{CHUNK_BYTES, Origin, StreamOptions, Writer};
use crate::{StreamError, StreamInfo};

/// The packets of a stream whose content is all there: one, if all recipients can read that and it fits.
///
/// What it costs to compress falls on who asks for packets.
pub struct Sending {
    info: StreamInfo,
    stage: Stage,
    content: Bytes,
}

enum Stage {
    /// Nothing was asked for yet.
    Begin(Box<Begin>),
    /// Header, chunks, trailer.
    Chunks(Box<Writer>),
    Done,
}

struct Begin {
    header: StreamHeader,
    destinations: Vec<String>,
    may_deflate: bool,
    may_inline: bool,
}

impl Sending {
    /// A text, or bytes if the options say so; the length they say is replaced by the real one.
    ///
    /// # Errors
    /// [`StreamError::HeaderTooLarge`].
    pub fn new(
        mut options: StreamOptions,
        content: impl Into<Bytes>,
        origin: &Origin,
    ) -> Result<Self, StreamError> {
        let content = content.into();
        options.total_length = u64::try_from(content.len()).ok();
        let header = options.header(origin);
        let may_deflate = options.may_deflate(origin);
        let compression = if may_deflate { Compression::DeflateRaw } else { Compression::None };
        header_packet(StreamHeader { compression, ..header.clone() }, &options.destinations)?;
        let may_inline = origin.abilities.reads_inline() && !has_attachments(&options.content);
        let begin = Begin { header, destinations: options.destinations, may_deflate, may_inline };
        let mut info =
            StreamInfo::of(&begin.header, Encryption::None).expect("options say what kind of stream it is");
        info.size = begin.header.total_length;
        Ok(Self { info, stage: Stage::Begin(Box::new(begin)), content })
    }

    /// What the header says.
    #[must_use]
    pub fn info(&self) -> &StreamInfo {
        &self.info
    }

    /// Between 0 and 1.
    #[must_use]
    pub fn progress(&self) -> f64 {
        match &self.stage {
            Stage::Begin(_) => 0.0,
            Stage::Chunks(writer) => writer.progress().unwrap_or(0.0),
            Stage::Done => 1.0,
        }
    }

    /// The last packet was asked for.
    #[must_use]
    pub fn is_done(&self) -> bool {
        match &self.stage {
            Stage::Begin(_) => false,
            Stage::Chunks(writer) => writer.is_closed(),
            Stage::Done => true,
        }
    }

    /// Gives the stream up for a reason that its readers are told; nothing if they know of none, or of its end.
    pub fn abort(&mut self, reason: &str) -> Option<DataPacket> {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Chunks(mut writer) => writer.abort(reason),
            Stage::Begin(_) | Stage::Done => None,
        }
    }

    fn begin(&mut self, begin: Begin) -> Option<DataPacket> {
        let (mut rest, mut deflate) = (self.content.clone(), begin.may_deflate.then(Deflate::new));
        if let Some(deflate) = &mut deflate {
            deflate.feed(&mut rest, CHUNK_BYTES + 1);
            if rest.is_empty() {
                deflate.finish(CHUNK_BYTES + 1);
            }
        }
        if begin.may_inline
            && let Some(packet) = inline(&begin, &self.content, deflate.as_ref())
        {
            return Some(packet);
        }
        let deflate = (begin.may_deflate && is_worth_compressing(&self.content)).then(Deflate::new);
        let mut header = begin.header;
        if deflate.is_some() {
            header.compression = Compression::DeflateRaw;
        }
        let writer = Writer::begin(header, begin.destinations, deflate).ok()?;
        self.stage = Stage::Chunks(Box::new(writer));
        self.next()
    }
}

/// The whole stream as one packet, if it fits.
fn inline(begin: &Begin, content: &Bytes, deflate: Option<&Deflate>) -> Option<DataPacket> {
    let compressed = deflate.map(Deflate::out).filter(|out| out.len() < content.len());
    let (inline, compression) = match compressed {
        Some(out) => (Bytes::copy_from_slice(out), Compression::DeflateRaw),
        None => (content.clone(), Compression::None),
    };
    if inline.len() > CHUNK_BYTES {
        return None;
    }
    let header = StreamHeader { inline_content: Some(inline), compression, ..begin.header.clone() };
    header_packet(header, &begin.destinations).ok()
}

fn has_attachments(content: &StreamContent) -> bool {
    matches!(content, StreamContent::Text(text) if !text.attached_stream_ids.is_empty())
}

impl Iterator for Sending {
    type Item = DataPacket;

    fn next(&mut self) -> Option<DataPacket> {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Begin(begin) => self.begin(*begin),
            Stage::Chunks(mut writer) => {
                let packet = writer.next(&mut self.content).or_else(|| writer.close(&BTreeMap::new()));
                self.stage = Stage::Chunks(writer);
                packet
            }
            Stage::Done => None,
        }
    }
}

impl fmt::Debug for Sending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending").field("id", &self.info.id).field("progress", &self.progress()).finish()
    }
}
