//! The methods of the API, one by one. Each may fail with [`RequestError`]: no answer, or a refusal with its code.

use std::sync::Arc;
use std::time::Duration;

use trackyard_proto::api::{
    CreateRoom, DeleteRoom, Empty, ListParticipants, ListParticipantsAnswer, ListRooms, ListRoomsAnswer,
    Message, MetadataRevision, Method, MuteTrack, MuteTrackAnswer, ParticipantId, PatchRoomMetadata,
    PerformRpc, PerformRpcAnswer, SendData, ToOtherRoom, UpdateParticipant, UpdateRoomMetadata,
    UpdateSubscriptions,
};
use trackyard_proto::{ParticipantInfo, RoomInfo, TrackInfo};

use super::{Ask, RoomServiceClient};
use crate::credentials::Scope;
use crate::error::RequestError;

/// How long a call takes at most unless it says so (protocol §10).
const RPC_MAX: Duration = Duration::from_secs(10);

/// A method's scope within one room.
fn within(method: Method, room: &str) -> Ask<'_> {
    Ask { scope: Scope { method, room, destination: "" }, patience: Duration::ZERO }
}

impl RoomServiceClient {
    /// Makes a room, or changes one that is there.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn create_room(&self, room: &CreateRoom) -> Result<RoomInfo, RequestError> {
        self.ask(room, within(Method::CreateRoom, &room.name)).await
    }

    /// The rooms of these names, or all if there are none.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn list_rooms(&self, names: &[String]) -> Result<Vec<Arc<RoomInfo>>, RequestError> {
        let request = ListRooms { names: names.to_vec() };
        let answer: ListRoomsAnswer = self.ask(&request, within(Method::ListRooms, "")).await?;
        Ok(answer.rooms)
    }

    /// Ends a room for everyone in it.
    ///
    /// # Errors
    /// [`RequestError`]; `NotFound` if there is no such room.
    pub async fn delete_room(&self, room: &str) -> Result<(), RequestError> {
        let request = DeleteRoom { room: room.to_owned() };
        self.done(&request, within(Method::DeleteRoom, room)).await
    }

    /// Everyone in a room, hidden participants included.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn list_participants(&self, room: &str) -> Result<Vec<Arc<ParticipantInfo>>, RequestError> {
        let request = ListParticipants { room: room.to_owned() };
        let answer: ListParticipantsAnswer =
            self.ask(&request, within(Method::ListParticipants, room)).await?;
        Ok(answer.participants)
    }

    /// One participant.
    ///
    /// # Errors
    /// [`RequestError`]; `NotFound` if it is not there.
    pub async fn get_participant(&self, room: &str, identity: &str) -> Result<ParticipantInfo, RequestError> {
        self.ask(&participant(room, identity), within(Method::GetParticipant, room)).await
    }

    /// Sends a participant away. Nothing keeps it from coming back with its token.
    ///
    /// # Errors
    /// [`RequestError`]; `NotFound` if it is not there.
    pub async fn remove_participant(&self, room: &str, identity: &str) -> Result<(), RequestError> {
        self.done(&participant(room, identity), within(Method::RemoveParticipant, room)).await
    }

    /// Mutes a media track; `None` if the participant has no such track.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn mute_published_track(
        &self,
        room: &str,
        identity: &str,
        track_sid: &str,
    ) -> Result<Option<TrackInfo>, RequestError> {
        self.set_muted(MuteTrack { muted: true, ..track(room, identity, track_sid) }).await
    }

    /// Has a participant send a media track again; servers refuse that unless they are configured to allow it.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn unmute_published_track(
        &self,
        room: &str,
        identity: &str,
        track_sid: &str,
    ) -> Result<Option<TrackInfo>, RequestError> {
        self.set_muted(track(room, identity, track_sid)).await
    }

    /// Changes a participant's name, metadata, attributes or permission.
    ///
    /// # Errors
    /// [`RequestError`]; `NotFound` if it is not there.
    pub async fn update_participant(
        &self,
        change: &UpdateParticipant,
    ) -> Result<ParticipantInfo, RequestError> {
        self.ask(change, within(Method::UpdateParticipant, &change.room)).await
    }

    /// Changes what a participant is subscribed to.
    ///
    /// # Errors
    /// [`RequestError`]; `NotFound` if it is not there.
    pub async fn update_subscriptions(&self, change: &UpdateSubscriptions) -> Result<(), RequestError> {
        self.done(change, within(Method::UpdateSubscriptions, &change.room)).await
    }

    /// Sends a data packet to participants.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn send_data(&self, data: &SendData) -> Result<(), RequestError> {
        self.done(data, within(Method::SendData, &data.room)).await
    }

    /// Replaces a room's metadata, and answers the room as it is then.
    ///
    /// # Errors
    /// [`RequestError`]; `NotFound` if there is no such room.
    pub async fn update_room_metadata(
        &self,
        room: &str,
        metadata: impl Into<String>,
    ) -> Result<RoomInfo, RequestError> {
        let request = UpdateRoomMetadata { room: room.to_owned(), metadata: metadata.into() };
        self.ask(&request, within(Method::UpdateRoomMetadata, room)).await
    }

    /// Merges a patch (RFC 7386) into a room's metadata, which has to be JSON. Trackyard alone has this method; others
    /// answer `BadRoute` or with something that is no answer.
    ///
    /// # Errors
    /// [`RequestError`]; `Aborted` if the metadata are of another revision than was asked for,
    /// `FailedPrecondition` if they are no JSON object.
    pub async fn patch_room_metadata(
        &self,
        patch: &PatchRoomMetadata,
    ) -> Result<MetadataRevision, RequestError> {
        self.ask(patch, within(Method::PatchRoomMetadata, &patch.room)).await
    }

    /// Copies a participant to another room, where servers can.
    ///
    /// # Errors
    /// [`RequestError`]; `Unimplemented` where they cannot.
    pub async fn forward_participant(
        &self,
        room: &str,
        identity: &str,
        destination: &str,
    ) -> Result<(), RequestError> {
        self.to_other_room(Method::ForwardParticipant, (room, identity, destination)).await
    }

    /// Moves a participant to another room, where servers can.
    ///
    /// # Errors
    /// [`RequestError`]; `Unimplemented` where they cannot.
    pub async fn move_participant(
        &self,
        room: &str,
        identity: &str,
        destination: &str,
    ) -> Result<(), RequestError> {
        self.to_other_room(Method::MoveParticipant, (room, identity, destination)).await
    }

    /// Calls a method that a participant has registered, and waits for what it returns.
    ///
    /// # Errors
    /// [`RequestError`]; `NotFound` if the participant is not there, `InvalidArgument` if it has no such method,
    /// `Canceled` if it does not answer in time, `Internal` if the method has failed.
    pub async fn perform_rpc(&self, call: &PerformRpc) -> Result<String, RequestError> {
        let asked = Duration::from_millis(call.response_timeout_ms.into());
        let patience = if asked.is_zero() { RPC_MAX } else { asked };
        let ask = Ask { patience, ..within(Method::PerformRpc, &call.room) };
        let answer: PerformRpcAnswer = self.ask(call, ask).await?;
        Ok(answer.payload)
    }

    async fn done<Q: Message>(&self, request: &Q, ask: Ask<'_>) -> Result<(), RequestError> {
        self.ask::<Q, Empty>(request, ask).await.map(|Empty| ())
    }

    async fn set_muted(&self, request: MuteTrack) -> Result<Option<TrackInfo>, RequestError> {
        let answer: MuteTrackAnswer =
            self.ask(&request, within(Method::MutePublishedTrack, &request.room)).await?;
        Ok(answer.track)
    }

    async fn to_other_room(
        &self,
        method: Method,
        (room, identity, destination): (&str, &str, &str),
    ) -> Result<(), RequestError> {
        let request = ToOtherRoom {
            room: room.to_owned(),
            identity: identity.to_owned(),
            destination_room: destination.to_owned(),
        };
        let ask = Ask { scope: Scope { method, room, destination }, patience: Duration::ZERO };
        self.done(&request, ask).await
    }
}

fn participant(room: &str, identity: &str) -> ParticipantId {
    ParticipantId { room: room.to_owned(), identity: identity.to_owned(), ..ParticipantId::default() }
}

fn track(room: &str, identity: &str, track_sid: &str) -> MuteTrack {
    MuteTrack {
        room: room.to_owned(),
        identity: identity.to_owned(),
        track_sid: track_sid.to_owned(),
        muted: false,
    }
}
