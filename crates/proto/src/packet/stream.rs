//! Text and byte streams as packets (protocol §6.4).

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::data_track::Encryption;

/// The first packet of a stream, and the whole of it where the content is within.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamHeader {
    /// The sender's name for the stream, unique enough to tell streams of all senders apart.
    pub stream_id: String,
    /// Unix milliseconds at the sender.
    pub timestamp_ms: u64,
    /// Under which topic.
    pub topic: String,
    /// What the content is.
    pub mime_type: String,
    /// Bytes of the content before compression; absent where the sender does not know.
    pub total_length: Option<u64>,
    /// A field of the past: packets say themselves whether they are encrypted.
    pub encryption: Encryption,
    /// What the application adds.
    pub attributes: BTreeMap<String, String>,
    /// The whole content, in which case neither chunks nor a trailer follow.
    pub inline_content: Option<Bytes>,
    /// How the content is compressed, within or in chunks.
    pub compression: Compression,
    /// Text or bytes; absent in a header that nobody can read.
    pub content: Option<StreamContent>,
}

/// What kind of stream it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamContent {
    /// UTF-8.
    Text(TextHeader),
    /// Bytes.
    Bytes {
        /// A file's name, or any.
        name: String,
    },
}

/// What only text streams say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextHeader {
    /// What becomes of the text.
    pub operation: TextOperation,
    /// Which edition of the text.
    pub version: i32,
    /// The stream that it answers.
    pub reply_to_stream_id: String,
    /// Byte streams that belong to it.
    pub attached_stream_ids: Vec<String>,
    /// Written by an agent from what was said.
    pub generated: bool,
}

/// What becomes of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TextOperation {
    /// It is new.
    #[default]
    Create,
    /// It replaces an earlier one.
    Update,
    /// It takes an earlier one back.
    Delete,
    /// It is a reaction to another.
    Reaction,
}

/// How a stream's content is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// DEFLATE without header or checksum.
    DeflateRaw,
    /// A number that this code has no name for; such a stream cannot be read.
    Unknown(i32),
}

/// A part of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamChunk {
    /// Which stream.
    pub stream_id: String,
    /// Its place, from 0 without gaps.
    pub chunk_index: u64,
    /// What it holds.
    pub content: Bytes,
    /// Above 0 where it replaces an earlier chunk, which no client does.
    pub version: i32,
}

/// The last packet of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamTrailer {
    /// Which stream.
    pub stream_id: String,
    /// Why it ended early; empty where it is complete.
    pub reason: String,
    /// Attributes that were not known before.
    pub attributes: BTreeMap<String, String>,
}
