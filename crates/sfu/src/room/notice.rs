//! What becomes of sessions and their tracks, for whoever keeps a log of it.

use std::sync::Arc;
use std::time::Duration;

use trackyard_proto::client::ClientInfo;
use trackyard_proto::{DataTrackInfo, DisconnectReason};

use super::Room;
use super::io::{ConnectionId, Output};
use super::member::Member;
use crate::control::PeerId;

/// Something has become of a session. The names in it are what clients say.
#[derive(Debug, Clone)]
pub struct Notice {
    /// Whose session.
    pub identity: String,
    /// Which one.
    pub sid: String,
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
    },
    /// It has ended.
    Left {
        /// Why.
        reason: DisconnectReason,
        /// Since it has begun.
        after: Duration,
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
        if let Some(member) = self.members.get(peer) {
            self.outputs.push_back(notice(member, news));
        }
    }

    /// The session has come up.
    pub(super) fn notice_active(&mut self, peer: PeerId) {
        if let Some(member) = self.members.get(peer) {
            let after = self.now.instant.saturating_duration_since(member.joined_at);
            self.outputs.push_back(notice(member, News::Active { after }));
        }
    }

    /// The session has ended; it is no longer here.
    pub(super) fn notice_left(&mut self, member: &Member, reason: DisconnectReason) {
        let after = self.now.instant.saturating_duration_since(member.joined_at);
        self.outputs.push_back(notice(member, News::Left { reason, after }));
    }
}

fn notice(member: &Member, news: News) -> Output {
    let (identity, sid) = (member.identity().to_owned(), member.sid().to_owned());
    Output::Notice(Notice { identity, sid, news })
}
