//! What a server answers. Most methods answer with a room, a participant, or nothing.

use std::sync::Arc;

use livekit_protocol as pb;

use super::codec::{decode, encode_full};
use super::full::{self, Field};
use super::message::Message;
use crate::convert::known_participant;
use crate::limits;
use crate::media_track::TrackInfo;
use crate::participant::ParticipantInfo;
use crate::room::RoomInfo;
use crate::signal::{DecodeError, Encoding};

/// Done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Empty;

/// Rooms of a server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListRoomsAnswer {
    /// In no order.
    pub rooms: Vec<Arc<RoomInfo>>,
}

/// Participants of a room.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListParticipantsAnswer {
    /// In no order.
    pub participants: Vec<Arc<ParticipantInfo>>,
}

/// The track that was muted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MuteTrackAnswer {
    /// `None` if the participant has no such track.
    pub track: Option<TrackInfo>,
}

/// What a participant answered to a call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PerformRpcAnswer {
    /// As its method returned it.
    pub payload: String,
}

/// An answer by its message on the wire, and the fields of that.
macro_rules! answer {
    ($name:ty, $wire:ty, $fields:expr) => {
        impl Message for $name {
            const BYTES_MAX: usize = limits::API_ANSWER_BYTES;

            fn decode(body: &[u8], encoding: Encoding) -> Result<Self, DecodeError> {
                Self::from_wire(decode::<$wire>(body, encoding, Self::BYTES_MAX)?)
            }

            fn encode(&self, encoding: Encoding) -> Vec<u8> {
                const FIELDS: &[Field] = $fields;
                encode_full(&self.wire(encoding), encoding, FIELDS)
            }
        }
    };
}

answer!(Empty, pb::DeleteRoomResponse, full::EMPTY);
answer!(RoomInfo, pb::Room, full::ROOM);
answer!(ParticipantInfo, pb::ParticipantInfo, full::PARTICIPANT);
answer!(ListRoomsAnswer, pb::ListRoomsResponse, full::ROOMS);
answer!(ListParticipantsAnswer, pb::ListParticipantsResponse, full::PARTICIPANTS);
answer!(MuteTrackAnswer, pb::MuteRoomTrackResponse, full::MUTED);
answer!(PerformRpcAnswer, pb::PerformRpcResponse, full::RPC);

impl Empty {
    #[allow(clippy::unnecessary_wraps, reason = "as all answers")]
    fn from_wire(_: pb::DeleteRoomResponse) -> Result<Self, DecodeError> {
        Ok(Self)
    }

    fn wire(self, _: Encoding) -> pb::DeleteRoomResponse {
        pb::DeleteRoomResponse {}
    }
}

impl RoomInfo {
    #[allow(clippy::unnecessary_wraps, reason = "as all answers")]
    fn from_wire(room: pb::Room) -> Result<Self, DecodeError> {
        Ok(room.into())
    }

    fn wire(&self, _: Encoding) -> pb::Room {
        self.into()
    }
}

impl ParticipantInfo {
    fn from_wire(info: pb::ParticipantInfo) -> Result<Self, DecodeError> {
        info.try_into()
    }

    fn wire(&self, encoding: Encoding) -> pb::ParticipantInfo {
        let mut info = self.into();
        if encoding == Encoding::Json {
            known_participant(&mut info);
        }
        info
    }
}

impl ListRoomsAnswer {
    #[allow(clippy::unnecessary_wraps, reason = "as all answers")]
    fn from_wire(answer: pb::ListRoomsResponse) -> Result<Self, DecodeError> {
        Ok(Self { rooms: answer.rooms.into_iter().map(|room| Arc::new(room.into())).collect() })
    }

    fn wire(&self, _: Encoding) -> pb::ListRoomsResponse {
        pb::ListRoomsResponse { rooms: self.rooms.iter().map(|room| room.as_ref().into()).collect() }
    }
}

impl ListParticipantsAnswer {
    fn from_wire(answer: pb::ListParticipantsResponse) -> Result<Self, DecodeError> {
        let infos = answer.participants.into_iter().map(|info| info.try_into().map(Arc::new));
        Ok(Self { participants: infos.collect::<Result<_, _>>()? })
    }

    fn wire(&self, encoding: Encoding) -> pb::ListParticipantsResponse {
        let participants = self.participants.iter().map(|info| info.wire(encoding)).collect();
        pb::ListParticipantsResponse { participants }
    }
}

impl MuteTrackAnswer {
    #[allow(clippy::unnecessary_wraps, reason = "as all answers")]
    fn from_wire(answer: pb::MuteRoomTrackResponse) -> Result<Self, DecodeError> {
        Ok(Self { track: answer.track.map(Into::into) })
    }

    fn wire(&self, encoding: Encoding) -> pb::MuteRoomTrackResponse {
        let mut track = self.track.as_ref().map(pb::TrackInfo::from);
        if encoding == Encoding::Json {
            track.iter_mut().for_each(crate::convert::known_track);
        }
        pb::MuteRoomTrackResponse { track }
    }
}

impl PerformRpcAnswer {
    #[allow(clippy::unnecessary_wraps, reason = "as all answers")]
    fn from_wire(answer: pb::PerformRpcResponse) -> Result<Self, DecodeError> {
        Ok(Self { payload: answer.payload })
    }

    fn wire(&self, _: Encoding) -> pb::PerformRpcResponse {
        pb::PerformRpcResponse { payload: self.payload.clone() }
    }
}
