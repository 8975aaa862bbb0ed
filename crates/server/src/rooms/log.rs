//! The log of sessions. What clients have chosen is written with its control characters escaped, so that
//! no name can forge a line, and what is bounded by nothing else is cut.

use std::net::SocketAddr;

use tracing::{debug, info};
use trackyard_proto::RoomInfo;
use trackyard_sfu::room::{News, Notice, SessionNotice, Subject};

/// Characters of a client's own description.
const CLIENT_MAX: usize = 32;

/// Writes what has become of a room or of a session in it; `address` is its client's, where that is known.
pub(super) fn log(notice: &Notice, address: Option<SocketAddr>) {
    let RoomInfo { name: room, sid, .. } = notice.room.as_ref();
    match &notice.subject {
        // Its task says so.
        Subject::RoomStarted => {}
        Subject::RoomFinished(reason) => debug!(?room, sid, ?reason, "room finished"),
        Subject::Session(session) => log_session(room, session, address),
    }
}

fn log_session(room: &str, session: &SessionNotice, address: Option<SocketAddr>) {
    let SessionNotice { identity, sid, news, .. } = session;
    let address = address.map(tracing::field::display);
    match news {
        News::Joined { client, .. } => info!(
            ?room, ?identity, sid, address,
            sdk = ?brief(&client.sdk), version = ?brief(&client.version), protocol = client.protocol,
            "participant joined"
        ),
        News::Resumed { .. } => info!(?room, ?identity, sid, address, "participant resumed"),
        News::Active { after, .. } => info!(?room, ?identity, sid, ?after, "participant active"),
        News::Left { reason, after, .. } => {
            info!(?room, ?identity, sid, ?reason, ?after, "participant left");
        }
        News::Published(track) => {
            debug!(?room, ?identity, track = ?track.name, track_sid = track.sid, "track published");
        }
        News::Unpublished(track) => {
            debug!(?room, ?identity, track = ?track.name, track_sid = track.sid, "track unpublished");
        }
        News::Subscribed(track) => {
            debug!(?room, ?identity, track = ?track.name, track_sid = track.sid, "track subscribed");
        }
    }
}

fn brief(text: &str) -> &str {
    text.char_indices().nth(CLIENT_MAX).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
pub(super) mod tests;
