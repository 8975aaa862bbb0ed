//! Data tracks: their description and what says how payloads are encoded.

use livekit_protocol as pb;
use pb::data_track_frame_encoding::Value as FrameValue;
use pb::data_track_schema_encoding::Value as SchemaValue;

use super::enums::FromNumber;
use crate::data_track::{DataTrackInfo, Encryption, FrameEncoding, Schema, SchemaEncoding};
use crate::signal::DecodeError;

impl From<&DataTrackInfo> for pb::DataTrackInfo {
    fn from(info: &DataTrackInfo) -> Self {
        Self {
            pub_handle: u32::from(info.pub_handle),
            sid: info.sid.clone(),
            name: info.name.clone(),
            encryption: info.encryption.number(),
            frame_encoding: info.frame_encoding.as_ref().map(Into::into),
            schema: info.schema.as_ref().map(Into::into),
        }
    }
}

impl TryFrom<pb::DataTrackInfo> for DataTrackInfo {
    type Error = DecodeError;

    fn try_from(info: pb::DataTrackInfo) -> Result<Self, DecodeError> {
        let pub_handle = u16::try_from(info.pub_handle).map_err(|_| DecodeError::OutOfRange("pub_handle"))?;
        Ok(Self {
            pub_handle,
            sid: info.sid,
            name: info.name,
            encryption: Encryption::from_number(info.encryption),
            frame_encoding: info.frame_encoding.and_then(frame_encoding),
            schema: info.schema.map(Into::into),
        })
    }
}

impl From<&FrameEncoding> for pb::DataTrackFrameEncoding {
    fn from(encoding: &FrameEncoding) -> Self {
        let value = match encoding {
            FrameEncoding::WellKnown(number) => FrameValue::WellKnown(*number),
            FrameEncoding::Custom(name) => FrameValue::Custom(name.clone()),
        };
        Self { value: Some(value) }
    }
}

impl From<&Schema> for pb::DataTrackSchemaId {
    fn from(schema: &Schema) -> Self {
        Self { name: schema.name.clone(), encoding: schema.encoding.as_ref().map(Into::into) }
    }
}

impl From<&SchemaEncoding> for pb::DataTrackSchemaEncoding {
    fn from(encoding: &SchemaEncoding) -> Self {
        let value = match encoding {
            SchemaEncoding::WellKnown(number) => SchemaValue::WellKnown(*number),
            SchemaEncoding::Custom(name) => SchemaValue::Custom(name.clone()),
        };
        Self { value: Some(value) }
    }
}

impl From<pb::DataTrackSchemaId> for Schema {
    fn from(schema: pb::DataTrackSchemaId) -> Self {
        Self { name: schema.name, encoding: schema.encoding.and_then(schema_encoding) }
    }
}

/// An encoding without a value says nothing: the track is untyped.
pub(super) fn frame_encoding(encoding: pb::DataTrackFrameEncoding) -> Option<FrameEncoding> {
    encoding.value.map(|value| match value {
        FrameValue::WellKnown(number) => FrameEncoding::WellKnown(number),
        FrameValue::Custom(name) => FrameEncoding::Custom(name),
    })
}

fn schema_encoding(encoding: pb::DataTrackSchemaEncoding) -> Option<SchemaEncoding> {
    encoding.value.map(|value| match value {
        SchemaValue::WellKnown(number) => SchemaEncoding::WellKnown(number),
        SchemaValue::Custom(name) => SchemaEncoding::Custom(name),
    })
}
