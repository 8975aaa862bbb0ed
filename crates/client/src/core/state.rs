//! The state of the room and of participants: what has changed, and who waits for a change of this one.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::oneshot;
use trackyard_proto::ParticipantInfo;
use trackyard_proto::room::RoomInfo;
use trackyard_proto::signal::JoinResponse;
use trackyard_session::{ParticipantChange, ProfileError, ProfileEvent, ProfileRequestId};

use super::Core;
use crate::events::RoomEvent;
use crate::participant::{LocalParticipant, Participant, RemoteParticipant};
use crate::people::{Difference, differences};
use crate::room::ConnectionState;
use crate::shared::Shared;

/// Whoever waits for a change of this participant. Each is answered once by the session.
#[derive(Default)]
pub(crate) struct ProfileWaiters {
    all: HashMap<ProfileRequestId, oneshot::Sender<Result<(), ProfileError>>>,
}

impl ProfileWaiters {
    /// Waits for a change that was just asked for.
    pub(crate) fn wait(&mut self, id: ProfileRequestId) -> oneshot::Receiver<Result<(), ProfileError>> {
        let (sender, receiver) = oneshot::channel();
        self.all.insert(id, sender);
        receiver
    }

    /// Whoever does not wait any more is passed over.
    pub(super) fn answer(&mut self, event: ProfileEvent) {
        let _ = self.all.remove(&event.request).map(|waiter| waiter.send(event.result));
    }
}

impl Core {
    /// A new session: the room and this participant may be others than before.
    pub(super) fn joined(&mut self, join: &JoinResponse, shared: &Arc<Shared>) {
        let before = self.people.joined(join);
        self.room(&Arc::new(join.room.clone()));
        if let Some(before) = before {
            self.tell(Some(&before), &join.participant, shared);
        }
    }

    pub(super) fn room(&mut self, room: &Arc<RoomInfo>) {
        let before = self.people.room.replace(Arc::clone(room));
        if before.is_some_and(|before| before.metadata != room.metadata) {
            self.events.push(RoomEvent::RoomMetadataChanged { metadata: room.metadata.clone() });
        }
    }

    /// Those who are there when the room is joined are no news.
    pub(super) fn participant(
        &mut self,
        change: ParticipantChange,
        info: &Arc<ParticipantInfo>,
        shared: &Arc<Shared>,
    ) {
        let before = self.people.changed(change, info);
        if self.state == ConnectionState::Connecting {
            return;
        }
        let participant = || RemoteParticipant::new(shared, info);
        match change {
            _ if self.people.is_local(info) => {}
            ParticipantChange::Joined => self.events.push(RoomEvent::ParticipantConnected(participant())),
            ParticipantChange::Left => {
                return self.events.push(RoomEvent::ParticipantDisconnected(participant()));
            }
            ParticipantChange::Updated => {}
        }
        self.tell(before.as_deref(), info, shared);
    }

    /// Tells what has changed of a participant. Whether this one is active it learns by being connected.
    fn tell(&self, before: Option<&ParticipantInfo>, info: &Arc<ParticipantInfo>, shared: &Arc<Shared>) {
        let remote = || RemoteParticipant::new(shared, info);
        let is_local = self.people.is_local(info);
        for difference in differences(before, info) {
            let participant = if is_local {
                Participant::Local(LocalParticipant::new(shared))
            } else {
                Participant::Remote(remote())
            };
            self.events.push(match difference {
                Difference::Name(before) => RoomEvent::ParticipantNameChanged { participant, before },
                Difference::Metadata(before) => RoomEvent::ParticipantMetadataChanged { participant, before },
                Difference::Attributes(changed) => {
                    RoomEvent::ParticipantAttributesChanged { participant, changed }
                }
                Difference::Permissions(before) => {
                    RoomEvent::ParticipantPermissionsChanged { participant, before }
                }
                Difference::Active if is_local => continue,
                Difference::Active => RoomEvent::ParticipantActive(remote()),
            });
        }
    }
}
