//! What rooms start with.

use std::time::Duration;

use trackyard_sfu::room::{RoomChange, RoomConfig};

/// What a room starts with unless its creator says otherwise.
#[derive(Debug, Clone)]
pub(crate) struct RoomDefaults {
    /// Everything but the name.
    pub(crate) config: RoomConfig,
    /// Whether joining makes a room.
    pub(crate) auto_create: bool,
    /// Participants that one worker takes.
    pub(crate) peers_max: u64,
}

impl RoomDefaults {
    /// The token of whoever makes a room may shape it (protocol §2, `roomConfig`).
    pub(super) fn room(&self, name: &str, asked: Option<&trackyard_auth::RoomConfig>) -> RoomConfig {
        let mut config = self.config.clone();
        config.name = name.to_owned();
        let Some(asked) = asked else { return config };
        let seconds = |timeout: u32| Duration::from_secs(timeout.into());
        config.empty_timeout = asked.empty_timeout_s().map_or(config.empty_timeout, seconds);
        config.departure_timeout = asked.departure_timeout_s().map_or(config.departure_timeout, seconds);
        config.max_participants = asked.participants_max().unwrap_or(config.max_participants);
        if !asked.metadata().is_empty() {
            config.metadata = asked.metadata().to_owned();
        }
        config
    }

    /// What an administrator makes a room with.
    pub(super) fn changed(&self, name: &str, change: &RoomChange) -> RoomConfig {
        let mut config = RoomConfig { name: name.to_owned(), ..self.config.clone() };
        config.empty_timeout = change.empty_timeout.unwrap_or(config.empty_timeout);
        config.departure_timeout = change.departure_timeout.unwrap_or(config.departure_timeout);
        config.max_participants = change.max_participants.unwrap_or(config.max_participants);
        config.metadata = change.metadata.clone().unwrap_or_default();
        config.tags = change.tags.clone().unwrap_or_default();
        config
    }
}
