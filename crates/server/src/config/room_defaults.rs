//! What rooms start with, in the rooms' own terms.

use trackyard_net::NetConfig;
use trackyard_proto::limits;
use trackyard_sfu::room::{BlobLimits, NodeInfo, RoomConfig, RoomLimits, StateLimits};

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
            blobs: self.data_blobs.then(|| self.blob_limits()),
            track_rules: self.data_tracks.compiled(),
            meter_tracks: self.metrics.tracks,
            node: NodeInfo { region: self.region.clone(), ice_urls, ..NodeInfo::default() },
            limits: RoomLimits { state: self.state_limits(), ..RoomLimits::default() },
            ..RoomConfig::default()
        };
        RoomDefaults {
            config,
            auto_create: self.room.auto_create,
            peers_max: NetConfig::default().peers_max as u64,
        }
    }
    /// The longest signal message that is read; the protocol's bound stands above the configured one.
    pub(crate) fn signal_message_bytes_max(&self) -> usize {
        match self.limit.signal_message_size_limit {
            0 => limits::SIGNAL_MESSAGE_BYTES,
            configured => configured.min(limits::SIGNAL_MESSAGE_BYTES),
        }
    }

    /// `limit.*`; 0 stands for no limit beside that of the signal message.
    fn state_limits(&self) -> StateLimits {
        let bytes = |configured: usize| if configured == 0 { usize::MAX } else { configured };
        let limit = &self.limit;
        StateLimits {
            room_name_bytes: bytes(limit.max_room_name_length),
            identity_bytes: bytes(limit.max_participant_identity_length),
            name_bytes: bytes(limit.max_participant_name_length),
            metadata_bytes: bytes(limit.max_metadata_size),
            attributes_bytes: bytes(limit.max_attributes_size),
            custom_encoding_bytes: bytes(limit.max_data_track_custom_encoding_length),
        }
    }

    /// As above.
    fn blob_limits(&self) -> BlobLimits {
        let bytes = |configured: usize| if configured == 0 { usize::MAX } else { configured };
        BlobLimits {
            key_bytes: bytes(self.limit.max_data_blob_key_length),
            bytes: bytes(self.limit.max_data_blobs_size),
        }
    }
}
