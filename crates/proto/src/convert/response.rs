//! Responses: every arm with a domain type both ways, the others by name.

use std::sync::Arc;

use livekit_protocol as pb;
use pb::data_track_subscriber_handles::PublishedDataTrack;
use pb::signal_response::Message;

use super::data_blob::blob_key;
use super::description::{Kind, description};
use super::enums::FromNumber;
use super::join_response::participants;
use super::required;
use crate::data_track::DataTrackInfo;
use crate::participant::{DisconnectReason, ParticipantInfo};
use crate::signal::{DecodeError, Echo, LeaveAction, PublishedTrack, Reason, Response, SubscriberHandle};

impl From<&Response> for pb::SignalResponse {
    fn from(response: &Response) -> Self {
        Self { message: message(response) }
    }
}

fn message(response: &Response) -> Option<Message> {
    Some(match response {
        Response::Join(join) => Message::Join(join.as_ref().into()),
        Response::Reconnect(reconnect) => Message::Reconnect(reconnect.into()),
        Response::Offer(offer) => Message::Offer(description(offer, Kind::Offer)),
        Response::Answer(answer) => Message::Answer(description(answer, Kind::Answer)),
        Response::Trickle(trickle) => Message::Trickle(trickle.into()),
        Response::Update(infos) => Message::Update(update(infos)),
        Response::RoomUpdate(room) => {
            Message::RoomUpdate(pb::RoomUpdate { room: Some(room.as_ref().into()) })
        }
        Response::DataTrackPublished(track) => {
            let info = track_info(&track.info);
            Message::PublishDataTrackResponse(pb::PublishDataTrackResponse { info })
        }
        Response::DataTrackUnpublished(info) => {
            Message::UnpublishDataTrackResponse(pb::UnpublishDataTrackResponse { info: track_info(info) })
        }
        Response::SubscriberHandles(handles) => Message::DataTrackSubscriberHandles(handle_map(handles)),
        Response::RefreshToken(token) => Message::RefreshToken(token.clone()),
        other => return small(other),
    })
}

/// Arms of plain numbers and texts.
fn small(response: &Response) -> Option<Message> {
    Some(match response {
        Response::RequestResponse { request_id, reason, message, echo } => {
            Message::RequestResponse(pb::RequestResponse {
                request_id: *request_id,
                reason: reason.number(),
                message: message.clone(),
                request: echo.as_ref().map(|echo| echo.0.as_ref().clone()),
            })
        }
        Response::PauseStreams(pauses) => Message::RequestResponse(pb::RequestResponse {
            reason: Reason::Queued.number(),
            message: if *pauses { "streams should pause" } else { "streams may go on" }.to_owned(),
            ..pb::RequestResponse::default()
        }),
        Response::SubscriptionPermissionUpdate { participant_sid, track_sid, allowed } => {
            Message::SubscriptionPermissionUpdate(pb::SubscriptionPermissionUpdate {
                participant_sid: participant_sid.clone(),
                track_sid: track_sid.clone(),
                allowed: *allowed,
            })
        }
        Response::DataBlobStored { request_id, key } => {
            let key = Some(key.into());
            Message::StoreDataBlobResponse(pb::StoreDataBlobResponse { request_id: *request_id, key })
        }
        Response::DataBlob { request_id, blob } => {
            let blob = Some(blob.into());
            Message::GetDataBlobResponse(pb::GetDataBlobResponse { request_id: *request_id, blob })
        }
        Response::MediaSectionsRequirement { audios, videos } => {
            let requirement = pb::MediaSectionsRequirement { num_audios: *audios, num_videos: *videos };
            Message::MediaSectionsRequirement(requirement)
        }
        Response::Pong(timestamp) => Message::Pong(*timestamp),
        Response::PongResp { last_ping_timestamp, timestamp } => {
            Message::PongResp(pb::Pong { last_ping_timestamp: *last_ping_timestamp, timestamp: *timestamp })
        }
        Response::Leave { reason, action } => Message::Leave(leave(*reason, *action)),
        _ => return None,
    })
}

fn update(infos: &[Arc<ParticipantInfo>]) -> pb::ParticipantUpdate {
    pb::ParticipantUpdate { participants: infos.iter().map(|info| info.as_ref().into()).collect() }
}

fn track_info(info: &DataTrackInfo) -> Option<pb::DataTrackInfo> {
    Some(info.into())
}

/// Clients older than protocol 13 know no action, only whether to come back.
fn leave(reason: DisconnectReason, action: LeaveAction) -> pb::LeaveRequest {
    pb::LeaveRequest {
        can_reconnect: action != LeaveAction::Disconnect,
        reason: reason.number(),
        action: action.number(),
        regions: None,
    }
}

