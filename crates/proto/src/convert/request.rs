//! Requests: every arm with a domain type both ways, the others by name.

use livekit_protocol as pb;
use pb::request_response::Request as EchoWire;
use pb::signal_request::Message;

use super::data_blob::blob_key;
use super::data_track::frame_encoding;
use super::description::{Kind, description};
use super::enums::FromNumber;
use super::sync_state::{data_subscriptions, update_data_subscription};
use crate::data_track::Encryption;
use crate::delivery::DeliveryWish;
use crate::participant::DisconnectReason;
use crate::signal::{
    Echo, LeaveRequest, MetadataUpdate, PublishDataTrack, Request, SubscriptionPermission, TrackPermission,
};

impl From<Message> for Request {
    fn from(message: Message) -> Self {
        match message {
            Message::Offer(offer) => Self::Offer(offer.into()),
            Message::Answer(answer) => Self::Answer(answer.into()),
            Message::Trickle(trickle) => Self::Trickle(trickle.into()),
            Message::AddTrack(request) => {
                Self::AddTrack { cid: request.cid.clone(), echo: echo(EchoWire::AddTrack(request)) }
            }
            Message::Leave(leave) => Self::Leave(LeaveRequest { reason: reason(leave.reason) }),
            Message::Ping(timestamp) => Self::Ping(timestamp),
            Message::PingReq(ping) => Self::PingReq { timestamp: ping.timestamp, rtt: ping.rtt },
            Message::SyncState(state) => Self::SyncState(Box::new(state.into())),
            Message::UpdateMetadata(update) => Self::UpdateMetadata(update.into()),
            Message::PublishDataTrackRequest(publish) => Self::PublishDataTrack(publish.into()),
            Message::UnpublishDataTrackRequest(unpublish) => Self::unpublish_data_track(unpublish.pub_handle),
            Message::UpdateDataSubscription(update) => {
                Self::UpdateDataSubscription(data_subscriptions(update))
            }
            Message::SubscriptionPermission(permission) => Self::SubscriptionPermission(permission.into()),
            Message::StoreDataBlobRequest(store) => {
                Self::StoreDataBlob { request_id: store.request_id, blob: store.blob.map(Into::into) }
            }
            Message::GetDataBlobRequest(get) => Self::GetDataBlob {
                request_id: get.request_id,
                identity: get.participant_identity,
                key: get.key.and_then(blob_key),
            },
            other => Self::Other(name(&other)),
        }
    }
}

#[allow(deprecated, reason = "old clients still send it")]
fn name(message: &Message) -> &'static str {
    match message {
        Message::Mute(_) => "mute",
        Message::Subscription(_) => "subscription",
        Message::TrackSetting(_) => "track_setting",
        Message::UpdateLayers(_) => "update_layers",
        Message::Simulate(_) => "simulate",
        Message::UpdateAudioTrack(_) => "update_audio_track",
        Message::UpdateVideoTrack(_) => "update_video_track",
        _ => "unknown",
    }
}

impl From<&Request> for pb::SignalRequest {
    fn from(request: &Request) -> Self {
        Self { message: message(request) }
    }
}

fn message(request: &Request) -> Option<Message> {
    Some(match request {
        Request::Offer(offer) => Message::Offer(description(offer, Kind::Offer)),
        Request::Answer(answer) => Message::Answer(description(answer, Kind::Answer)),
        Request::Trickle(trickle) => Message::Trickle(trickle.into()),
        Request::AddTrack { cid, echo } => Message::AddTrack(add_track(cid, echo)),
        Request::Leave(leave) => Message::Leave(leave_request(*leave)),
        Request::Ping(timestamp) => Message::Ping(*timestamp),
        Request::PingReq { timestamp, rtt } => {
            Message::PingReq(pb::Ping { timestamp: *timestamp, rtt: *rtt })
        }
        Request::SyncState(state) => Message::SyncState(state.as_ref().into()),
        Request::UpdateMetadata(update) => Message::UpdateMetadata(update.into()),
        Request::PublishDataTrack(publish) => Message::PublishDataTrackRequest(publish.into()),
        Request::UnpublishDataTrack { pub_handle, .. } => {
            Message::UnpublishDataTrackRequest(pb::UnpublishDataTrackRequest { pub_handle: *pub_handle })
        }
        Request::UpdateDataSubscription(updates) => {
            Message::UpdateDataSubscription(update_data_subscription(updates))
        }
        Request::SubscriptionPermission(permission) => Message::SubscriptionPermission(permission.into()),
        Request::StoreDataBlob { request_id, blob } => {
            let blob = blob.as_ref().map(Into::into);
            Message::StoreDataBlobRequest(pb::StoreDataBlobRequest { request_id: *request_id, blob })
        }
        Request::GetDataBlob { request_id, identity, key } => {
            Message::GetDataBlobRequest(pb::GetDataBlobRequest {
                request_id: *request_id,
                participant_identity: identity.clone(),
                key: key.as_ref().map(Into::into),
            })
        }
        Request::Other(_) => return None,
    })
}

