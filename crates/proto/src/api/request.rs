//! What backends ask for.

use std::collections::BTreeMap;

use livekit_protocol as pb;

use super::codec::{decode, encode};
use super::message::Message;
use crate::convert::Wire;
use crate::limits;
use crate::packet::PacketKind;
use crate::participant::Permission;
use crate::signal::{DecodeError, Encoding};

/// Declares a request with its message on the wire, and how its fields are called there.
macro_rules! request {
    (
        $(#[$doc:meta])+
        $name:ident = $wire:ident {
            $($(#[$field_doc:meta])+ $field:ident: $kind:ty = $theirs:ident,)+
        }
    ) => {
        $(#[$doc])+
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct $name {
            $($(#[$field_doc])+ pub $field: $kind,)+
        }

        #[allow(deprecated, reason = "older backends fill what others have replaced")]
        impl Message for $name {
            const BYTES_MAX: usize = limits::API_BODY_BYTES;

            fn decode(body: &[u8], encoding: Encoding) -> Result<Self, DecodeError> {
                let wire: pb::$wire = decode(body, encoding, Self::BYTES_MAX)?;
                Ok(Self { $($field: Wire::from_wire(wire.$theirs),)+ })
            }

            fn encode(&self, encoding: Encoding) -> Vec<u8> {
                #[allow(clippy::needless_update, reason = "some have fields that mean nothing here")]
                let wire = pb::$wire { $($theirs: self.$field.to_wire(),)+ ..Default::default() };
                encode(&wire, encoding)
            }
        }
    };
}

request! {
    /// Make a room, or change one that is there. What is zero or empty is the server's default, or unchanged.
    CreateRoom = CreateRoomRequest {
        /// What clients will ask for.
        name: String = name,
        /// A configuration of the server.
        room_preset: String = room_preset,
        /// How long it stays before anyone has joined, in seconds.
        empty_timeout_s: u32 = empty_timeout,
        /// How long it stays after the last participant has left, in seconds.
        departure_timeout_s: u32 = departure_timeout,
        /// How many may be in it.
        max_participants: u32 = max_participants,
        /// On which node; a single node has no choice.
        node_id: String = node_id,
        /// Free text of at most 512 KiB.
        metadata: String = metadata,
        /// For the server's owner; clients do not see them.
        tags: BTreeMap<String, String> = tags,
        /// Record it.
        egress: bool = egress,
        /// For video, in milliseconds.
        min_playout_delay_ms: u32 = min_playout_delay,
        /// For video, in milliseconds.
        max_playout_delay_ms: u32 = max_playout_delay,
        /// Audio and video of one participant are kept together.
        sync_streams: bool = sync_streams,
        /// Agents that are to come.
        agents: Vec<AgentDispatch> = agents,
    }
}

request! {
    /// Rooms of these names, or all.
    ListRooms = ListRoomsRequest {
        /// Empty for all.
        names: Vec<String> = names,
    }
}

request! {
    /// End a room for everyone.
    DeleteRoom = DeleteRoomRequest {
        /// Which.
        room: String = room,
    }
}

request! {
    /// Everyone in a room.
    ListParticipants = ListParticipantsRequest {
        /// Which.
        room: String = room,
    }
}

request! {
    /// A participant, to be shown or removed.
    ParticipantId = RoomParticipantIdentity {
        /// In which room.
        room: String = room,
        /// Who.
        identity: String = identity,
        /// Tokens from before are no longer good; without effect on official open-source servers, and here.
        revoke_token_ts: i64 = revoke_token_ts,
    }
}

request! {
    /// Mute a media track.
    MuteTrack = MuteRoomTrackRequest {
        /// In which room.
        room: String = room,
        /// Whose.
        identity: String = identity,
        /// Which.
        track_sid: String = track_sid,
        /// Or unmute it.
        muted: bool = muted,
    }
}

request! {
    /// Change a participant. What is empty stays; an empty attribute goes.
    UpdateParticipant = UpdateParticipantRequest {
        /// In which room.
        room: String = room,
        /// Who.
        identity: String = identity,
        /// Its new metadata.
        metadata: String = metadata,
        /// All it may do from now on.
        permission: Option<Permission> = permission,
        /// Its new name.
        name: String = name,
        /// Merged into what it has.
        attributes: BTreeMap<String, String> = attributes,
    }
}

request! {
    /// Change what a participant is subscribed to.
    UpdateSubscriptions = UpdateSubscriptionsRequest {
        /// In which room.
        room: String = room,
        /// Who.
        identity: String = identity,
        /// Tracks.
        track_sids: Vec<String> = track_sids,
        /// Or not.
        subscribe: bool = subscribe,
        /// More tracks, by who publishes them.
        participant_tracks: Vec<ParticipantTracks> = participant_tracks,
    }
}

request! {
    /// Say something to participants.
    SendData = SendDataRequest {
        /// In which room.
        room: String = room,
        /// What.
        data: Vec<u8> = data,
        /// Whether it has to arrive.
        kind: PacketKind = kind,
        /// To whom, by session; an older way of saying it.
        destination_sids: Vec<String> = destination_sids,
        /// To whom; empty for everyone.
        destination_identities: Vec<String> = destination_identities,
        /// What it is about.
        topic: Option<String> = topic,
        /// 16 bytes that name it, so that it counts once however often it is sent; or none.
        nonce: Vec<u8> = nonce,
    }
}

request! {
    /// Replace a room's metadata.
    UpdateRoomMetadata = UpdateRoomMetadataRequest {
        /// Which room.
        room: String = room,
        /// Free text of at most 512 KiB.
        metadata: String = metadata,
    }
}

request! {
    /// Copy a participant to another room, or move it there.
    ToOtherRoom = ForwardParticipantRequest {
        /// From which room.
        room: String = room,
        /// Who.
        identity: String = identity,
        /// To which room.
        destination_room: String = destination_room,
    }
}

request! {
    /// Call a method that a participant has registered.
    PerformRpc = PerformRpcRequest {
        /// In which room.
        room: String = room,
        /// Whose.
        destination_identity: String = destination_identity,
        /// Which.
        method: String = method,
        /// What it is given, of at most 15,360 bytes.
        payload: String = payload,
        /// How long it may take; 0 = 10 s.
        response_timeout_ms: u32 = response_timeout_ms,
    }
}

/// Tracks of one participant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParticipantTracks {
    /// Whose.
    pub participant_sid: String,
    /// Which.
    pub track_sids: Vec<String>,
}

/// An agent that is to come to a room.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AgentDispatch {
    /// Which.
    pub agent_name: String,
    /// What it is told.
    pub metadata: String,
}
