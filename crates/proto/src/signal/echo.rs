//! The part of a request that comes back with its answer.

use livekit_protocol as pb;
use pb::request_response::Request as Wire;

use super::{PublishDataTrack, Trickle};

/// A part of a request that is sent back unread, so that the client can tell which one is meant.
#[derive(Debug, Clone, PartialEq)]
pub struct Echo(pub(crate) Box<Wire>);

impl Echo {
    /// The publisher's handle, if the request was to publish or unpublish a data track.
    pub fn data_track_handle(&self) -> Option<u32> {
        match self.0.as_ref() {
            Wire::PublishDataTrack(request) => Some(request.pub_handle),
            Wire::UnpublishDataTrack(request) => Some(request.pub_handle),
            _ => None,
        }
    }

    /// The wish to publish a data track, if the request was one.
    pub fn publish_data_track(&self) -> Option<PublishDataTrack> {
        match self.0.as_ref() {
            Wire::PublishDataTrack(request) => Some(request.clone().into()),
            _ => None,
        }
    }

    /// The client's id of a media track, if the request was to add one.
    pub fn media_track_cid(&self) -> Option<&str> {
        match self.0.as_ref() {
            Wire::AddTrack(request) => Some(&request.cid),
            _ => None,
        }
    }

    /// The arm's name in the protocol.
    pub fn name(&self) -> &'static str {
        match self.0.as_ref() {
            Wire::Trickle(_) => "trickle",
            Wire::AddTrack(_) => "add_track",
            Wire::Mute(_) => "mute",
            Wire::UpdateMetadata(_) => "update_metadata",
            Wire::UpdateAudioTrack(_) => "update_audio_track",
            Wire::UpdateVideoTrack(_) => "update_video_track",
            Wire::PublishDataTrack(_) => "publish_data_track",
            Wire::UnpublishDataTrack(_) => "unpublish_data_track",
        }
    }
}

impl From<&Trickle> for Echo {
    fn from(trickle: &Trickle) -> Self {
        Self(Box::new(Wire::Trickle(trickle.into())))
    }
}