fn handle_map(handles: &[SubscriberHandle]) -> pb::DataTrackSubscriberHandles {
    let entry = |entry: &SubscriberHandle| {
        let track = PublishedDataTrack {
            publisher_identity: entry.track.publisher_identity.clone(),
            publisher_sid: entry.track.publisher_sid.clone(),
            track_sid: entry.track.track_sid.clone(),
        };
        (u32::from(entry.handle), track)
    };
    pb::DataTrackSubscriberHandles { sub_handles: handles.iter().map(entry).collect() }
}

impl TryFrom<Message> for Response {
    type Error = DecodeError;

    fn try_from(message: Message) -> Result<Self, DecodeError> {
        Ok(match message {
            Message::Join(join) => Self::Join(Box::new(join.try_into()?)),
            Message::Reconnect(reconnect) => Self::Reconnect(reconnect.into()),
            Message::Offer(offer) => Self::Offer(offer.into()),
            Message::Answer(answer) => Self::Answer(answer.into()),
            Message::Trickle(trickle) => Self::Trickle(trickle.into()),
            Message::Update(update) => Self::Update(participants(update.participants)?),
            Message::RoomUpdate(update) => Self::RoomUpdate(Arc::new(required(update.room, "room")?.into())),
            Message::PublishDataTrackResponse(published) => {
                let info: DataTrackInfo = required(published.info, "info")?.try_into()?;
                Self::DataTrackPublished(Arc::new(info).into())
            }
            Message::UnpublishDataTrackResponse(unpublished) => {
                Self::DataTrackUnpublished(Arc::new(required(unpublished.info, "info")?.try_into()?))
            }
            Message::StoreDataBlobResponse(stored) => Self::DataBlobStored {
                request_id: stored.request_id,
                key: required(stored.key.and_then(blob_key), "key")?,
            },
            Message::GetDataBlobResponse(found) => {
                Self::DataBlob { request_id: found.request_id, blob: required(found.blob, "blob")?.into() }
            }
            Message::DataTrackSubscriberHandles(handles) => Self::SubscriberHandles(handle_list(handles)?),
            other => other_arm(other),
        })
    }
}

fn other_arm(message: Message) -> Response {
    match message {
        Message::RequestResponse(answer) => Response::RequestResponse {
            request_id: answer.request_id,
            reason: Reason::from_number(answer.reason),
            message: answer.message,
            echo: answer.request.map(|request| Echo(Box::new(request))),
        },
        Message::SubscriptionPermissionUpdate(update) => Response::SubscriptionPermissionUpdate {
            participant_sid: update.participant_sid,
            track_sid: update.track_sid,
            allowed: update.allowed,
        },
        Message::MediaSectionsRequirement(requirement) => Response::MediaSectionsRequirement {
            audios: requirement.num_audios,
            videos: requirement.num_videos,
        },
        Message::RefreshToken(token) => Response::RefreshToken(token),
        Message::Pong(timestamp) => Response::Pong(timestamp),
        Message::PongResp(pong) => {
            Response::PongResp { last_ping_timestamp: pong.last_ping_timestamp, timestamp: pong.timestamp }
        }
        Message::Leave(leave) => Response::Leave {
            reason: DisconnectReason::from_number(leave.reason),
            action: LeaveAction::from_number(leave.action),
        },
        other => Response::Other(name(&other)),
    }
}

fn name(message: &Message) -> &'static str {
    match message {
        Message::TrackPublished(_) => "track_published",
        Message::Mute(_) => "mute",
        Message::SpeakersChanged(_) => "speakers_changed",
        Message::ConnectionQuality(_) => "connection_quality",
        Message::StreamStateUpdate(_) => "stream_state_update",
        Message::SubscribedQualityUpdate(_) => "subscribed_quality_update",
        Message::TrackUnpublished(_) => "track_unpublished",
        Message::SubscriptionResponse(_) => "subscription_response",
        Message::TrackSubscribed(_) => "track_subscribed",
        Message::RoomMoved(_) => "room_moved",
        Message::SubscribedAudioCodecUpdate(_) => "subscribed_audio_codec_update",
        _ => "unknown",
    }
}

/// In the order of handles: the wire's map has none.
fn handle_list(handles: pb::DataTrackSubscriberHandles) -> Result<Vec<SubscriberHandle>, DecodeError> {
    let entry = |(handle, track): (u32, PublishedDataTrack)| {
        let handle = u16::try_from(handle).map_err(|_| DecodeError::OutOfRange("sub_handles"))?;
        let track = PublishedTrack {
            publisher_identity: track.publisher_identity,
            publisher_sid: track.publisher_sid,
            track_sid: track.track_sid,
        };
        Ok(SubscriberHandle { handle, track })
    };
    let mut list = handles.sub_handles.into_iter().map(entry).collect::<Result<Vec<_>, DecodeError>>()?;
    list.sort_by_key(|entry| entry.handle);
    Ok(list)
}
