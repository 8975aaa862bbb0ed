//! A participant of the test's own, beside those that the command runs.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use trackyard::{DataReceived, Room, RoomEvent, RoomEvents, RoomOptions};
use trackyard_auth::{Token, VideoGrant};

use crate::track::site::Site;

/// Nothing takes longer here.
const WAIT: Duration = Duration::from_secs(30);

/// A token for the room `demo`.
pub(crate) fn token(identity: &str, grant: VideoGrant) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    Token::new(identity).grant(grant).to_jwt("devkey", "secret", now).unwrap()
}

/// A participant of the test's own.
pub(crate) struct Guest {
    pub(crate) room: Room,
    events: RoomEvents,
}

impl Guest {
    pub(crate) async fn join(site: &Site, identity: &str) -> Self {
        let token = token(identity, VideoGrant::join("demo"));
        let (room, events) = Room::connect(&site.url, token, RoomOptions::new()).await.unwrap();
        Self { room, events }
    }

    /// The next payload that comes.
    pub(crate) async fn data(&mut self) -> DataReceived {
        loop {
            if let RoomEvent::DataReceived(data) = self.event().await {
                return data;
            }
        }
    }

    /// Waits until somebody can receive what is sent to it.
    pub(crate) async fn meets(&mut self, identity: &str) {
        while self.room.remote_participant(identity).is_none_or(|other| !other.is_active()) {
            self.event().await;
        }
    }

    async fn event(&mut self) -> RoomEvent {
        tokio::time::timeout(WAIT, self.events.recv()).await.unwrap().unwrap()
    }
}
