//! Methods about rooms.

use std::time::Duration;

use trackyard_proto::api::{
    ApiError, Code, CreateRoom, DeleteRoom, Empty, ListRooms, ListRoomsAnswer, MetadataRevision,
    PatchRoomMetadata, UpdateRoomMetadata,
};
use trackyard_sfu::room::{Admin, AdminReply, RoomChange};

use super::{Body, Task, given, unexpected};
use crate::api::failure::{failure, refusal};

/// Makes a room, or changes the one that is there.
pub(super) async fn create(task: &Task<'_>) -> Body {
    let request: CreateRoom = task.read()?;
    let limits = task.rooms.limits();
    limits.check_room_name(&request.name).map_err(|error| refusal(&error))?;
    if !request.room_preset.is_empty() {
        let why = "unknown room configuration in create room request";
        return Err(ApiError::new(Code::InvalidArgument, why));
    }
    if request.egress {
        let why = "this server does not record; create the room without egress";
        return Err(ApiError::new(Code::FailedPrecondition, why));
    }
    let name = request.name.clone();
    let change = change(request);
    limits.check_room_change(&change).map_err(|error| refusal(&error))?;
    room(task, task.rooms.create(&name, change).await.map_err(failure)?)
}

/// All rooms, or those of some names.
pub(super) fn list(task: &Task<'_>) -> Body {
    let ListRooms { names } = task.read()?;
    let rooms = if names.is_empty() { task.rooms.list() } else { task.rooms.list_named(&names) };
    task.write(&ListRoomsAnswer { rooms })
}

/// Ends a room.
pub(super) async fn delete(task: &Task<'_>) -> Body {
    let DeleteRoom { room } = task.read()?;
    task.rooms.delete(&room).await.map_err(failure)?;
    task.write(&Empty)
}

/// Replaces a room's metadata.
pub(super) async fn update_metadata(task: &Task<'_>) -> Body {
    let request: UpdateRoomMetadata = task.read_for(|request: &UpdateRoomMetadata| &request.room)?;
    let UpdateRoomMetadata { room: name, metadata } = request;
    room(task, task.ask(&name, Admin::UpdateRoomMetadata { metadata }).await?)
}

/// Merges a patch into a room's metadata.
pub(super) async fn patch_metadata(task: &Task<'_>) -> Body {
    let request: PatchRoomMetadata = task.read_for(|request: &PatchRoomMetadata| &request.room)?;
    let PatchRoomMetadata { room, patch, if_revision } = request;
    match task.ask(&room, Admin::PatchRoomMetadata { patch, if_revision }).await? {
        AdminReply::Metadata { metadata, revision } => task.write(&MetadataRevision { metadata, revision }),
        other => Err(unexpected(&other)),
    }
}

fn room(task: &Task<'_>, reply: AdminReply) -> Body {
    match reply {
        AdminReply::Room(info) => task.write(info.as_ref()),
        other => Err(unexpected(&other)),
    }
}

/// Zero and empty stand for what is not given.
fn change(request: CreateRoom) -> RoomChange {
    let timeout = |seconds: u32| (seconds > 0).then(|| Duration::from_secs(seconds.into()));
    RoomChange {
        empty_timeout: timeout(request.empty_timeout_s),
        departure_timeout: timeout(request.departure_timeout_s),
        max_participants: Some(request.max_participants).filter(|max| *max > 0),
        metadata: given(request.metadata),
        tags: Some(request.tags).filter(|tags| !tags.is_empty()),
    }
}
