//! What an application wants of a stream, and what it does not say itself.

use std::collections::BTreeMap;

use trackyard_proto::DataPacket;
use trackyard_proto::packet::{PacketValue, StreamContent, StreamHeader};

use super::CHUNK_BYTES;
use crate::{Abilities, StreamError};

/// What an application wants of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamOptions {
    /// Under which topic.
    pub topic: String,
    /// What the application adds.
    pub attributes: BTreeMap<String, String>,
    /// Who shall get it; empty means everyone else.
    pub destinations: Vec<String>,
    /// What the content is.
    pub mime_type: String,
    /// Bytes of the content, where they are known before.
    pub total_length: Option<u64>,
    /// Compress it if every recipient can read that, and the content is known before.
    pub compress: Compress,
    /// What only texts, or only bytes say.
    pub content: StreamContent,
}

/// Whether a stream may be compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compress {
    /// Where it helps.
    #[default]
    Auto,
    /// Never.
    Never,
}

/// What a stream has beside what the application wants.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The stream's name, unlike that of any other stream.
    pub stream_id: String,
    /// The time of now, Unix milliseconds.
    pub unix_ms: u64,
    /// What all its recipients can read.
    pub abilities: Abilities,
}

impl StreamOptions {
    /// Text under a topic, to everyone else.
    #[must_use]
    pub fn text(topic: impl Into<String>) -> Self {
        Self::new(topic.into(), "text/plain", StreamContent::Text(<_>::default()))
    }

    /// Bytes under a topic, to everyone else.
    #[must_use]
    pub fn bytes(topic: impl Into<String>) -> Self {
        let content = StreamContent::Bytes { name: "unknown".to_owned() };
        Self::new(topic.into(), "application/octet-stream", content)
    }

    fn new(topic: String, mime_type: &str, content: StreamContent) -> Self {
        Self {
            topic,
            attributes: BTreeMap::new(),
            destinations: Vec::new(),
            mime_type: mime_type.to_owned(),
            total_length: None,
            compress: Compress::Auto,
            content,
        }
    }

    /// May be compressed for those.
    pub(super) fn may_deflate(&self, origin: &Origin) -> bool {
        self.compress == Compress::Auto && origin.abilities.reads_deflate()
    }

    pub(super) fn header(&self, origin: &Origin) -> StreamHeader {
        StreamHeader {
            stream_id: origin.stream_id.clone(),
            timestamp_ms: origin.unix_ms,
            topic: self.topic.clone(),
            mime_type: self.mime_type.clone(),
            total_length: self.total_length,
            attributes: self.attributes.clone(),
            content: Some(self.content.clone()),
            ..StreamHeader::default()
        }
    }
}

/// A header's packet, if it is not too large.
pub(super) fn header_packet(header: StreamHeader, to: &[String]) -> Result<DataPacket, StreamError> {
    let packet = PacketValue::StreamHeader(header).reliable(to.to_vec());
    let (bytes, limit) = (packet.encoded_len(), CHUNK_BYTES);
    if bytes > limit { Err(StreamError::HeaderTooLarge { bytes, limit }) } else { Ok(packet) }
}