fn echo(request: EchoWire) -> Echo {
    Echo(Box::new(request))
}

fn reason(number: i32) -> DisconnectReason {
    DisconnectReason::from_number(number)
}

fn leave_request(leave: LeaveRequest) -> pb::LeaveRequest {
    pb::LeaveRequest { reason: leave.reason.number(), ..pb::LeaveRequest::default() }
}

fn add_track(cid: &str, echo: &Echo) -> pb::AddTrackRequest {
    let request = match echo.0.as_ref() {
        EchoWire::AddTrack(request) => request.clone(),
        _ => pb::AddTrackRequest::default(),
    };
    pb::AddTrackRequest { cid: cid.to_owned(), ..request }
}

impl From<pb::UpdateParticipantMetadata> for MetadataUpdate {
    fn from(update: pb::UpdateParticipantMetadata) -> Self {
        let set = |text: &String| (!text.is_empty()).then(|| text.clone());
        Self {
            request_id: update.request_id,
            name: set(&update.name),
            metadata: set(&update.metadata),
            attributes: update.attributes.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
            echo: echo(EchoWire::UpdateMetadata(update)),
        }
    }
}

impl From<&MetadataUpdate> for pb::UpdateParticipantMetadata {
    fn from(update: &MetadataUpdate) -> Self {
        Self {
            metadata: update.metadata.clone().unwrap_or_default(),
            name: update.name.clone().unwrap_or_default(),
            attributes: update.attributes.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
            request_id: update.request_id,
        }
    }
}

impl From<pb::PublishDataTrackRequest> for PublishDataTrack {
    fn from(request: pb::PublishDataTrackRequest) -> Self {
        Self {
            pub_handle: request.pub_handle,
            name: request.name.clone(),
            encryption: Encryption::from_number(request.encryption),
            frame_encoding: request.frame_encoding.clone().and_then(frame_encoding),
            schema: request.schema.clone().map(Into::into),
            last_will: None,
            latch: false,
            delivery: DeliveryWish::default(),
            echo: echo(EchoWire::PublishDataTrack(request)),
        }
    }
}

impl From<&PublishDataTrack> for pb::PublishDataTrackRequest {
    fn from(publish: &PublishDataTrack) -> Self {
        Self {
            pub_handle: publish.pub_handle,
            name: publish.name.clone(),
            encryption: publish.encryption.number(),
            frame_encoding: publish.frame_encoding.as_ref().map(Into::into),
            schema: publish.schema.as_ref().map(Into::into),
        }
    }
}

impl From<pb::SubscriptionPermission> for SubscriptionPermission {
    fn from(permission: pb::SubscriptionPermission) -> Self {
        Self {
            all_participants: permission.all_participants,
            track_permissions: permission.track_permissions.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<&SubscriptionPermission> for pb::SubscriptionPermission {
    fn from(permission: &SubscriptionPermission) -> Self {
        Self {
            all_participants: permission.all_participants,
            track_permissions: permission.track_permissions.iter().map(Into::into).collect(),
        }
    }
}

impl From<pb::TrackPermission> for TrackPermission {
    fn from(permission: pb::TrackPermission) -> Self {
        Self {
            participant_sid: permission.participant_sid,
            participant_identity: permission.participant_identity,
            all_tracks: permission.all_tracks,
            track_sids: permission.track_sids,
        }
    }
}

impl From<&TrackPermission> for pb::TrackPermission {
    fn from(permission: &TrackPermission) -> Self {
        Self {
            participant_sid: permission.participant_sid.clone(),
            all_tracks: permission.all_tracks,
            track_sids: permission.track_sids.clone(),
            participant_identity: permission.participant_identity.clone(),
        }
    }
}
