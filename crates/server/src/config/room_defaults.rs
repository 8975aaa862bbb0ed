//! What rooms start with, in the rooms' own terms.

use trackyard_net::NetConfig;
use trackyard_sfu::room::{NodeInfo, RoomConfig};

use super::settings::Config;
use crate::rooms::RoomDefaults;

impl Config {
    /// What a room starts with unless its creator says otherwise.
    pub(crate) fn room_defaults(&self) -> RoomDefaults {
        let ice_urls = self.rtc.stun_servers.iter().map(|server| format!("stun:{server}")).collect();
        let config = RoomConfig {
            empty_timeout: self.room.empty_timeout,
            departure_timeout: self.room.departure_timeout,
            max_participants: self.room.max_participants,
            data_tracks: self.data_tracks.enabled,
            track_rules: self.data_tracks.compiled(),
            node: NodeInfo { region: self.region.clone(), ice_urls, ..NodeInfo::default() },
            ..RoomConfig::default()
        };
        RoomDefaults {
            config,
            auto_create: self.room.auto_create,
            peers_max: NetConfig::default().peers_max as u64,
        }
    }
}
