//! A client comes back to its session on a new signal connection (protocol §9.1).

use trackyard_peer::Mode;
use trackyard_proto::signal::{IceServer, LeaveAction, ReconnectResponse};
use trackyard_proto::{DisconnectReason, Outbound, Response};

use super::Room;
use super::io::{ConnectionId, Output, Resume};
use super::notice::News;
use super::timers::Timer;
use crate::control::{Command, PeerId};

impl Room {
    /// Gives a client its session back, or tells it to join anew.
    pub(super) fn resume(&mut self, resume: Resume) {
        let Resume { connection, verified, request } = resume;
        match self.resumed(&verified.claims.identity, &request.participant_sid) {
            Some(peer) => self.resume_session(peer, connection),
            None => self.unknown_session(connection),
        }
    }

    /// Whose session that is. Old clients leave out the sid: then it is the identity's, unless they may mean an earlier one.
    fn resumed(&self, identity: &str, sid: &str) -> Option<PeerId> {
        let peer = self.members.by_identity(identity)?;
        let is_meant = if sid.is_empty() {
            !self.former.may_come_back(identity, self.now.instant)
        } else {
            self.members.get(peer).is_some_and(|member| member.sid() == sid)
        };
        is_meant.then_some(peer)
    }

    fn unknown_session(&mut self, connection: ConnectionId) {
        self.counters.resumes_unknown += 1;
        let reason = DisconnectReason::StateMismatch;
        let leave = Response::Leave { reason, action: LeaveAction::Reconnect };
        self.signal(connection, Outbound::new(leave));
        self.outputs.push_back(Output::CloseSignal { connection });
    }

    fn resume_session(&mut self, peer: PeerId, connection: ConnectionId) {
        self.counters.resumes += 1;
        self.notice(peer, News::Resumed { connection });
        // The former connection is closed without a leave: its session goes on.
        if let Some(connection) = self.members.reconnect(peer, Some(connection)) {
            self.outputs.push_back(Output::CloseSignal { connection });
        }
        self.timers.cancel(Timer::Grace(peer));
        self.timers.cancel(Timer::Negotiation(peer));
        self.tell(peer, Response::Reconnect(self.reconnect_response(peer)));
        self.show_everyone(peer);
        self.tell(peer, Response::RoomUpdate(self.info()));
        self.repeat_pause(peer);
        self.restart_ice(peer);
        self.await_recovery(peer);
        self.repeat_handles(peer);
        self.refresh_token(peer);
    }

    fn reconnect_response(&self, peer: PeerId) -> ReconnectResponse {
        let node = &self.config.node;
        ReconnectResponse {
            server_version: node.server_version.clone(),
            server_protocol: node.server_protocol,
            region: node.region.clone(),
            node_id: node.node_id.clone(),
            ice_servers: IceServer::open(&node.ice_urls),
            last_message_seq: self.members.get(peer).map_or(0, |member| member.progress.get()),
        }
    }

    /// One message with all of them and itself: whom it misses there, a client takes for gone.
    fn show_everyone(&mut self, peer: PeerId) {
        let seen = (self.serial, self.now.instant);
        if let Some(member) = self.members.get_mut(peer) {
            member.seen = seen;
        }
        let visible = self.members.iter_mut().filter(|member| member.peer == peer || !member.is_hidden());
        let everyone = visible.map(super::member::Member::snapshot).collect();
        self.tell(peer, Response::Update(everyone));
    }

    fn restart_ice(&mut self, peer: PeerId) {
        let Some(member) = self.members.get(peer) else { return };
        if matches!(member.mode, Mode::Dual { .. }) {
            self.command(member.worker, Command::RestartIce { peer });
        }
    }
}
