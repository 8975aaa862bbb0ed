//! Messages that other files take as their starting point.

use std::collections::BTreeMap;
use std::sync::Arc;

use trackyard_proto::client::{ClientInfo, ConnectionSettings};
use trackyard_proto::join::JoinRequest;
use trackyard_proto::signal::{
    DataSubscription, IceServer, JoinResponse, LeaveAction, LeaveRequest, MetadataUpdate, PublishDataTrack,
    PublishedTrack, Reason, ReceiveState, ReconnectResponse, SessionDescription, SignalTarget,
    SubscriberHandle, SubscriptionOptions, SubscriptionPermission, SyncState, TrackPermission, Trickle,
};
use trackyard_proto::{
    DataBlob, DataBlobKey, DataTrackInfo, DisconnectReason, Encryption, FrameEncoding, Kind, ParticipantInfo,
    ParticipantState, Permission, Request, Response, RoomInfo, Schema, SchemaEncoding,
};

pub(crate) const CANDIDATE: &str = "candidate:1 1 udp 2130706431 192.0.2.1 7882 typ host";

pub(crate) fn track(handle: u16, name: &str) -> Arc<DataTrackInfo> {
    Arc::new(DataTrackInfo {
        pub_handle: handle,
        sid: format!("DTR_{name}"),
        name: name.to_owned(),
        encryption: Encryption::Gcm,
        frame_encoding: Some(FrameEncoding::WellKnown(2)),
        schema: Some(Schema {
            name: "geometry_msgs/Pose".to_owned(),
            encoding: Some(SchemaEncoding::Custom("mine".to_owned())),
        }),
    })
}

pub(crate) fn permission() -> Permission {
    Permission {
        can_subscribe: true,
        can_publish: true,
        can_publish_data: true,
        can_publish_sources: vec![1, 2],
        hidden: false,
        recorder: false,
        can_update_metadata: true,
        agent: false,
        can_subscribe_metrics: false,
    }
}

pub(crate) fn participant() -> ParticipantInfo {
    ParticipantInfo {
        sid: "PA_abc".to_owned(),
        identity: "robot".to_owned(),
        name: "Robot".to_owned(),
        state: ParticipantState::Active,
        metadata: "{}".to_owned(),
        attributes: BTreeMap::from([("role".to_owned(), "arm".to_owned())]),
        joined_at_ms: 1_700_000_000_123,
        version: 5,
        permission: permission(),
        region: "here".to_owned(),
        is_publisher: true,
        kind: Kind::Agent,
        kind_details: vec![1],
        disconnect_reason: DisconnectReason::Unknown,
        tracks: Vec::new(),
        data_tracks: vec![track(1, "pose"), track(65_535, "lidar")],
        client_protocol: 2,
        capabilities: vec![1, 2],
    }
}

pub(crate) fn room() -> RoomInfo {
    RoomInfo {
        sid: "RM_abc".to_owned(),
        name: "yard".to_owned(),
        empty_timeout_s: 300,
        departure_timeout_s: 20,
        max_participants: 8,
        creation_time_ms: 1_700_000_000_999,
        metadata: "m".to_owned(),
        num_participants: 3,
        num_publishers: 2,
        active_recording: true,
    }
}

pub(crate) fn join() -> JoinResponse {
    JoinResponse {
        room: room(),
        participant: Arc::new(participant()),
        other_participants: vec![Arc::new(ParticipantInfo { sid: "PA_other".to_owned(), ..participant() })],
        server_version: "1.13.5".to_owned(),
        server_protocol: 17,
        region: "here".to_owned(),
        node_id: "ND_abc".to_owned(),
        subscriber_primary: true,
        fast_publish: true,
        ping_interval_s: 5,
        ping_timeout_s: 15,
        ice_servers: IceServer::open(&["stun:stun.example.org:3478".to_owned()]),
        sif_trailer: vec![0, 1, 254, 255],
    }
}

pub(crate) fn reconnect() -> ReconnectResponse {
    ReconnectResponse {
        server_version: "1.13.5".to_owned(),
        server_protocol: 17,
        region: "here".to_owned(),
        node_id: "ND_abc".to_owned(),
        ice_servers: vec![IceServer {
            urls: vec!["turn:turn.example.org:3478?transport=udp".to_owned()],
            username: "user".to_owned(),
            credential: "credential".to_owned(),
        }],
        last_message_seq: 42,
    }
}

pub(crate) fn description() -> SessionDescription {
    SessionDescription {
        id: 3,
        sdp: "v=0\r\n".to_owned(),
        mid_to_track_id: BTreeMap::from([("1".to_owned(), "TR_x".to_owned())]),
    }
}

pub(crate) fn trickle() -> Trickle {
    Trickle::new(SignalTarget::Subscriber, CANDIDATE, "0", 0, true)
}

pub(crate) fn subscription() -> DataSubscription {
    DataSubscription {
        track_sid: "DTR_pose".to_owned(),
        subscribe: true,
        options: SubscriptionOptions { target_fps: Some(30), ..SubscriptionOptions::default() },
    }
}

