//! Who is in the room, as the application sees it.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Notify;
use trackyard_proto::ParticipantInfo;
use trackyard_proto::room::RoomInfo;
use trackyard_proto::signal::JoinResponse;
use trackyard_session::ParticipantChange;

use crate::candidates::Candidates;

/// The room, this participant and the others.
#[derive(Default)]
pub(crate) struct People {
    pub(crate) local: Option<Arc<ParticipantInfo>>,
    pub(crate) others: BTreeMap<String, Arc<ParticipantInfo>>,
    pub(crate) room: Option<Arc<RoomInfo>>,
    pub(crate) server_version: String,
    /// Where the server says that it is reached.
    pub(crate) candidates: Candidates,
    /// Somebody's tracks have changed, or the room is gone.
    pub(crate) tracks_changed: Arc<Notify>,
}

impl People {
    /// A new session.
    pub(crate) fn joined(&mut self, join: &JoinResponse) {
        self.local = Some(Arc::clone(&join.participant));
        self.room = Some(Arc::new(join.room.clone()));
        self.server_version.clone_from(&join.server_version);
    }

    /// Notes a participant; answers whether it is another one of whom there is something new. That its tracks
    /// are others is told by the tracks.
    pub(crate) fn changed(&mut self, change: ParticipantChange, info: &Arc<ParticipantInfo>) -> bool {
        if self.local.as_ref().is_some_and(|local| local.identity == info.identity) {
            self.local = Some(Arc::clone(info));
            return false;
        }
        if change == ParticipantChange::Left {
            self.others.remove(&info.identity);
            return true;
        }
        let before = self.others.insert(info.identity.clone(), Arc::clone(info));
        change == ParticipantChange::Joined || before.is_none_or(|before| is_visible(&before, info))
    }
}

/// Whether somebody who looks at a participant sees a difference.
fn is_visible(before: &ParticipantInfo, after: &ParticipantInfo) -> bool {
    let shown = |info: &ParticipantInfo| {
        (info.sid.clone(), info.name.clone(), info.metadata.clone(), info.kind, info.permission.clone())
    };
    shown(before) != shown(after) || before.attributes != after.attributes
}
