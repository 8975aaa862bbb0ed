//! The log of sessions. What clients have chosen is written with its control characters escaped, so that
//! no name can forge a line, and what is bounded by nothing else is cut.

use std::net::SocketAddr;

use tracing::{debug, info};
use trackyard_sfu::room::{News, Notice};

/// Characters of a client's own description.
const CLIENT_MAX: usize = 32;

/// Writes what has become of a session in `room`; `address` is its client's, where that is known.
pub(super) fn log(room: &str, notice: Notice, address: Option<SocketAddr>) {
    let Notice { identity, sid, news } = notice;
    let address = address.map(tracing::field::display);
    match news {
        News::Joined { client, .. } => info!(
            ?room, ?identity, sid, address,
            sdk = ?brief(&client.sdk), version = ?brief(&client.version), protocol = client.protocol,
            "participant joined"
        ),
        News::Resumed { .. } => info!(?room, ?identity, sid, address, "participant resumed"),
        News::Active { after } => info!(?room, ?identity, sid, ?after, "participant active"),
        News::Left { reason, after } => info!(?room, ?identity, sid, ?reason, ?after, "participant left"),
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
