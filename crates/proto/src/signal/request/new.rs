//! Requests as a client makes them, their echoes filled in.

use std::collections::BTreeMap;

use bytes::Bytes;
use livekit_protocol as pb;
use pb::request_response::Request as Wire;

use super::{Echo, MetadataUpdate, PublishDataTrack, Request};
use crate::data_track::{Encryption, FrameEncoding, Schema};
use crate::delivery::DeliveryWish;

impl Request {
    /// Asks for a media track.
    pub fn add_track(cid: impl Into<String>) -> Self {
        let cid = cid.into();
        let request = pb::AddTrackRequest { cid: cid.clone(), ..pb::AddTrackRequest::default() };
        Self::AddTrack { cid, echo: Echo(Box::new(Wire::AddTrack(request))) }
    }

    /// Asks to unpublish whatever has this handle.
    pub fn unpublish_data_track(pub_handle: u32) -> Self {
        let request = pb::UnpublishDataTrackRequest { pub_handle };
        Self::UnpublishDataTrack { pub_handle, echo: Echo(Box::new(Wire::UnpublishDataTrack(request))) }
    }
}

impl PublishDataTrack {
    /// A track without encryption or type.
    pub fn new(pub_handle: u32, name: impl Into<String>) -> Self {
        let request = pb::PublishDataTrackRequest {
            pub_handle,
            name: name.into(),
            ..pb::PublishDataTrackRequest::default()
        };
        request.into()
    }

    /// Frames are encrypted.
    #[must_use]
    pub fn with_encryption(self, encryption: Encryption) -> Self {
        Self { encryption, ..self }.echoed()
    }

    /// Payloads are encoded so.
    #[must_use]
    pub fn with_frame_encoding(self, encoding: FrameEncoding) -> Self {
        Self { frame_encoding: Some(encoding), ..self }.echoed()
    }

    /// Payloads follow a schema.
    #[must_use]
    pub fn with_schema(self, schema: Schema) -> Self {
        Self { schema: Some(schema), ..self }.echoed()
    }

    /// The server hands this packet to subscribers if the publisher vanishes.
    #[must_use]
    pub fn with_last_will(self, packet: Bytes) -> Self {
        Self { last_will: Some(packet), ..self }
    }

    /// The server keeps the last whole frame for those who come late.
    #[must_use]
    pub fn with_latch(self) -> Self {
        Self { latch: true, ..self }
    }

    /// Frames are to be handed on so.
    #[must_use]
    pub fn with_delivery(self, delivery: DeliveryWish) -> Self {
        Self { delivery, ..self }
    }

    fn echoed(self) -> Self {
        let request = pb::PublishDataTrackRequest::from(&self);
        Self { echo: Echo(Box::new(Wire::PublishDataTrack(request))), ..self }
    }
}

impl MetadataUpdate {
    /// A change of nothing, to be filled in.
    pub fn new(request_id: u32) -> Self {
        let request =
            pb::UpdateParticipantMetadata { request_id, ..pb::UpdateParticipantMetadata::default() };
        request.into()
    }

    /// Replaces the name.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }.echoed()
    }

    /// Replaces the metadata.
    #[must_use]
    pub fn with_metadata(self, metadata: impl Into<String>) -> Self {
        Self { metadata: Some(metadata.into()), ..self }.echoed()
    }

    /// Merges attributes; an empty value deletes.
    #[must_use]
    pub fn with_attributes(self, attributes: BTreeMap<String, String>) -> Self {
        Self { attributes, ..self }.echoed()
    }

    fn echoed(self) -> Self {
        let request = pb::UpdateParticipantMetadata::from(&self);
        Self { echo: Echo(Box::new(Wire::UpdateMetadata(request))), ..self }
    }
}
