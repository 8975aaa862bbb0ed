//! A participant as its token and its own words make it (protocol §1.3, §2).

use trackyard_auth::{Claims, ParticipantKind, Verified, VideoGrant};
use trackyard_proto::join::JoinRequest;
use trackyard_proto::{DisconnectReason, Kind, ParticipantInfo, ParticipantState, Permission};

/// The sources a token names, by their numbers on the wire.
const SOURCES: [(&str, i32); 4] =
    [("camera", 1), ("microphone", 2), ("screen_share", 3), ("screen_share_audio", 4)];

/// A participant as it is when it joins, except for what the room gives it.
pub(super) fn first_face(claims: &Claims, request: &JoinRequest, now_ms: u64) -> ParticipantInfo {
    let permission = permission_of(&claims.video.clone().unwrap_or_default());
    let mut face = ParticipantInfo {
        sid: String::new(),
        identity: claims.identity.clone(),
        name: claims.name.clone(),
        state: ParticipantState::Joining,
        metadata: claims.metadata.clone(),
        attributes: claims.attributes.clone(),
        joined_at_ms: now_ms,
        version: 0,
        permission,
        region: String::new(),
        is_publisher: false,
        kind: kind_of(claims.kind),
        kind_details: claims.kind_details.iter().filter_map(|detail| kind_detail(detail)).collect(),
        disconnect_reason: DisconnectReason::default(),
        tracks: Vec::new(),
        data_tracks: Vec::new(),
        client_protocol: request.client.client_protocol,
        capabilities: request.client.capabilities.clone(),
    };
    if face.permission.can_update_metadata {
        merge_own_state(&mut face, request);
    }
    face
}

/// What a client says about itself goes over what its token says (protocol §1.3).
fn merge_own_state(face: &mut ParticipantInfo, request: &JoinRequest) {
    if !request.metadata.is_empty() {
        face.metadata.clone_from(&request.metadata);
    }
    let given = request.attributes.iter().filter(|(_, value)| !value.is_empty());
    face.attributes.extend(given.map(|(key, value)| (key.clone(), value.clone())));
}

/// A token that would bring the participant back as it is now.
pub(super) fn with_state_of(mut verified: Verified, face: &ParticipantInfo) -> Verified {
    let claims = &mut verified.claims;
    claims.name.clone_from(&face.name);
    claims.metadata.clone_from(&face.metadata);
    claims.attributes.clone_from(&face.attributes);
    verified
}

fn permission_of(grant: &VideoGrant) -> Permission {
    Permission {
        can_subscribe: grant.can_subscribe(),
        can_publish: grant.can_publish(),
        can_publish_data: grant.can_publish_data(),
        can_publish_sources: grant.can_publish_sources.iter().filter_map(|word| source(word)).collect(),
        hidden: grant.hidden,
        recorder: grant.recorder,
        can_update_metadata: grant.can_update_own_metadata(),
        agent: grant.agent,
        can_subscribe_metrics: grant.can_subscribe_metrics(),
    }
}

/// Makes a token's grant say what a participant may do now.
pub(super) fn write_grant(grant: &mut VideoGrant, permission: &Permission) {
    let named = SOURCES.iter().filter(|(_, number)| permission.can_publish_sources.contains(number));
    grant.can_publish_sources = named.map(|(name, _)| (*name).to_owned()).collect();
    grant.can_subscribe = Some(permission.can_subscribe);
    grant.can_publish = Some(permission.can_publish);
    grant.can_publish_data = Some(permission.can_publish_data);
    grant.hidden = permission.hidden;
    grant.recorder = permission.recorder;
    grant.can_update_own_metadata = Some(permission.can_update_metadata);
    grant.agent = permission.agent;
    grant.can_subscribe_metrics = Some(permission.can_subscribe_metrics);
}

fn source(word: &str) -> Option<i32> {
    SOURCES.iter().find(|(name, _)| *name == word).map(|(_, number)| *number)
}

fn kind_of(kind: ParticipantKind) -> Kind {
    match kind {
        ParticipantKind::Standard => Kind::Standard,
        ParticipantKind::Ingress => Kind::Ingress,
        ParticipantKind::Egress => Kind::Egress,
        ParticipantKind::Sip => Kind::Sip,
        ParticipantKind::Agent => Kind::Agent,
        ParticipantKind::Connector => Kind::Connector,
        ParticipantKind::Bridge => Kind::Bridge,
    }
}

/// Details by their numbers on the wire; unknown ones are left out.
fn kind_detail(word: &str) -> Option<i32> {
    const DETAILS: [&str; 6] =
        ["cloud_agent", "forwarded", "connector_whatsapp", "connector_twilio", "bridge_rtsp", "simulation"];
    let index = DETAILS.iter().position(|detail| detail.eq_ignore_ascii_case(word))?;
    i32::try_from(index).ok()
}