pub(crate) fn publish() -> PublishDataTrack {
    let track = track(7, "pose");
    PublishDataTrack::new(7, "pose")
        .with_encryption(Encryption::Gcm)
        .with_frame_encoding(track.frame_encoding.clone().unwrap())
        .with_schema(track.schema.clone().unwrap())
}

pub(crate) fn join_request() -> JoinRequest {
    JoinRequest {
        client: ClientInfo {
            sdk: "python".to_owned(),
            version: "1.2.0".to_owned(),
            protocol: 17,
            client_protocol: 2,
            capabilities: vec![1, 2],
            os: "linux".to_owned(),
            browser: "Firefox".to_owned(),
        },
        settings: ConnectionSettings { auto_subscribe: true, ..ConnectionSettings::default() },
        metadata: "m".to_owned(),
        attributes: BTreeMap::from([("role".to_owned(), "arm".to_owned())]),
        publisher_offer: Some(description()),
        add_tracks: Vec::new(),
        reconnect: true,
        participant_sid: "PA_abc".to_owned(),
    }
}

/// One request of every kind.
pub(crate) fn requests() -> Vec<Request> {
    let sync_state = SyncState {
        publish_tracks: vec!["TR_x".to_owned(), "cid".to_owned()],
        publish_data_tracks: vec![Some("DTR_pose".to_owned()), None],
        data_subscription: vec![subscription()],
        receive_states: vec![ReceiveState { publisher_sid: "PA_abc".to_owned(), last_sequence: 7 }],
    };
    let permission = TrackPermission {
        participant_sid: "PA_abc".to_owned(),
        participant_identity: "robot".to_owned(),
        all_tracks: false,
        track_sids: vec!["DTR_pose".to_owned()],
    };
    let metadata = MetadataUpdate::new(9)
        .with_name("n")
        .with_metadata("m")
        .with_attributes(BTreeMap::from([("k".to_owned(), String::new())]));
    vec![
        Request::Offer(description()),
        Request::Answer(description()),
        Request::Trickle(trickle()),
        Request::add_track("cid"),
        Request::Leave(LeaveRequest { reason: DisconnectReason::UserRejected }),
        Request::Ping(-1),
        Request::PingReq { timestamp: 1_700_000_000_000, rtt: 20 },
        Request::SyncState(Box::new(sync_state)),
        Request::UpdateMetadata(metadata),
        Request::PublishDataTrack(publish()),
        Request::unpublish_data_track(70_000),
        Request::UpdateDataSubscription(vec![subscription()]),
        Request::SubscriptionPermission(SubscriptionPermission {
            all_participants: false,
            track_permissions: vec![permission],
        }),
        Request::StoreDataBlob { request_id: 4, blob: Some(blob()) },
        Request::GetDataBlob {
            request_id: 5,
            identity: "ada".to_owned(),
            key: Some(DataBlobKey::Generic("calibration".to_owned())),
        },
    ]
}

fn blob() -> DataBlob {
    let encoding = Some(SchemaEncoding::WellKnown(3));
    let key = DataBlobKey::Schema(Schema { name: "Pose".to_owned(), encoding });
    DataBlob { key: Some(key), contents: bytes::Bytes::from_static(b"float64 x") }
}

/// One response of every kind.
pub(crate) fn responses() -> Vec<Response> {
    let handle = |handle| SubscriberHandle {
        handle,
        track: PublishedTrack {
            publisher_identity: "robot".to_owned(),
            publisher_sid: "PA_abc".to_owned(),
            track_sid: "DTR_pose".to_owned(),
        },
    };
    let refusal = |echo| Response::RequestResponse {
        request_id: 0,
        reason: Reason::DuplicateName,
        message: "taken".to_owned(),
        echo,
    };
    let echo_of_publish = publish().echo;
    let echo_of_media = trackyard_proto::signal::Echo::from(&trickle());
    vec![
        Response::Join(Box::new(join())),
        Response::Reconnect(reconnect()),
        Response::Offer(description()),
        Response::Answer(description()),
        Response::Trickle(trickle()),
        Response::Update(vec![Arc::new(participant())]),
        Response::RoomUpdate(Arc::new(room())),
        refusal(Some(echo_of_publish)),
        refusal(Some(echo_of_media)),
        refusal(None),
        Response::DataTrackPublished(track(1, "pose").into()),
        Response::DataTrackUnpublished(track(1, "pose")),
        Response::SubscriberHandles(vec![handle(1), handle(65_535)]),
        Response::SubscriptionPermissionUpdate {
            participant_sid: "PA_abc".to_owned(),
            track_sid: "DTR_pose".to_owned(),
            allowed: true,
        },
        Response::MediaSectionsRequirement { audios: 0, videos: 2 },
        Response::RefreshToken("a.b.c".to_owned()),
        Response::Pong(7),
        Response::DataBlobStored { request_id: 4, key: blob().key.expect("it has one") },
        Response::DataBlob { request_id: 5, blob: blob() },
        Response::PongResp { last_ping_timestamp: 1, timestamp: 2 },
        Response::Leave { reason: DisconnectReason::StateMismatch, action: LeaveAction::Reconnect },
    ]
}
