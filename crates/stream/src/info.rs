//! What is known of a stream before its content.

use std::collections::BTreeMap;

use trackyard_proto::Encryption;
use trackyard_proto::packet::{StreamContent, StreamHeader};

use crate::incoming::Medium;

/// What a stream's header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamInfo {
    /// The sender's name for it.
    pub id: String,
    /// Under which topic.
    pub topic: String,
    /// What the content is.
    pub mime_type: String,
    /// Unix milliseconds at the sender.
    pub timestamp_ms: u64,
    /// Bytes of the content, where the sender knows.
    pub size: Option<u64>,
    /// What the application adds.
    pub attributes: BTreeMap<String, String>,
    /// Whether it travels encrypted end to end.
    pub encryption: Encryption,
    /// What only texts, or only bytes say.
    pub content: StreamContent,
}

impl StreamInfo {
    /// Of a header that says what kind of stream it is. Official clients announce 0 bytes where they do not know.
    pub(crate) fn of(header: &StreamHeader, encryption: Encryption) -> Option<Self> {
        let is_empty = header.inline_content.as_ref().is_some_and(bytes::Bytes::is_empty);
        Some(Self {
            id: header.stream_id.clone(),
            topic: header.topic.clone(),
            mime_type: header.mime_type.clone(),
            timestamp_ms: header.timestamp_ms,
            size: header.total_length.filter(|size| *size > 0 || is_empty),
            attributes: header.attributes.clone(),
            encryption,
            content: header.content.clone()?,
        })
    }

    /// Text or bytes.
    #[must_use]
    pub fn medium(&self) -> Medium {
        match self.content {
            StreamContent::Text(_) => Medium::Text,
            StreamContent::Bytes { .. } => Medium::Bytes,
        }
    }

    /// A byte stream's name; empty for text.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.content {
            StreamContent::Bytes { name } => name,
            StreamContent::Text(_) => "",
        }
    }

    /// What it takes in memory, about.
    pub(crate) fn cost(&self) -> usize {
        let attributes: usize = self.attributes.iter().map(|(key, value)| key.len() + value.len() + 64).sum();
        let content = match &self.content {
            StreamContent::Bytes { name } => name.len(),
            StreamContent::Text(text) => {
                let attached: usize = text.attached_stream_ids.iter().map(|id| id.len() + 24).sum();
                text.reply_to_stream_id.len() + attached
            }
        };
        512 + self.id.len() + self.topic.len() + self.mime_type.len() + attributes + content
    }
}
