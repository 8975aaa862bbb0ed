//! Methods about participants.

use std::sync::Arc;

use trackyard_proto::api::{
    ApiError, Code, Empty, ListParticipants, ListParticipantsAnswer, MuteTrack, MuteTrackAnswer,
    ParticipantId, ToOtherRoom, UpdateParticipant, UpdateSubscriptions,
};
use trackyard_sfu::room::{Admin, AdminReply, ParticipantChange};

use super::{Body, Task, given, unexpected};
use crate::api::failure::failure;
use crate::rooms::Unmet;

/// Everyone in a room, hidden participants included. In a room that does not exist there is nobody.
pub(super) async fn list(task: &Task<'_>) -> Body {
    let ListParticipants { room } = task.read_for(|request: &ListParticipants| &request.room)?;
    match task.rooms.ask(&room, Admin::ListParticipants).await {
        Ok(AdminReply::Participants(participants)) => task.write(&ListParticipantsAnswer { participants }),
        Ok(other) => Err(unexpected(&other)),
        Err(Unmet::NoRoom) => task.write(&ListParticipantsAnswer::default()),
        Err(unmet) => Err(failure(unmet)),
    }
}

/// One participant.
pub(super) async fn get(task: &Task<'_>) -> Body {
    let ParticipantId { room, identity, .. } = task.read_for(|request: &ParticipantId| &request.room)?;
    participant(task, ask_about(task, &room, Admin::GetParticipant { identity }).await?)
}

/// Sends a participant away.
pub(super) async fn remove(task: &Task<'_>) -> Body {
    let ParticipantId { room, identity, .. } = task.read_for(|request: &ParticipantId| &request.room)?;
    ask_about(task, &room, Admin::RemoveParticipant { identity }).await?;
    task.write(&Empty)
}

/// Mutes a media track.
pub(super) async fn mute(task: &Task<'_>) -> Body {
    let request: MuteTrack = task.read_for(|request: &MuteTrack| &request.room)?;
    let MuteTrack { room, identity, track_sid, muted } = request;
    match ask_about(task, &room, Admin::MuteTrack { identity, track_sid, muted }).await? {
        AdminReply::Track(track) => task.write(&MuteTrackAnswer { track: track.map(Arc::unwrap_or_clone) }),
        other => Err(unexpected(&other)),
    }
}

/// Changes a participant.
pub(super) async fn update(task: &Task<'_>) -> Body {
    let request: UpdateParticipant = task.read_for(|request: &UpdateParticipant| &request.room)?;
    let UpdateParticipant { room, identity, metadata, permission, name, attributes } = request;
    let change = ParticipantChange { name: given(name), metadata: given(metadata), attributes, permission };
    participant(task, ask_about(task, &room, Admin::UpdateParticipant { identity, change }).await?)
}

/// Changes what a participant is subscribed to. A track's sid says whose it is.
pub(super) async fn update_subscriptions(task: &Task<'_>) -> Body {
    let request: UpdateSubscriptions = task.read_for(|request: &UpdateSubscriptions| &request.room)?;
    let UpdateSubscriptions { room, identity, mut track_sids, subscribe, participant_tracks } = request;
    track_sids.extend(participant_tracks.into_iter().flat_map(|tracks| tracks.track_sids));
    ask_about(task, &room, Admin::UpdateSubscriptions { identity, track_sids, subscribe }).await?;
    task.write(&Empty)
}

/// What takes more than one node, as official open-source servers do not do it either.
pub(super) async fn to_other_room(task: &Task<'_>, verb: &str) -> Body {
    let request: ToOtherRoom = task.read_for(|request: &ToOtherRoom| &request.room)?;
    let ToOtherRoom { room, identity, destination_room } = request;
    task.caller.may_send_to(&destination_room)?;
    if room == destination_room {
        let why = "destination room cannot be the same as source room";
        return Err(ApiError::new(Code::InvalidArgument, why).with("argument", "destination_room"));
    }
    ask_about(task, &room, Admin::GetParticipant { identity }).await?;
    let why = format!(
        "this server does not {verb} participants; let the participant join {destination_room} with a token for it"
    );
    Err(ApiError::new(Code::Unimplemented, why))
}

/// In a room that does not exist nobody does.
async fn ask_about(task: &Task<'_>, room: &str, admin: Admin) -> Result<AdminReply, ApiError> {
    match task.rooms.ask(room, admin).await {
        Err(Unmet::NoRoom) => Err(ApiError::new(Code::NotFound, "participant does not exist")),
        answer => answer.map_err(failure),
    }
}

fn participant(task: &Task<'_>, reply: AdminReply) -> Body {
    match reply {
        AdminReply::Participant(info) => task.write(info.as_ref()),
        other => Err(unexpected(&other)),
    }
}
