//! The body of a webhook: protobuf's JSON mapping, with names in camel case, without what has its default,
//! and with large numbers as strings.

use std::sync::Arc;

use livekit_protocol as pb;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::words::known_words;
use super::{RoomEndReason, WebhookEvent, WebhookKind};
use crate::ParticipantInfo;
use crate::convert::{known_participant, known_track};
use crate::limits;
use crate::signal::DecodeError;

impl WebhookEvent {
    /// The body.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let message = pb::WebhookEvent::from(self);
        let mut body = match serde_json::to_value(message) {
            Ok(Value::Object(body)) => body,
            written => {
                debug_assert!(false, "a number that cannot be written as JSON is left: {written:?}");
                Map::new()
            }
        };
        body.extend(self.other.iter().map(|(key, value)| (key.clone(), value.clone())));
        Value::Object(body).to_string().into_bytes()
    }

    /// Reads a body. Fields and words that are newer than this code do no harm.
    ///
    /// # Errors
    /// The body is larger than [`limits::WEBHOOK_BYTES`], or is no event.
    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        if body.len() > limits::WEBHOOK_BYTES {
            return Err(DecodeError::TooLarge { bytes: body.len(), limit: limits::WEBHOOK_BYTES });
        }
        let mut fields: Map<String, Value> = serde_json::from_slice(body)?;
        let room = part::<pb::Room>(&mut fields, ["room", "room"])?;
        let participant = part::<pb::ParticipantInfo>(&mut fields, ["participant", "participant"])?;
        let participant = participant.map(ParticipantInfo::try_from).transpose()?;
        let track = part::<pb::TrackInfo>(&mut fields, ["track", "track"])?;
        let head = Head::take(&mut fields)?;
        if head.event.is_empty() {
            return Err(DecodeError::Missing("event"));
        }
        Ok(Self {
            kind: WebhookKind::from_word(&head.event),
            id: head.id,
            created_at_s: u64::try_from(head.created_at).unwrap_or(0),
            room: room.map(|room| Arc::new(room.into())),
            participant: participant.map(Arc::new),
            track: track.map(|track| Arc::new(track.into())),
            room_end_reason: head.room_end_reason,
            num_dropped: u32::try_from(head.num_dropped).unwrap_or(0),
            other: fields,
        })
    }
}

/// The fields of an event that are not messages themselves.
struct Head {
    event: String,
    id: String,
    created_at: i64,
    num_dropped: i32,
    room_end_reason: RoomEndReason,
}

impl Head {
    fn take(fields: &mut Map<String, Value>) -> Result<Self, DecodeError> {
        let known = [
            ["event", "event"],
            ["id", "id"],
            ["createdAt", "created_at"],
            ["numDropped", "num_dropped"],
            ["roomEndReason", "room_end_reason"],
        ];
        let mut head = Map::new();
        for names in known {
            head.extend(take(fields, names).map(|value| (names[0].to_owned(), value)));
        }
        let mut head = Value::Object(head);
        known_words(&mut head);
        #[allow(deprecated, reason = "servers still fill it")]
        let pb::WebhookEvent { event, id, created_at, num_dropped, room_end_reason, .. } =
            pb::WebhookEvent::deserialize(head)?;
        let room_end_reason =
            pb::RoomEndReason::try_from(room_end_reason).map(Into::into).unwrap_or_default();
        Ok(Self { event, id, created_at, num_dropped, room_end_reason })
    }
}

fn take(fields: &mut Map<String, Value>, names: [&str; 2]) -> Option<Value> {
    names.into_iter().find_map(|name| fields.remove(name)).filter(|value| !value.is_null())
}

fn part<M: DeserializeOwned>(
    fields: &mut Map<String, Value>,
    names: [&str; 2],
) -> Result<Option<M>, DecodeError> {
    let Some(mut value) = take(fields, names) else { return Ok(None) };
    known_words(&mut value);
    Ok(Some(serde_json::from_value(value)?))
}

#[allow(deprecated, reason = "receivers look at the number of dropped events")]
impl From<&WebhookEvent> for pb::WebhookEvent {
    fn from(event: &WebhookEvent) -> Self {
        Self {
            event: event.kind.as_str().to_owned(),
            id: event.id.clone(),
            created_at: i64::try_from(event.created_at_s).unwrap_or(i64::MAX),
            num_dropped: i32::try_from(event.num_dropped).unwrap_or(i32::MAX),
            room: event.room.as_deref().map(Into::into),
            participant: event.participant.as_deref().map(|info| participant(info, &event.kind)),
            track: event.track.as_deref().map(|track| {
                let mut track = pb::TrackInfo::from(track);
                known_track(&mut track);
                track
            }),
            room_end_reason: pb::RoomEndReason::from(event.room_end_reason).into(),
            ..Self::default()
        }
    }
}

/// Where a track is what matters, its publisher is only named: all the rest would be sent with every track.
fn participant(info: &ParticipantInfo, kind: &WebhookKind) -> pb::ParticipantInfo {
    if kind.is_about_track() {
        let (sid, identity, name) = (info.sid.clone(), info.identity.clone(), info.name.clone());
        return pb::ParticipantInfo { sid, identity, name, ..pb::ParticipantInfo::default() };
    }
    let mut participant = pb::ParticipantInfo::from(info);
    known_participant(&mut participant);
    participant
}

impl From<RoomEndReason> for pb::RoomEndReason {
    fn from(reason: RoomEndReason) -> Self {
        match reason {
            RoomEndReason::Unknown => Self::RoomEndUnknown,
            RoomEndReason::Deleted => Self::RoomEndApiDelete,
            RoomEndReason::Idle => Self::RoomEndIdleTimeout,
            RoomEndReason::ServerShutdown => Self::RoomEndServerShutdown,
            RoomEndReason::Superseded => Self::RoomEndSuperseded,
            RoomEndReason::OpenFailed => Self::RoomEndOpenFailed,
        }
    }
}

impl From<pb::RoomEndReason> for RoomEndReason {
    fn from(reason: pb::RoomEndReason) -> Self {
        match reason {
            pb::RoomEndReason::RoomEndUnknown => Self::Unknown,
            pb::RoomEndReason::RoomEndApiDelete => Self::Deleted,
            pb::RoomEndReason::RoomEndIdleTimeout => Self::Idle,
            pb::RoomEndReason::RoomEndServerShutdown => Self::ServerShutdown,
            pb::RoomEndReason::RoomEndSuperseded => Self::Superseded,
            pb::RoomEndReason::RoomEndOpenFailed => Self::OpenFailed,
        }
    }
}
