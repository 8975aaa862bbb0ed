//! Golden messages: what we write, against the generated types filled by hand or plain bytes.

use std::collections::HashMap;
use std::sync::Arc;

use livekit_protocol as pb;
use pb::signal_response::Message;
use prost::Message as _;
use trackyard_proto::signal::{
    JoinResponse, LeaveAction, Reason, ReconnectResponse, SessionDescription, SignalTarget, Trickle,
};
use trackyard_proto::{
    DataTrackInfo, DisconnectReason, Encoding, Encryption, Outbound, ParticipantInfo, Request, Response,
};

use crate::samples::{self, join, participant, reconnect, room, track};

fn written(response: Response) -> Vec<u8> {
    Outbound::new(response).encode(Encoding::Binary).to_vec()
}

/// Compares decoded messages: the order of a map's entries is nobody's business.
fn check(response: Response, message: Message) {
    let frame = written(response);
    let read = pb::SignalResponse::decode(frame.as_slice()).unwrap();
    assert_eq!(read, pb::SignalResponse { message: Some(message.clone()) });
    assert_eq!(frame.len(), pb::SignalResponse { message: Some(message) }.encoded_len());
}

fn wire_track(handle: u32, name: &str) -> pb::DataTrackInfo {
    use pb::{data_track_frame_encoding as frame, data_track_schema_encoding as schema};
    pb::DataTrackInfo {
        pub_handle: handle,
        sid: format!("DTR_{name}"),
        name: name.to_owned(),
        encryption: pb::encryption::Type::Gcm as i32,
        frame_encoding: Some(pb::DataTrackFrameEncoding { value: Some(frame::Value::WellKnown(2)) }),
        schema: Some(pb::DataTrackSchemaId {
            name: "geometry_msgs/Pose".to_owned(),
            encoding: Some(pb::DataTrackSchemaEncoding {
                value: Some(schema::Value::Custom("mine".to_owned())),
            }),
        }),
    }
}

fn wire_participant() -> pb::ParticipantInfo {
    pb::ParticipantInfo {
        sid: "PA_abc".to_owned(),
        identity: "robot".to_owned(),
        state: pb::participant_info::State::Active as i32,
        metadata: "{}".to_owned(),
        joined_at: 1_700_000_000,
        joined_at_ms: 1_700_000_000_123,
        name: "Robot".to_owned(),
        version: 5,
        permission: Some(pb::ParticipantPermission {
            can_subscribe: true,
            can_publish: true,
            can_publish_data: true,
            can_publish_sources: vec![pb::TrackSource::Camera as i32, pb::TrackSource::Microphone as i32],
            can_update_metadata: true,
            ..pb::ParticipantPermission::default()
        }),
        region: "here".to_owned(),
        is_publisher: true,
        kind: pb::participant_info::Kind::Agent as i32,
        attributes: HashMap::from([("role".to_owned(), "arm".to_owned())]),
        kind_details: vec![pb::participant_info::KindDetail::Forwarded as i32],
        data_tracks: vec![wire_track(1, "pose"), wire_track(65_535, "lidar")],
        client_protocol: 2,
        capabilities: vec![
            pb::client_info::Capability::CapPacketTrailer as i32,
            pb::client_info::Capability::CapCompressionDeflateRaw as i32,
        ],
        ..pb::ParticipantInfo::default()
    }
}

fn wire_room() -> pb::Room {
    pb::Room {
        sid: "RM_abc".to_owned(),
        name: "yard".to_owned(),
        empty_timeout: 300,
        departure_timeout: 20,
        max_participants: 8,
        creation_time: 1_700_000_000,
        creation_time_ms: 1_700_000_000_999,
        metadata: "m".to_owned(),
        num_participants: 3,
        num_publishers: 2,
        active_recording: true,
        ..pb::Room::default()
    }
}

fn server_info() -> pb::ServerInfo {
    pb::ServerInfo {
        edition: pb::server_info::Edition::Standard as i32,
        version: "1.13.5".to_owned(),
        protocol: 17,
        region: "here".to_owned(),
        node_id: "ND_abc".to_owned(),
        ..pb::ServerInfo::default()
    }
}

