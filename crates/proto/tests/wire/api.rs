//! The server API: as official servers and backends write it, in both directions.

use std::collections::BTreeMap;
use std::sync::Arc;

use livekit_protocol as pb;
use prost::Message as _;
use serde_json::{Value, json};
use trackyard_proto::api::{
    AgentDispatch, ApiError, Code, CreateRoom, DeleteRoom, Empty, ListParticipants, ListParticipantsAnswer,
    ListRooms, ListRoomsAnswer, Message, MetadataRevision, Method, MuteTrack, MuteTrackAnswer, ParticipantId,
    ParticipantTracks, PatchRoomMetadata, PerformRpc, PerformRpcAnswer, SendData, ToOtherRoom,
    UpdateParticipant, UpdateRoomMetadata, UpdateSubscriptions,
};
use trackyard_proto::media_track::{TrackCodec, TrackInfo, TrackKind, VideoLayer};
use trackyard_proto::signal::DecodeError;
use trackyard_proto::{Encoding, Encryption, PacketKind, ParticipantInfo, RoomInfo};

use crate::mutation::mutated;
use crate::samples;

fn tags() -> BTreeMap<String, String> {
    BTreeMap::from([("team".to_owned(), "arm".to_owned()), ("site_name".to_owned(), String::new())])
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn create_room() -> CreateRoom {
    CreateRoom {
        name: "yard".into(),
        room_preset: "preset".into(),
        empty_timeout_s: 60,
        departure_timeout_s: 5,
        max_participants: 7,
        node_id: "ND_x".into(),
        metadata: "m".into(),
        tags: tags(),
        egress: true,
        min_playout_delay_ms: 1,
        max_playout_delay_ms: 2,
        sync_streams: true,
        agents: vec![AgentDispatch { agent_name: "a".into(), metadata: "m".into() }],
    }
}

fn send_data() -> SendData {
    SendData {
        room: "yard".into(),
        data: vec![0, 255, 7],
        kind: PacketKind::Lossy,
        destination_sids: texts(&["PA_a"]),
        destination_identities: texts(&["ada", "bob"]),
        topic: Some("t".into()),
        nonce: vec![9; 16],
    }
}

fn update_participant() -> UpdateParticipant {
    UpdateParticipant {
        room: "yard".into(),
        identity: "ada".into(),
        metadata: "m".into(),
        permission: Some(samples::permission()),
        name: "Ada".into(),
        attributes: tags(),
    }
}

fn subscriptions() -> UpdateSubscriptions {
    UpdateSubscriptions {
        room: "yard".into(),
        identity: "ada".into(),
        track_sids: texts(&["TR_a"]),
        subscribe: true,
        participant_tracks: vec![ParticipantTracks {
            participant_sid: "PA_b".into(),
            track_sids: texts(&["DTR_b"]),
        }],
    }
}

fn media_track() -> TrackInfo {
    let layer = VideoLayer {
        quality: 2,
        width: 640,
        height: 360,
        bitrate: 100_000,
        ssrc: 5,
        spatial_layer: 1,
        rid: "h".into(),
        repair_ssrc: 6,
    };
    let codec = TrackCodec {
        mime_type: "video/VP8".into(),
        mid: "1".into(),
        cid: "c".into(),
        layers: vec![layer.clone()],
        video_layer_mode: 1,
        sdp_cid: "s".into(),
    };
    TrackInfo {
        sid: "TR_a".into(),
        kind: TrackKind::Video,
        name: "front".into(),
        muted: true,
        width: 1280,
        height: 720,
        simulcast: true,
        disable_dtx: true,
        source: 1,
        layers: vec![layer],
        mime_type: "video/VP8".into(),
        mid: "1".into(),
        codecs: vec![codec],
        stereo: true,
        disable_red: true,
        encryption: Encryption::Gcm,
        stream: "camera".into(),
        audio_features: vec![1],
        backup_codec_policy: 1,
        packet_trailer_features: vec![1],
    }
}

fn participant() -> ParticipantInfo {
    ParticipantInfo { tracks: vec![Arc::new(media_track())], ..samples::participant() }
}

/// What is written in either encoding is read as what it was.
fn check<M: Message + PartialEq + std::fmt::Debug>(message: &M) {
    for encoding in [Encoding::Binary, Encoding::Json] {
        let body = message.encode(encoding);
        let read = M::decode(&body, encoding);
        assert_eq!(
            read.as_ref().ok(),
            Some(message),
            "{encoding:?} {read:?} {}",
            String::from_utf8_lossy(&body)
        );
    }
}

#[test]
fn every_request_is_read_as_it_was_written() {
    let (room, identity) = ("yard".to_owned(), "ada".to_owned());
    check(&create_room());
    check(&CreateRoom::default());
    check(&ListRooms { names: texts(&["a", "b"]) });
    check(&DeleteRoom { room: room.clone() });
    check(&ListParticipants { room: room.clone() });
    check(&ParticipantId { room: room.clone(), identity: identity.clone(), revoke_token_ts: -5 });
    check(&MuteTrack {
        room: room.clone(),
        identity: identity.clone(),
        track_sid: "TR_a".into(),
        muted: true,
    });
    check(&update_participant());
    check(&UpdateParticipant::default());
    check(&subscriptions());
    check(&send_data());
    check(&SendData::default());
    check(&UpdateRoomMetadata { room: room.clone(), metadata: "m".into() });
    check(&ToOtherRoom { room: room.clone(), identity: identity.clone(), destination_room: "lab".into() });
    check(&PerformRpc {
        room: room.clone(),
        destination_identity: identity,
        method: "m".into(),
        payload: "p".into(),
        response_timeout_ms: 500,
    });
    check(&PatchRoomMetadata { room, patch: json!({"a": {"b": null}}), if_revision: Some(3) });
}

#[test]
fn every_answer_is_read_as_it_was_written() {
    check(&Empty);
    check(&samples::room());
    check(&participant());
    check(&ListRoomsAnswer { rooms: vec![Arc::new(samples::room()), Arc::new(RoomInfo::default())] });
    check(&ListParticipantsAnswer { participants: vec![Arc::new(participant())] });
    check(&MuteTrackAnswer { track: Some(media_track()) });
    check(&MuteTrackAnswer { track: None });
    check(&PerformRpcAnswer { payload: "p".into() });
    check(&MetadataRevision { metadata: "{}".into(), revision: u64::MAX });
}

/// As livekit-server 1.13.5 wrote it about a participant of the official Python SDK.
const OFFICIAL_PARTICIPANT: &str = r#"{"sid":"PA_cBvJgB4xR6TH", "identity":"bob", "state":"ACTIVE", "tracks":[], "metadata":"mm", "joined_at":"1795272111", "joined_at_ms":"1795272111314", "name":"Bob", "version":6, "permission":{"can_subscribe":true, "can_publish":true, "can_publish_data":true, "can_publish_sources":[], "hidden":false, "recorder":false, "can_update_metadata":true, "agent":false, "can_subscribe_metrics":false, "can_manage_agent_session":false}, "region":"", "is_publisher":true, "kind":"STANDARD", "attributes":{"k":"v"}, "disconnect_reason":"UNKNOWN_REASON", "kind_details":[], "data_tracks":[{"pub_handle":1, "sid":"DTR_CtC9zMmMgFE2", "name":"pose", "encryption":"NONE"}], "client_protocol":2, "capabilities":["CAP_PACKET_TRAILER", "CAP_COMPRESSION_DEFLATE_RAW"]}"#;

/// The same about a room; its codecs and its password are of no use where there is no media.
const OFFICIAL_ROOM: &str = r#"{"sid":"RM_ixiq38EAvRE6", "name":"r1", "empty_timeout":5000, "departure_timeout":20, "max_participants":7, "creation_time":"1795271948", "creation_time_ms":"1795271948498", "turn_password":"", "enabled_codecs":[], "metadata":"m", "num_participants":0, "num_publishers":0, "active_recording":false, "version":null}"#;

#[test]
fn json_of_official_servers_is_written_field_by_field() {
    let same = |text: &str, written: Vec<u8>| {
        let written: Value = serde_json::from_slice(&written).unwrap();
        assert_eq!(written, serde_json::from_str::<Value>(text).unwrap());
    };
    let participant = ParticipantInfo::decode(OFFICIAL_PARTICIPANT.as_bytes(), Encoding::Json).unwrap();
    assert_eq!((participant.version, participant.client_protocol), (6, 2));
    same(OFFICIAL_PARTICIPANT, participant.encode(Encoding::Json));
    let room = RoomInfo::decode(OFFICIAL_ROOM.as_bytes(), Encoding::Json).unwrap();
    assert_eq!((room.empty_timeout_s, room.creation_time_ms), (5_000, 1_795_271_948_498));
    same(OFFICIAL_ROOM, room.encode(Encoding::Json));
    same(r#"{"participants":[]}"#, ListParticipantsAnswer::default().encode(Encoding::Json));
    same(r#"{"rooms":[]}"#, ListRoomsAnswer::default().encode(Encoding::Json));
    same(r#"{"track":null}"#, MuteTrackAnswer::default().encode(Encoding::Json));
    same("{}", Empty.encode(Encoding::Json));
}

#[test]
fn keys_of_attributes_are_data_and_no_names() {
    let info = ParticipantInfo {
        attributes: BTreeMap::from([("snake_case".into(), "1".into()), ("camelCase".into(), "2".into())]),
        ..samples::participant()
    };
    let written: Value = serde_json::from_slice(&info.encode(Encoding::Json)).unwrap();
    assert_eq!(written["attributes"], json!({"snake_case": "1", "camelCase": "2"}));
}

#[test]
fn a_number_that_json_cannot_spell_is_left_out() {
    let info = ParticipantInfo { capabilities: vec![1, 99], ..samples::participant() };
    let written: Value = serde_json::from_slice(&info.encode(Encoding::Json)).unwrap();
    assert_eq!(written["capabilities"], json!(["CAP_PACKET_TRAILER"]));
    let track = TrackInfo { source: 77, audio_features: vec![-1], ..media_track() };
    let written: Value =
        serde_json::from_slice(&MuteTrackAnswer { track: Some(track) }.encode(Encoding::Json)).unwrap();
    assert_eq!(
        (&written["track"]["source"], &written["track"]["audio_features"]),
        (&json!("UNKNOWN"), &json!([]))
    );
}

#[test]
fn protobuf_is_that_of_the_schema() {
    let read = pb::CreateRoomRequest::decode(create_room().encode(Encoding::Binary).as_slice()).unwrap();
    let dispatch =
        pb::RoomAgentDispatch { agent_name: "a".into(), metadata: "m".into(), ..Default::default() };
    let expected = pb::CreateRoomRequest {
        name: "yard".into(),
        room_preset: "preset".into(),
        empty_timeout: 60,
        departure_timeout: 5,
        max_participants: 7,
        node_id: "ND_x".into(),
        metadata: "m".into(),
        tags: tags().into_iter().collect(),
        egress: read.egress.clone(),
        min_playout_delay: 1,
        max_playout_delay: 2,
        sync_streams: true,
        replay_enabled: false,
        agents: vec![dispatch],
    };
    assert!(read.egress.is_some());
    assert_eq!(read, expected);
    let read = pb::SendDataRequest::decode(send_data().encode(Encoding::Binary).as_slice()).unwrap();
    assert_eq!((read.kind, read.topic.as_deref()), (pb::data_packet::Kind::Lossy as i32, Some("t")));
    let read = pb::Room::decode(samples::room().encode(Encoding::Binary).as_slice()).unwrap();
    assert_eq!((read.creation_time, read.creation_time_ms), (1_700_000_000, 1_700_000_000_999));
    let read = pb::MuteRoomTrackResponse::decode(
        MuteTrackAnswer { track: Some(media_track()) }.encode(Encoding::Binary).as_slice(),
    );
    assert_eq!(read.unwrap().track.unwrap().codecs[0].layers[0].rid, "h");
}

#[test]
fn json_is_read_in_every_form_that_the_mapping_allows() {
    let expected =
        CreateRoom { name: "yard".into(), empty_timeout_s: 60, tags: tags(), ..CreateRoom::default() };
    for text in [
        r#"{"name":"yard","empty_timeout":60,"tags":{"team":"arm","site_name":""}}"#,
        r#"{"name":"yard","emptyTimeout":"60","tags":{"team":"arm","site_name":""},"future":{"a":[1,{}]}}"#,
        r#"{"name":"yard","emptyTimeout":60,"maxParticipants":null,"metadata":null,"agents":null,"egress":null,"tags":{"team":"arm","site_name":""}}"#,
        r#"{"name":"yard","emptyTimeout":60,"egress":{},"tags":{"team":"arm","site_name":""}}"#,
    ] {
        assert_eq!(
            CreateRoom::decode(text.as_bytes(), Encoding::Json).ok().as_ref(),
            Some(&expected),
            "{text}"
        );
    }
    let sent = SendData::decode(br#"{"data":"AP8H","kind":"LOSSY","topic":"t","nonce":""}"#, Encoding::Json)
        .unwrap();
    assert_eq!(
        (sent.data.as_slice(), sent.kind, sent.topic.as_deref()),
        (&[0, 255, 7][..], PacketKind::Lossy, Some("t"))
    );
    let who = ParticipantId::decode(br#"{"revokeTokenTs":"-5"}"#, Encoding::Json).unwrap();
    assert_eq!(who.revoke_token_ts, -5);
    let patch = PatchRoomMetadata::decode(br#"{"room":"r","ifRevision":3,"x":1}"#, Encoding::Json).unwrap();
    assert_eq!((patch.if_revision, patch.patch), (Some(3), json!({})));
}

#[test]
fn what_is_no_message_is_refused() {
    for text in [
        "",
        "null",
        "[]",
        "7",
        "{",
        r#"{"name":5}"#,
        r#"{"maxParticipants":-1}"#,
        r#"{"maxParticipants":1.5}"#,
    ] {
        assert!(CreateRoom::decode(text.as_bytes(), Encoding::Json).is_err(), "{text}");
    }
    for text in [r#"{"name":"a","name":"b"}"#, r#"{"emptyTimeout":1,"empty_timeout":2}"#] {
        assert!(CreateRoom::decode(text.as_bytes(), Encoding::Json).is_err(), "{text}");
    }
    assert!(CreateRoom::decode(&[0xff], Encoding::Binary).is_err());
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(PatchRoomMetadata::decode(format!(r#"{{"patch":{deep}}}"#).as_bytes(), Encoding::Json).is_err());
}

#[test]
fn bytes_and_parts_are_bounded() {
    let long = vec![b' '; 10 * 1024 * 1024 + 1];
    for encoding in [Encoding::Binary, Encoding::Json] {
        assert!(matches!(ListRooms::decode(&long, encoding), Err(DecodeError::TooLarge { .. })));
    }
    let many = |part: &[u8]| part.repeat(300_000);
    let names = many(&[0x0a, 0x00]);
    assert!(matches!(ListRooms::decode(&names, Encoding::Binary), Err(DecodeError::TooManyParts { .. })));
    let tracks = many(&[0x2a, 0x00]);
    assert!(matches!(
        UpdateSubscriptions::decode(&tracks, Encoding::Binary),
        Err(DecodeError::TooManyParts { .. })
    ));
    let names = [b"{\"names\":[\"\"".as_slice(), &many(b",\"\""), b"]}"].concat();
    assert!(matches!(ListRooms::decode(&names, Encoding::Json), Err(DecodeError::TooManyParts { .. })));
    let patch = [b"{\"patch\":{\"a\":[1".as_slice(), &many(b",1"), b"]}}"].concat();
    assert!(matches!(
        PatchRoomMetadata::decode(&patch, Encoding::Json),
        Err(DecodeError::TooManyParts { .. })
    ));
    let rooms = (0..20_000).map(|_| Arc::new(samples::room())).collect();
    check(&ListRoomsAnswer { rooms });
}

#[test]
fn failures_are_read_as_they_were_written() {
    let failure = ApiError::new(Code::Aborted, "the metadata are of revision 3").with("revision", "3");
    let text = r#"{"code":"aborted","msg":"the metadata are of revision 3","meta":{"revision":"3"}}"#;
    assert_eq!(String::from_utf8(failure.encode()).unwrap(), text);
    assert_eq!(ApiError::decode(text.as_bytes()), Some(failure));
    let odd = ApiError::decode(br#"{"code":"teapot"}"#).unwrap();
    assert_eq!((odd.code, odd.message.as_str()), (Code::Unknown, ""));
    assert_eq!(ApiError::decode(b"404 page not found"), None);
    let statuses: Vec<_> = Code::ALL.iter().map(|code| (code.word(), code.status())).collect();
    for row in [
        ("invalid_argument", 400),
        ("unauthenticated", 401),
        ("permission_denied", 403),
        ("not_found", 404),
        ("bad_route", 404),
        ("deadline_exceeded", 408),
        ("canceled", 408),
        ("already_exists", 409),
        ("aborted", 409),
        ("failed_precondition", 412),
        ("resource_exhausted", 429),
        ("internal", 500),
        ("unknown", 500),
        ("unimplemented", 501),
        ("unavailable", 503),
        ("malformed", 400),
    ] {
        assert!(statuses.contains(&row), "{row:?}");
    }
}

#[test]
fn methods_are_found_by_their_paths() {
    for method in Method::ALL {
        assert_eq!(Method::find(method.service(), method.name()), Some(method));
        assert_eq!(method.path(), format!("/twirp/{}/{}", method.service(), method.name()));
    }
    assert_eq!(Method::PerformRpc.path(), "/twirp/livekit.RoomService/PerformRpc");
    assert_eq!(Method::find("livekit.RoomService", "PatchRoomMetadata"), None);
    assert_eq!(Method::find("livekit.RoomService", "createRoom"), None);
}

/// Whatever comes is answered, and what is accepted can be written and read again.
#[test]
fn decoders_answer_whatever_comes() {
    let mut rng = fastrand::Rng::with_seed(0xa91);
    let corpus = |encoding| {
        [
            create_room().encode(encoding),
            update_participant().encode(encoding),
            subscriptions().encode(encoding),
            send_data().encode(encoding),
            participant().encode(encoding),
            samples::room().encode(encoding),
            MuteTrackAnswer { track: Some(media_track()) }.encode(encoding),
            PatchRoomMetadata { patch: json!({"a": [null, {}]}), ..PatchRoomMetadata::default() }
                .encode(encoding),
        ]
    };
    let mut accepted = 0;
    for encoding in [Encoding::Binary, Encoding::Json] {
        let corpus = corpus(encoding);
        for _ in 0..30_000 {
            let body = mutated(&corpus, &mut rng);
            accepted += again::<CreateRoom>(&body, encoding) + again::<UpdateParticipant>(&body, encoding);
            accepted += again::<UpdateSubscriptions>(&body, encoding) + again::<SendData>(&body, encoding);
            accepted += again::<ParticipantInfo>(&body, encoding) + again::<RoomInfo>(&body, encoding);
            accepted +=
                again::<MuteTrackAnswer>(&body, encoding) + again::<PatchRoomMetadata>(&body, encoding);
            drop(ApiError::decode(&body));
        }
    }
    assert!((10_000..470_000).contains(&accepted), "{accepted} accepted");
}

fn again<M: Message>(body: &[u8], encoding: Encoding) -> usize {
    let Ok(message) = M::decode(body, encoding) else { return 0 };
    for encoding in [Encoding::Binary, Encoding::Json] {
        assert!(
            M::decode(&message.encode(encoding), encoding).is_ok(),
            "{:?}",
            String::from_utf8_lossy(body)
        );
    }
    1
}
