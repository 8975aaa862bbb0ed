//! Who is in the room, as the application sees it.

mod difference;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Notify;
use trackyard_proto::ParticipantInfo;
use trackyard_proto::room::RoomInfo;
use trackyard_proto::signal::JoinResponse;
use trackyard_session::ParticipantChange;

use crate::candidates::Candidates;

pub(crate) use difference::{Difference, differences};

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
    /// A new session; answers what this participant was before.
    pub(crate) fn joined(&mut self, join: &JoinResponse) -> Option<Arc<ParticipantInfo>> {
        self.server_version.clone_from(&join.server_version);
        self.local.replace(Arc::clone(&join.participant))
    }

    /// Notes a participant; answers what it was before.
    pub(crate) fn changed(
        &mut self,
        change: ParticipantChange,
        info: &Arc<ParticipantInfo>,
    ) -> Option<Arc<ParticipantInfo>> {
        if self.is_local(info) {
            return self.local.replace(Arc::clone(info));
        }
        match change {
            ParticipantChange::Left => self.others.remove(&info.identity),
            ParticipantChange::Joined | ParticipantChange::Updated => {
                self.others.insert(info.identity.clone(), Arc::clone(info))
            }
        }
    }

    /// Whether it is this client.
    pub(crate) fn is_local(&self, info: &ParticipantInfo) -> bool {
        self.local.as_ref().is_some_and(|local| local.identity == info.identity)
    }
}
