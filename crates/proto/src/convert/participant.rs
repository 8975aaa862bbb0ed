//! Participants and what they may do.

use std::sync::Arc;

use livekit_protocol as pb;

use super::enums::FromNumber;
use super::{signed, unix_ms};
use crate::data_track::DataTrackInfo;
use crate::participant::{DisconnectReason, Kind, ParticipantInfo, ParticipantState, Permission};
use crate::signal::DecodeError;

impl From<&ParticipantInfo> for pb::ParticipantInfo {
    fn from(info: &ParticipantInfo) -> Self {
        Self {
            sid: info.sid.clone(),
            identity: info.identity.clone(),
            state: info.state.number(),
            tracks: info.tracks.iter().map(|track| track.as_ref().into()).collect(),
            metadata: info.metadata.clone(),
            joined_at: signed(info.joined_at_ms / 1000),
            joined_at_ms: signed(info.joined_at_ms),
            name: info.name.clone(),
            version: info.version,
            permission: Some((&info.permission).into()),
            region: info.region.clone(),
            is_publisher: info.is_publisher,
            kind: info.kind.number(),
            attributes: info.attributes.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
            disconnect_reason: info.disconnect_reason.number(),
            kind_details: info.kind_details.clone(),
            data_tracks: info.data_tracks.iter().map(|track| track.as_ref().into()).collect(),
            client_protocol: info.client_protocol,
            capabilities: info.capabilities.clone(),
        }
    }
}

impl TryFrom<pb::ParticipantInfo> for ParticipantInfo {
    type Error = DecodeError;

    fn try_from(info: pb::ParticipantInfo) -> Result<Self, DecodeError> {
        Ok(Self {
            sid: info.sid,
            identity: info.identity,
            name: info.name,
            state: ParticipantState::from_number(info.state),
            metadata: info.metadata,
            attributes: info.attributes.into_iter().collect(),
            joined_at_ms: unix_ms(info.joined_at_ms, info.joined_at),
            version: info.version,
            permission: info.permission.unwrap_or_default().into(),
            region: info.region,
            is_publisher: info.is_publisher,
            kind: Kind::from_number(info.kind),
            kind_details: info.kind_details,
            disconnect_reason: DisconnectReason::from_number(info.disconnect_reason),
            tracks: info.tracks.into_iter().map(|track| Arc::new(track.into())).collect(),
            data_tracks: data_tracks(info.data_tracks)?,
            client_protocol: info.client_protocol,
            capabilities: info.capabilities,
        })
    }
}

#[allow(deprecated, reason = "older clients read the flags that `kind` has replaced")]
impl From<&Permission> for pb::ParticipantPermission {
    fn from(permission: &Permission) -> Self {
        Self {
            can_subscribe: permission.can_subscribe,
            can_publish: permission.can_publish,
            can_publish_data: permission.can_publish_data,
            can_publish_sources: permission.can_publish_sources.clone(),
            hidden: permission.hidden,
            recorder: permission.recorder,
            can_update_metadata: permission.can_update_metadata,
            agent: permission.agent,
            can_subscribe_metrics: permission.can_subscribe_metrics,
            can_manage_agent_session: false,
        }
    }
}

#[allow(deprecated, reason = "older servers fill only the flags that `kind` has replaced")]
impl From<pb::ParticipantPermission> for Permission {
    fn from(permission: pb::ParticipantPermission) -> Self {
        Self {
            can_subscribe: permission.can_subscribe,
            can_publish: permission.can_publish,
            can_publish_data: permission.can_publish_data,
            can_publish_sources: permission.can_publish_sources,
            hidden: permission.hidden,
            recorder: permission.recorder,
            can_update_metadata: permission.can_update_metadata,
            agent: permission.agent,
            can_subscribe_metrics: permission.can_subscribe_metrics,
        }
    }
}

fn data_tracks(tracks: Vec<pb::DataTrackInfo>) -> Result<Vec<Arc<DataTrackInfo>>, DecodeError> {
    tracks.into_iter().map(|track| track.try_into().map(Arc::new)).collect()
}
