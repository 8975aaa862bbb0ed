//! The first messages of a session: join and reconnect.

use std::sync::Arc;

use livekit_protocol as pb;

use super::required;
use crate::participant::ParticipantInfo;
use crate::signal::{DecodeError, IceServer, JoinResponse, ReconnectResponse};

/// In the order clients choose from: VP8 first, H264 second, other video, then audio (protocol §3.1).
const PUBLISH_CODECS: [&str; 9] = [
    "video/VP8",
    "video/H264",
    "video/VP9",
    "video/AV1",
    "video/H265",
    "audio/opus",
    "audio/red",
    "audio/PCMU",
    "audio/PCMA",
];

impl From<&JoinResponse> for pb::JoinResponse {
    fn from(join: &JoinResponse) -> Self {
        Self {
            room: Some((&join.room).into()),
            participant: Some(join.participant.as_ref().into()),
            other_participants: join.other_participants.iter().map(|info| info.as_ref().into()).collect(),
            server_version: join.server_version.clone(),
            ice_servers: ice_servers(&join.ice_servers),
            subscriber_primary: join.subscriber_primary,
            server_region: join.region.clone(),
            ping_timeout: join.ping_timeout_s,
            ping_interval: join.ping_interval_s,
            server_info: Some(server_info(join)),
            sif_trailer: join.sif_trailer.clone(),
            enabled_publish_codecs: PUBLISH_CODECS.into_iter().map(codec).collect(),
            fast_publish: join.fast_publish,
            ..Self::default()
        }
    }
}

impl TryFrom<pb::JoinResponse> for JoinResponse {
    type Error = DecodeError;

    fn try_from(join: pb::JoinResponse) -> Result<Self, DecodeError> {
        let server = join.server_info.unwrap_or_default();
        Ok(Self {
            room: required(join.room, "room")?.into(),
            participant: Arc::new(required(join.participant, "participant")?.try_into()?),
            other_participants: participants(join.other_participants)?,
            server_version: first(server.version, join.server_version),
            server_protocol: server.protocol,
            region: first(server.region, join.server_region),
            node_id: server.node_id,
            subscriber_primary: join.subscriber_primary,
            fast_publish: join.fast_publish,
            ping_interval_s: join.ping_interval,
            ping_timeout_s: join.ping_timeout,
            ice_servers: servers(join.ice_servers),
            sif_trailer: join.sif_trailer,
        })
    }
}

impl From<&ReconnectResponse> for pb::ReconnectResponse {
    fn from(reconnect: &ReconnectResponse) -> Self {
        let server_info = pb::ServerInfo {
            edition: pb::server_info::Edition::Standard.into(),
            version: reconnect.server_version.clone(),
            protocol: reconnect.server_protocol,
            region: reconnect.region.clone(),
            node_id: reconnect.node_id.clone(),
            ..pb::ServerInfo::default()
        };
        Self {
            ice_servers: ice_servers(&reconnect.ice_servers),
            client_configuration: None,
            server_info: Some(server_info),
            last_message_seq: reconnect.last_message_seq,
        }
    }
}

impl From<pb::ReconnectResponse> for ReconnectResponse {
    fn from(reconnect: pb::ReconnectResponse) -> Self {
        let server = reconnect.server_info.unwrap_or_default();
        Self {
            server_version: server.version,
            server_protocol: server.protocol,
            region: server.region,
            node_id: server.node_id,
            ice_servers: servers(reconnect.ice_servers),
            last_message_seq: reconnect.last_message_seq,
        }
    }
}

/// Participants as sent, in order.
pub(super) fn participants(
    infos: Vec<pb::ParticipantInfo>,
) -> Result<Vec<Arc<ParticipantInfo>>, DecodeError> {
    infos.into_iter().map(|info| info.try_into().map(Arc::new)).collect()
}

fn server_info(join: &JoinResponse) -> pb::ServerInfo {
    pb::ServerInfo {
        edition: pb::server_info::Edition::Standard.into(),
        version: join.server_version.clone(),
        protocol: join.server_protocol,
        region: join.region.clone(),
        node_id: join.node_id.clone(),
        ..pb::ServerInfo::default()
    }
}

fn codec(mime: &str) -> pb::Codec {
    pb::Codec { mime: mime.to_owned(), fmtp_line: String::new() }
}

fn ice_servers(servers: &[IceServer]) -> Vec<pb::IceServer> {
    let wire = |server: &IceServer| pb::IceServer {
        urls: server.urls.clone(),
        username: server.username.clone(),
        credential: server.credential.clone(),
    };
    servers.iter().map(wire).collect()
}

fn servers(wire: Vec<pb::IceServer>) -> Vec<IceServer> {
    let server = |pb::IceServer { urls, username, credential }| IceServer { urls, username, credential };
    wire.into_iter().map(server).collect()
}

fn first(preferred: String, legacy: String) -> String {
    if preferred.is_empty() { legacy } else { preferred }
}
