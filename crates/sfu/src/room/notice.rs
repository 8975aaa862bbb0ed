//! What becomes of the room, of sessions and of their tracks, for whoever keeps a log of it or is told by webhooks.

use std::sync::Arc;
use std::time::Duration;

use trackyard_proto::client::ClientInfo;
use trackyard_proto::{DataTrackInfo, DisconnectReason, ParticipantInfo, ParticipantState, RoomInfo};

use super::Room;
use super::io::{ConnectionId, Output};
use super::member::Member;
use crate::control::PeerId;

/// Something has become of the room or of a session in it. The names in it are what clients say.
#[derive(Debug, Clone)]
pub struct Notice {
    /// The room as it is now.
    pub room: Arc<RoomInfo>,
    /// What.
    pub subject: Subject,
}

/// What a notice is about.
#[derive(Debug, Clone)]
pub enum Subject {
    /// The room has begun: it is its name's.
    RoomStarted,
    /// The room has ended, after everyone in it.
    RoomFinished(DisconnectReason),
    /// A session.
    Session(SessionNotice),
}

/// Something has become of a session.
#[derive(Debug, Clone)]
pub struct SessionNotice {
    /// Whose session.
    pub identity: String,
    /// Which one.
    pub sid: String,
    /// The participant's display name.
    pub name: String,
    /// Its primary connection has been up.
    pub has_been_active: bool,
    /// What.
    pub news: News,
}

/// What may become of a session.
#[derive(Debug, Clone)]
pub enum News {
    /// It has begun.
    Joined {
        /// On which signal connection.
        connection: ConnectionId,
        /// The client's software.
        client: Box<ClientInfo>,
    },
    /// It goes on, on another signal connection.
    Resumed {
        /// Which.
        connection: ConnectionId,
    },
    /// Its primary connection is up for the first time.
    Active {
        /// Since it has begun.
        after: Duration,
        /// The participant, with all it publishes already.
        info: Arc<ParticipantInfo>,
    },
    /// It has ended.
    Left {
        /// Why.
        reason: DisconnectReason,
        /// Since it has begun.
        after: Duration,
        /// The participant as it was at last.
        info: Arc<ParticipantInfo>,
    },
    /// It publishes this track.
    Published(Arc<DataTrackInfo>),
    /// It no longer publishes this track.
    Unpublished(Arc<DataTrackInfo>),
    /// It has been given a handle for this track.
    Subscribed(Arc<DataTrackInfo>),
}

impl Room {
    /// Tells what has become of a session that is here.
    pub(super) fn notice(&mut self, peer: PeerId, news: News) {
        if let Some(notice) = self.members.get(peer).map(|member| session(member, news)) {
            self.push_notice(notice);
        }
    }

    /// The session has come up.
    pub(super) fn notice_active(&mut self, peer: PeerId) {
        let Some(member) = self.members.get(peer) else { return };
        let after = self.now.instant.saturating_duration_since(member.joined_at);
        let notice = session(member, News::Active { after, info: member.peek() });
        self.push_notice(notice);
    }

    /// The session has ended; it is no longer here.
    pub(super) fn notice_left(&mut self, member: &Member, reason: DisconnectReason) {
        let after = self.now.instant.saturating_duration_since(member.joined_at);
        let mut info = member.face().clone();
        info.state = ParticipantState::Disconnected;
        info.disconnect_reason = reason;
        info.data_tracks = Vec::new();
        let notice = session(member, News::Left { reason, after, info: Arc::new(info) });
        self.push_notice(notice);
    }

    /// The room's name is its own.
    pub(super) fn notice_started(&mut self) {
        self.push_notice(Subject::RoomStarted);
    }

    /// The room has ended, and so has everything in it. Of one that never began nobody has heard.
    pub(super) fn notice_finished(&mut self, reason: DisconnectReason) {
        if self.record.is_some() {
            self.push_notice(Subject::RoomFinished(reason));
        }
    }

    fn push_notice(&mut self, subject: Subject) {
        let room = self.info();
        self.outputs.push_back(Output::Notice(Notice { room, subject }));
    }
}

fn session(member: &Member, news: News) -> Subject {
    Subject::Session(SessionNotice {
        identity: member.identity().to_owned(),
        sid: member.sid().to_owned(),
        name: member.face().name.clone(),
        has_been_active: member.has_been_active(),
        news,
    })
}
