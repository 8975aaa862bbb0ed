//! What is done for administrators (protocol §10).

use trackyard_proto::signal::LeaveAction;
use trackyard_proto::{DisconnectReason, ParticipantInfo};

use super::Room;
use super::admin::{Admin, AdminError, AdminId, AdminReply, AdminRequest, ParticipantChange};
use super::io::Output;
use super::leave::Departure;
use super::member::Member;
use crate::control::PeerId;

type Answer = Result<AdminReply, AdminError>;

impl Room {
    /// An administrator wants something.
    pub(super) fn admin(&mut self, request: AdminRequest) {
        let AdminRequest { id, admin } = request;
        if self.closed {
            return;
        }
        let answer = match admin {
            Admin::PerformRpc(call) => return self.call(id, call),
            Admin::DeleteRoom => {
                // Nothing follows the end.
                self.answer(id, Ok(AdminReply::Done));
                return self.end(DisconnectReason::RoomDeleted, LeaveAction::Disconnect);
            }
            other => self.grant(other),
        };
        self.answer(id, answer);
    }

    /// Says how it went.
    pub(super) fn answer(&mut self, id: AdminId, result: Answer) {
        if result.is_err() {
            self.counters.admin_refused += 1;
        }
        self.outputs.push_back(Output::Admin { id, result });
    }

    /// Who has this identity.
    pub(super) fn named(&self, identity: &str) -> Result<PeerId, AdminError> {
        self.members.by_identity(identity).ok_or(AdminError::NoParticipant)
    }

    fn grant(&mut self, admin: Admin) -> Answer {
        match admin {
            Admin::Configure(change) => self.configure(change),
            Admin::ListParticipants => Ok(AdminReply::Participants(self.participants().collect())),
            Admin::GetParticipant { identity } => {
                let member = self.members.get(self.named(&identity)?).ok_or(AdminError::NoParticipant)?;
                Ok(AdminReply::Participant(member.peek()))
            }
            Admin::RemoveParticipant { identity } => self.send_away(&identity),
            Admin::MuteTrack { identity, track_sid, muted } => self.mute(&identity, &track_sid, muted),
            Admin::UpdateParticipant { identity, change } => self.update_participant(&identity, change),
            Admin::UpdateSubscriptions { identity, track_sids, subscribe } => {
                let peer = self.named(&identity)?;
                self.subscribe_for(peer, track_sids, subscribe);
                Ok(AdminReply::Done)
            }
            Admin::SendData(data) => self.send_data(data),
            Admin::UpdateRoomMetadata { metadata } => self.replace_metadata(metadata),
            Admin::PatchRoomMetadata { patch, if_revision } => self.patch_metadata(&patch, if_revision),
            Admin::PerformRpc(_) | Admin::DeleteRoom => Err(AdminError::Invalid("asked for in another way")),
        }
    }

    fn send_away(&mut self, identity: &str) -> Answer {
        let peer = self.named(identity)?;
        self.remove(peer, Departure::told(DisconnectReason::ParticipantRemoved, LeaveAction::Disconnect));
        Ok(AdminReply::Done)
    }

    /// No media track is ever published here, so every sid is unknown but those of data tracks.
    fn mute(&self, identity: &str, track_sid: &str, muted: bool) -> Answer {
        let peer = self.named(identity)?;
        if !muted {
            return Err(AdminError::Precondition("remote unmute not enabled"));
        }
        let track = self.tracks.by_sid(track_sid).and_then(|key| self.tracks.get(key));
        if track.is_some_and(|track| track.publisher == peer) {
            let why = "a data track cannot be muted; take canPublishData from its publisher instead";
            return Err(AdminError::Invalid(why));
        }
        Ok(AdminReply::Track(None))
    }

    /// Everything or nothing: limits are looked at before anything changes.
    fn update_participant(&mut self, identity: &str, change: ParticipantChange) -> Answer {
        let found = self.named(identity);
        let face = found.as_ref().ok().and_then(|peer| self.members.get(*peer)).map(Member::face);
        let attributes = face.map(|face: &ParticipantInfo| &face.attributes);
        self.config.limits.state.check_change(&change, attributes)?;
        let peer = found?;
        let ParticipantChange { name, metadata, attributes, permission } = change;
        if name.is_some() || metadata.is_some() || !attributes.is_empty() {
            self.change_state(peer, (name, metadata, attributes));
        }
        if let Some(permission) = permission {
            self.set_permission(peer, &permission);
        }
        let member = self.members.get_mut(peer).ok_or(AdminError::NoParticipant)?;
        Ok(AdminReply::Participant(member.snapshot()))
    }
}
