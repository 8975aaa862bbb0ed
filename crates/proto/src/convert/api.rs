//! Fields of the server API's requests, each as it is called here and on the wire.

use std::collections::{BTreeMap, HashMap};

use livekit_protocol as pb;

use crate::api::{AgentDispatch, ParticipantTracks};
use crate::packet::PacketKind;
use crate::participant::Permission;

/// A field that has another form on the wire, or the same.
pub(crate) trait Wire<W> {
    /// From what came.
    fn from_wire(wire: W) -> Self;
    /// To what goes.
    fn to_wire(&self) -> W;
}

macro_rules! same {
    ($($kind:ty),+) => {
        $(impl Wire<$kind> for $kind {
            fn from_wire(wire: $kind) -> Self {
                wire
            }

            fn to_wire(&self) -> $kind {
                self.clone()
            }
        })+
    };
}

same!(String, Vec<String>, Vec<u8>, Option<String>, bool, u32, i64);

impl Wire<HashMap<String, String>> for BTreeMap<String, String> {
    fn from_wire(wire: HashMap<String, String>) -> Self {
        wire.into_iter().collect()
    }

    fn to_wire(&self) -> HashMap<String, String> {
        self.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }
}

impl Wire<Option<pb::ParticipantPermission>> for Option<Permission> {
    fn from_wire(wire: Option<pb::ParticipantPermission>) -> Self {
        wire.map(Into::into)
    }

    /// Sources that nobody knows permit nothing, and could not be written as JSON.
    fn to_wire(&self) -> Option<pb::ParticipantPermission> {
        let mut permission = self.as_ref().map(pb::ParticipantPermission::from)?;
        permission.can_publish_sources.retain(|number| pb::TrackSource::try_from(*number).is_ok());
        Some(permission)
    }
}

/// What is recorded is of no concern here: only that it should be.
impl Wire<Option<pb::RoomEgress>> for bool {
    fn from_wire(wire: Option<pb::RoomEgress>) -> Self {
        wire.is_some_and(|egress| {
            egress.room.is_some() || egress.participant.is_some() || egress.tracks.is_some()
        })
    }

    fn to_wire(&self) -> Option<pb::RoomEgress> {
        self.then(|| pb::RoomEgress {
            room: Some(pb::RoomCompositeEgressRequest::default()),
            ..Default::default()
        })
    }
}

impl Wire<i32> for PacketKind {
    fn from_wire(wire: i32) -> Self {
        if wire == pb::data_packet::Kind::Lossy as i32 { Self::Lossy } else { Self::Reliable }
    }

    fn to_wire(&self) -> i32 {
        match self {
            Self::Reliable => pb::data_packet::Kind::Reliable as i32,
            Self::Lossy => pb::data_packet::Kind::Lossy as i32,
        }
    }
}

impl Wire<Vec<pb::ParticipantTracks>> for Vec<ParticipantTracks> {
    fn from_wire(wire: Vec<pb::ParticipantTracks>) -> Self {
        let ours = |tracks: pb::ParticipantTracks| ParticipantTracks {
            participant_sid: tracks.participant_sid,
            track_sids: tracks.track_sids,
        };
        wire.into_iter().map(ours).collect()
    }

    fn to_wire(&self) -> Vec<pb::ParticipantTracks> {
        let theirs = |tracks: &ParticipantTracks| pb::ParticipantTracks {
            participant_sid: tracks.participant_sid.clone(),
            track_sids: tracks.track_sids.clone(),
        };
        self.iter().map(theirs).collect()
    }
}

impl Wire<Vec<pb::RoomAgentDispatch>> for Vec<AgentDispatch> {
    fn from_wire(wire: Vec<pb::RoomAgentDispatch>) -> Self {
        let ours = |agent: pb::RoomAgentDispatch| AgentDispatch {
            agent_name: agent.agent_name,
            metadata: agent.metadata,
        };
        wire.into_iter().map(ours).collect()
    }

    fn to_wire(&self) -> Vec<pb::RoomAgentDispatch> {
        let theirs = |agent: &AgentDispatch| pb::RoomAgentDispatch {
            agent_name: agent.agent_name.clone(),
            metadata: agent.metadata.clone(),
            ..Default::default()
        };
        self.iter().map(theirs).collect()
    }
}
