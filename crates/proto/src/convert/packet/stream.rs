//! Packets of streams.

use livekit_protocol as pb;
use pb::data_stream as wire;

use super::FromNumber;
use crate::convert::signed;
use crate::data_track::Encryption;
use crate::packet::{
    Compression, StreamChunk, StreamContent, StreamHeader, StreamTrailer, TextHeader, TextOperation,
};

#[allow(deprecated, reason = "the field is read by nobody, but written back as it came")]
impl From<&StreamHeader> for wire::Header {
    fn from(header: &StreamHeader) -> Self {
        Self {
            stream_id: header.stream_id.clone(),
            timestamp: signed(header.timestamp_ms),
            topic: header.topic.clone(),
            mime_type: header.mime_type.clone(),
            total_length: header.total_length,
            encryption_type: header.encryption.number(),
            attributes: header.attributes.clone().into_iter().collect(),
            inline_content: header.inline_content.as_ref().map(|content| content.to_vec()),
            compression: compression_number(header.compression),
            content_header: header.content.as_ref().map(content_header),
        }
    }
}

#[allow(deprecated, reason = "the field is read by nobody, but written back as it came")]
impl From<wire::Header> for StreamHeader {
    fn from(header: wire::Header) -> Self {
        Self {
            stream_id: header.stream_id,
            timestamp_ms: u64::try_from(header.timestamp).unwrap_or(0),
            topic: header.topic,
            mime_type: header.mime_type,
            total_length: header.total_length,
            encryption: Encryption::from_number(header.encryption_type),
            attributes: header.attributes.into_iter().collect(),
            inline_content: header.inline_content.map(Into::into),
            compression: compression(header.compression),
            content: header.content_header.map(content),
        }
    }
}

fn compression_number(compression: Compression) -> i32 {
    match compression {
        Compression::None => wire::CompressionType::None.into(),
        Compression::DeflateRaw => wire::CompressionType::DeflateRaw.into(),
        Compression::Unknown(number) => number,
    }
}

fn compression(number: i32) -> Compression {
    match wire::CompressionType::try_from(number) {
        Ok(wire::CompressionType::None) => Compression::None,
        Ok(wire::CompressionType::DeflateRaw) => Compression::DeflateRaw,
        Err(_) => Compression::Unknown(number),
    }
}

fn content_header(content: &StreamContent) -> wire::header::ContentHeader {
    match content {
        StreamContent::Text(text) => wire::header::ContentHeader::TextHeader(text.into()),
        StreamContent::Bytes { name } => {
            wire::header::ContentHeader::ByteHeader(wire::ByteHeader { name: name.clone() })
        }
    }
}

fn content(header: wire::header::ContentHeader) -> StreamContent {
    match header {
        wire::header::ContentHeader::TextHeader(text) => StreamContent::Text(text.into()),
        wire::header::ContentHeader::ByteHeader(bytes) => StreamContent::Bytes { name: bytes.name },
    }
}

impl From<&TextHeader> for wire::TextHeader {
    fn from(header: &TextHeader) -> Self {
        let operation = match header.operation {
            TextOperation::Create => wire::OperationType::Create,
            TextOperation::Update => wire::OperationType::Update,
            TextOperation::Delete => wire::OperationType::Delete,
            TextOperation::Reaction => wire::OperationType::Reaction,
        };
        Self {
            operation_type: operation.into(),
            version: header.version,
            reply_to_stream_id: header.reply_to_stream_id.clone(),
            attached_stream_ids: header.attached_stream_ids.clone(),
            generated: header.generated,
        }
    }
}

impl From<wire::TextHeader> for TextHeader {
    fn from(header: wire::TextHeader) -> Self {
        let operation = match wire::OperationType::try_from(header.operation_type) {
            Ok(wire::OperationType::Update) => TextOperation::Update,
            Ok(wire::OperationType::Delete) => TextOperation::Delete,
            Ok(wire::OperationType::Reaction) => TextOperation::Reaction,
            Ok(wire::OperationType::Create) | Err(_) => TextOperation::Create,
        };
        Self {
            operation,
            version: header.version,
            reply_to_stream_id: header.reply_to_stream_id,
            attached_stream_ids: header.attached_stream_ids,
            generated: header.generated,
        }
    }
}

impl From<&StreamChunk> for wire::Chunk {
    fn from(chunk: &StreamChunk) -> Self {
        Self {
            stream_id: chunk.stream_id.clone(),
            chunk_index: chunk.chunk_index,
            content: chunk.content.to_vec(),
            version: chunk.version,
            ..Self::default()
        }
    }
}

impl From<wire::Chunk> for StreamChunk {
    fn from(chunk: wire::Chunk) -> Self {
        Self {
            stream_id: chunk.stream_id,
            chunk_index: chunk.chunk_index,
            content: chunk.content.into(),
            version: chunk.version,
        }
    }
}

impl From<&StreamTrailer> for wire::Trailer {
    fn from(trailer: &StreamTrailer) -> Self {
        Self {
            stream_id: trailer.stream_id.clone(),
            reason: trailer.reason.clone(),
            attributes: trailer.attributes.clone().into_iter().collect(),
        }
    }
}

impl From<wire::Trailer> for StreamTrailer {
    fn from(trailer: wire::Trailer) -> Self {
        Self {
            stream_id: trailer.stream_id,
            reason: trailer.reason,
            attributes: trailer.attributes.into_iter().collect(),
        }
    }
}