#[test]
fn join_carries_everything_clients_unwrap_and_the_legacy_copies() {
    let codec = |mime: &str| pb::Codec { mime: mime.to_owned(), fmtp_line: String::new() };
    let codecs = [
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
    let expected = pb::JoinResponse {
        room: Some(wire_room()),
        participant: Some(wire_participant()),
        other_participants: vec![pb::ParticipantInfo { sid: "PA_other".to_owned(), ..wire_participant() }],
        server_version: "1.13.5".to_owned(),
        ice_servers: vec![pb::IceServer {
            urls: vec!["stun:stun.example.org:3478".to_owned()],
            ..pb::IceServer::default()
        }],
        subscriber_primary: true,
        server_region: "here".to_owned(),
        ping_timeout: 15,
        ping_interval: 5,
        server_info: Some(server_info()),
        sif_trailer: vec![0, 1, 254, 255],
        enabled_publish_codecs: codecs.into_iter().map(codec).collect(),
        fast_publish: true,
        ..pb::JoinResponse::default()
    };
    check(Response::Join(Box::new(join())), Message::Join(expected));
}

#[test]
fn publish_codecs_are_vp8_then_h264_then_video_then_audio_without_rtx() {
    let frame = written(Response::Join(Box::new(join())));
    let Some(Message::Join(join)) = pb::SignalResponse::decode(frame.as_slice()).unwrap().message else {
        panic!("not a join");
    };
    let mimes: Vec<_> = join.enabled_publish_codecs.iter().map(|codec| codec.mime.as_str()).collect();
    assert_eq!(mimes[..2], ["video/VP8", "video/H264"]);
    let audio = mimes.iter().position(|mime| mime.starts_with("audio/")).unwrap();
    assert!(mimes[audio..].iter().all(|mime| mime.starts_with("audio/")));
    assert!(mimes.iter().all(|mime| !mime.contains("rtx")));
}

#[test]
fn join_without_ice_urls_names_no_server_and_never_a_client_configuration() {
    let join = JoinResponse { ice_servers: Vec::new(), ..join() };
    let frame = written(Response::Join(Box::new(join)));
    let Some(Message::Join(join)) = pb::SignalResponse::decode(frame.as_slice()).unwrap().message else {
        panic!("not a join");
    };
    assert_eq!((join.ice_servers, join.client_configuration), (vec![], None));
}

#[test]
fn reconnect_carries_server_info_and_the_last_message() {
    let expected = pb::ReconnectResponse {
        ice_servers: vec![pb::IceServer {
            urls: vec!["turn:turn.example.org:3478?transport=udp".to_owned()],
            username: "user".to_owned(),
            credential: "credential".to_owned(),
        }],
        server_info: Some(server_info()),
        last_message_seq: 42,
        ..pb::ReconnectResponse::default()
    };
    check(Response::Reconnect(reconnect()), Message::Reconnect(expected));
    let empty = pb::ReconnectResponse {
        server_info: Some(pb::ServerInfo::default()),
        ..pb::ReconnectResponse::default()
    };
    check(Response::Reconnect(ReconnectResponse::default()), Message::Reconnect(empty));
}

#[test]
fn every_participant_carries_all_its_data_tracks_and_both_join_times() {
    let bare = ParticipantInfo { data_tracks: Vec::new(), ..participant() };
    let expected =
        vec![wire_participant(), pb::ParticipantInfo { data_tracks: Vec::new(), ..wire_participant() }];
    check(
        Response::Update(vec![Arc::new(participant()), Arc::new(bare)]),
        Message::Update(pb::ParticipantUpdate { participants: expected }),
    );
}

#[test]
fn room_update_always_carries_the_room() {
    check(
        Response::RoomUpdate(Arc::new(room())),
        Message::RoomUpdate(pb::RoomUpdate { room: Some(wire_room()) }),
    );
    let empty = pb::RoomUpdate { room: Some(pb::Room::default()) };
    check(Response::RoomUpdate(Arc::default()), Message::RoomUpdate(empty));
}

#[test]
fn description_type_is_exactly_offer_or_answer() {
    let wire = |word: &str| pb::SessionDescription {
        r#type: word.to_owned(),
        sdp: "v=0\r\n".to_owned(),
        id: 3,
        mid_to_track_id: HashMap::from([("1".to_owned(), "TR_x".to_owned())]),
    };
    check(Response::Offer(samples::description()), Message::Offer(wire("offer")));
    check(Response::Answer(samples::description()), Message::Answer(wire("answer")));
    assert_eq!(
        written(Response::Answer(SessionDescription { id: 1, sdp: "v".to_owned(), ..Default::default() })),
        b"\x12\x0d\x0a\x06answer\x12\x01v\x18\x01"
    );
}

#[test]
fn leave_tells_older_clients_whether_to_come_back() {
    let check_leave = |action, wire: pb::leave_request::Action, can_reconnect| {
        let expected = pb::LeaveRequest {
            can_reconnect,
            reason: pb::DisconnectReason::StateMismatch as i32,
            action: wire as i32,
            regions: None,
        };
        let reason = DisconnectReason::StateMismatch;
        check(Response::Leave { reason, action }, Message::Leave(expected));
    };
    check_leave(LeaveAction::Disconnect, pb::leave_request::Action::Disconnect, false);
    check_leave(LeaveAction::Resume, pb::leave_request::Action::Resume, true);
    check_leave(LeaveAction::Reconnect, pb::leave_request::Action::Reconnect, true);
}

#[test]
fn disconnect_reasons_have_the_protocols_numbers() {
    let number = |reason| {
        let frame = written(Response::Leave { reason, action: LeaveAction::Disconnect });
        match pb::SignalResponse::decode(frame.as_slice()).unwrap().message {
            Some(Message::Leave(leave)) => leave.reason,
            other => panic!("not a leave: {other:?}"),
        }
    };
    use DisconnectReason as R;
    let reasons = [
        R::Unknown,
        R::ClientInitiated,
        R::DuplicateIdentity,
        R::ServerShutdown,
        R::ParticipantRemoved,
        R::RoomDeleted,
        R::StateMismatch,
        R::JoinFailure,
        R::Migration,
        R::SignalClose,
        R::RoomClosed,
        R::UserUnavailable,
        R::UserRejected,
        R::SipTrunkFailure,
        R::ConnectionTimeout,
        R::MediaFailure,
        R::AgentError,
    ];
    assert!(reasons.into_iter().map(number).eq(0..=16));
}

#[test]
fn refusal_reasons_have_the_protocols_numbers() {
    let number = |reason| {
        let response =
            Response::RequestResponse { request_id: 0, reason, message: String::new(), echo: None };
        match pb::SignalResponse::decode(written(response).as_slice()).unwrap().message {
            Some(Message::RequestResponse(response)) => response.reason,
            other => panic!("not a request response: {other:?}"),
        }
    };
    use Reason as R;
    let reasons = [
        R::Ok,
        R::NotFound,
        R::NotAllowed,
        R::LimitExceeded,
        R::Queued,
        R::UnsupportedType,
        R::UnclassifiedError,
        R::InvalidHandle,
        R::InvalidName,
        R::DuplicateHandle,
        R::DuplicateName,
        R::InvalidRequest,
    ];
    assert!(reasons.into_iter().map(number).eq(0..=11));
}

#[test]
fn a_refused_publication_echoes_the_whole_request() {
    let request = pb::PublishDataTrackRequest {
        pub_handle: 70_000,
        name: "x".repeat(300),
        encryption: 9,
        frame_encoding: Some(pb::DataTrackFrameEncoding { value: None }),
        schema: Some(pb::DataTrackSchemaId { name: String::new(), encoding: None }),
    };
    let message = pb::signal_request::Message::PublishDataTrackRequest(request.clone());
    let frame = pb::SignalRequest { message: Some(message) }.encode_to_vec();
    let Ok(Some(Request::PublishDataTrack(publish))) = Request::decode(&frame, Encoding::Binary) else {
        panic!("not a publication");
    };
    assert_eq!(publish.encryption, Encryption::Custom, "what is unknown is not passed on as in the clear");
    let refusal = Response::RequestResponse {
        request_id: 0,
        reason: Reason::InvalidHandle,
        message: "no".to_owned(),
        echo: Some(publish.echo),
    };
    let expected = pb::RequestResponse {
        request_id: 0,
        reason: pb::request_response::Reason::InvalidHandle as i32,
        message: "no".to_owned(),
        request: Some(pb::request_response::Request::PublishDataTrack(request)),
    };
    check(refusal, Message::RequestResponse(expected));
}

#[test]
fn a_refused_unpublication_echoes_the_handle() {
    let Request::UnpublishDataTrack { echo, .. } = Request::unpublish_data_track(9) else { unreachable!() };
    assert_eq!((echo.data_track_handle(), echo.name()), (Some(9), "unpublish_data_track"));
    let refusal = Response::RequestResponse {
        request_id: 0,
        reason: Reason::NotFound,
        message: String::new(),
        echo: Some(echo),
    };
    assert_eq!(written(refusal), [0xb2, 0x01, 0x06, 0x10, 0x01, 0x5a, 0x02, 0x08, 0x09]);
}

#[test]
fn subscriber_handles_map_each_handle_to_its_track() {
    let Some(handles) =
        samples::responses().into_iter().find(|r| matches!(r, Response::SubscriberHandles(_)))
    else {
        unreachable!()
    };
    let track = pb::data_track_subscriber_handles::PublishedDataTrack {
        publisher_identity: "robot".to_owned(),
        publisher_sid: "PA_abc".to_owned(),
        track_sid: "DTR_pose".to_owned(),
    };
    let sub_handles = HashMap::from([(1, track.clone()), (65_535, track)]);
    check(handles, Message::DataTrackSubscriberHandles(pb::DataTrackSubscriberHandles { sub_handles }));
}

#[test]
fn track_responses_carry_the_whole_info() {
    let info = || Some(wire_track(1, "pose"));
    check(
        Response::DataTrackPublished(track(1, "pose").into()),
        Message::PublishDataTrackResponse(pb::PublishDataTrackResponse { info: info() }),
    );
    check(
        Response::DataTrackUnpublished(track(1, "pose")),
        Message::UnpublishDataTrackResponse(pb::UnpublishDataTrackResponse { info: info() }),
    );
    let plain = DataTrackInfo {
        encryption: Encryption::None,
        frame_encoding: None,
        schema: None,
        ..track(7, "a").as_ref().clone()
    };
    let bytes = b"\xda\x01\x0e\x0a\x0c\x08\x07\x12\x05DTR_a\x1a\x01a";
    assert_eq!(written(Response::DataTrackPublished(Arc::new(plain).into())), bytes);
}

#[test]
fn candidates_are_written_with_text_mid_and_line_index() {
    let trickle = Trickle::new(SignalTarget::Publisher, samples::CANDIDATE, "2", 1, false);
    let init: serde_json::Value = serde_json::from_str(&trickle.candidate_init).unwrap();
    let expected = serde_json::json!({ "candidate": samples::CANDIDATE, "sdpMid": "2", "sdpMLineIndex": 1 });
    assert_eq!(init, expected);
    let wire =
        pb::TrickleRequest { candidate_init: trickle.candidate_init.clone(), target: 0, r#final: false };
    check(Response::Trickle(trickle), Message::Trickle(wire));
    let last = samples::trickle();
    let wire = pb::TrickleRequest { candidate_init: last.candidate_init.clone(), target: 1, r#final: true };
    check(Response::Trickle(last), Message::Trickle(wire));
}

#[test]
fn pongs_are_plain_numbers() {
    assert_eq!(written(Response::Pong(300)), [0x90, 0x01, 0xac, 0x02]);
    let pong = Response::PongResp { last_ping_timestamp: 1, timestamp: 2 };
    assert_eq!(written(pong), [0xa2, 0x01, 0x04, 0x08, 0x01, 0x10, 0x02]);
    assert_eq!(written(Response::RefreshToken("t".to_owned())), [0x82, 0x01, 0x01, b't']);
    let sections = Response::MediaSectionsRequirement { audios: 0, videos: 0 };
    assert_eq!(written(sections), [0xca, 0x01, 0x00]);
}
