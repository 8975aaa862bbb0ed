//! Protobuf's JSON mapping: what is written, and how lenient reading is.

use std::sync::Arc;

use trackyard_proto::signal::{DecodeError, PublishDataTrack, Reason};
use trackyard_proto::{
    DataTrackInfo, Encoding, FrameEncoding, Outbound, ParticipantInfo, Permission, Request, Response, Schema,
    SchemaEncoding,
};

use crate::samples;

fn read(text: &str) -> Result<Option<Request>, DecodeError> {
    Request::decode(text.as_bytes(), Encoding::Json)
}

fn written(response: Response) -> serde_json::Value {
    serde_json::from_slice(&Outbound::new(response).encode(Encoding::Json)).unwrap()
}

#[test]
fn names_are_camel_case_numbers_of_64_bits_are_texts_and_defaults_are_left_out() {
    let pong = Response::PongResp { last_ping_timestamp: 1 << 53, timestamp: 0 };
    assert_eq!(written(pong), serde_json::json!({ "pongResp": { "lastPingTimestamp": "9007199254740992" } }));
    let update = written(Response::Update(vec![Arc::new(samples::participant())]));
    let info = &update["update"]["participants"][0];
    assert_eq!((&info["state"], &info["kind"]), (&"ACTIVE".into(), &"AGENT".into()));
    assert_eq!(info["joinedAtMs"], "1700000000123");
    assert_eq!(info["dataTracks"][1]["pubHandle"], 65_535);
    let handles = samples::responses().into_iter().find(|r| matches!(r, Response::SubscriberHandles(_)));
    let handles = written(handles.unwrap());
    assert_eq!(handles["dataTrackSubscriberHandles"]["subHandles"]["65535"]["trackSid"], "DTR_pose");
}

#[test]
fn both_cases_of_a_name_and_both_forms_of_a_number_are_read() {
    let expected = Request::PublishDataTrack(PublishDataTrack::new(7, "pose"));
    for text in [
        r#"{"publishDataTrackRequest": {"pubHandle": 7, "name": "pose"}}"#,
        r#"{"publish_data_track_request": {"pub_handle": "7", "name": "pose", "encryption": "NONE"}}"#,
        r#"{"publishDataTrackRequest": {"pubHandle": 7, "name": "pose", "encryption": 0, "schema": null}}"#,
    ] {
        assert_eq!(read(text).unwrap().as_ref(), Some(&expected), "{text}");
    }
    for text in [r#"{"ping": "12"}"#, r#"{"ping": 12}"#] {
        assert_eq!(read(text).unwrap(), Some(Request::Ping(12)), "{text}");
    }
}

#[test]
fn unknown_fields_are_skipped_at_every_level() {
    let text = r#"{"future": [{}], "pingReq": {"timestamp": 5, "rtt": 1, "jitter": {"a": null}}}"#;
    assert_eq!(read(text).unwrap(), Some(Request::PingReq { timestamp: 5, rtt: 1 }));
}

#[test]
fn what_is_no_message_is_refused() {
    for text in [
        "",
        "null",
        "[]",
        "7",
        "{",
        r#"{"ping": "x"}"#,
        r#"{"ping": 1, "ping": 2}"#,
        r#"{"ping": 1, "offer": {}}"#,
        r#"{"leave": {"reason": "NO_SUCH_REASON"}}"#,
        r#"{"leave": {"reason": 99}}"#,
        r#"{"publishDataTrackRequest": {"name": null}}"#,
        r#"{"publishDataTrackRequest": {"pubHandle": -1}}"#,
        "\u{feff}{}",
    ] {
        assert!(matches!(read(text), Err(DecodeError::Json(_))), "{text}: {:?}", read(text));
    }
    let invalid_utf8 = Request::decode(b"{\"offer\": {\"sdp\": \"\xff\"}}", Encoding::Json);
    assert!(matches!(invalid_utf8, Err(DecodeError::Json(_))));
}

#[test]
fn deep_nesting_is_refused() {
    let deep = format!(r#"{{"future": {}}}"#, "[".repeat(100_000));
    assert!(matches!(read(&deep), Err(DecodeError::Json(_))));
}

#[test]
fn numbers_that_json_cannot_spell_are_left_out() {
    let track = DataTrackInfo {
        frame_encoding: Some(FrameEncoding::WellKnown(99)),
        schema: Some(Schema { name: "s".to_owned(), encoding: Some(SchemaEncoding::WellKnown(-1)) }),
        ..samples::track(1, "pose").as_ref().clone()
    };
    let info = ParticipantInfo {
        kind_details: vec![99, 1],
        capabilities: vec![1, -7, 2],
        permission: Permission { can_publish_sources: vec![77], ..samples::permission() },
        data_tracks: vec![Arc::new(track)],
        ..samples::participant()
    };
    let written = written(Response::Update(vec![Arc::new(info)]));
    let info = &written["update"]["participants"][0];
    assert_eq!(info["kindDetails"], serde_json::json!(["FORWARDED"]));
    assert_eq!(
        info["capabilities"],
        serde_json::json!(["CAP_PACKET_TRAILER", "CAP_COMPRESSION_DEFLATE_RAW"])
    );
    assert!(info["permission"].get("canPublishSources").is_none());
    assert_eq!(info["dataTracks"][0]["name"], "pose");
}

#[test]
fn an_echo_of_numbers_that_json_cannot_spell_still_tells_the_request() {
    use livekit_protocol as pb;
    use prost::Message as _;
    let layer = pb::VideoLayer { quality: 99, ..Default::default() };
    let codec =
        pb::SimulcastCodec { layers: vec![layer.clone()], video_layer_mode: 99, ..Default::default() };
    let request = pb::AddTrackRequest {
        cid: "cid".to_owned(),
        r#type: 99,
        source: 99,
        encryption: 99,
        backup_codec_policy: 99,
        audio_features: vec![99],
        packet_trailer_features: vec![99],
        layers: vec![layer],
        simulcast_codecs: vec![codec],
        ..Default::default()
    };
    let message = pb::signal_request::Message::AddTrack(request);
    let frame = pb::SignalRequest { message: Some(message) }.encode_to_vec();
    let request = Request::decode(&frame, Encoding::Binary).unwrap().unwrap();
    let again = Request::decode(&request.encode(Encoding::Json), Encoding::Json).unwrap().unwrap();
    let Request::AddTrack { cid, echo } = request else { panic!("not a media track") };
    assert!(matches!(again, Request::AddTrack { cid: other, .. } if other == cid));
    let refusal = Response::RequestResponse {
        request_id: 0,
        reason: Reason::UnsupportedType,
        message: String::new(),
        echo: Some(echo),
    };
    assert_eq!(written(refusal)["requestResponse"]["addTrack"]["cid"], "cid");
}
