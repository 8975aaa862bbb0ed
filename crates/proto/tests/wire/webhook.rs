//! Webhooks: what is written, and how lenient reading is.

use std::sync::Arc;

use serde_json::{Value, json};
use trackyard_proto::media_track::TrackKind;
use trackyard_proto::signal::DecodeError;
use trackyard_proto::webhook::{RoomEndReason, WebhookEvent, WebhookKind};
use trackyard_proto::{DisconnectReason, Encryption, ParticipantState, RoomInfo, TrackInfo, limits};

use crate::samples;

fn room() -> RoomInfo {
    RoomInfo {
        sid: "RM_x".into(),
        name: "yard".into(),
        creation_time_ms: 1_700_000_000_123,
        ..RoomInfo::default()
    }
}

fn event(kind: WebhookKind) -> WebhookEvent {
    let track = TrackInfo {
        sid: "DTR_pose".into(),
        name: "pose".into(),
        kind: TrackKind::Data,
        ..TrackInfo::default()
    };
    WebhookEvent {
        track: kind.is_about_track().then(|| Arc::new(track)),
        participant: Some(Arc::new(samples::participant())),
        kind,
        id: "EV_x".into(),
        created_at_s: 1_700_000_001,
        room: Some(Arc::new(room())),
        ..WebhookEvent::default()
    }
}

fn written(event: &WebhookEvent) -> Value {
    serde_json::from_slice(&event.encode()).unwrap()
}

fn read(body: &Value) -> Result<WebhookEvent, DecodeError> {
    WebhookEvent::decode(body.to_string().as_bytes())
}

#[test]
fn bodies_have_camel_case_names_texts_for_large_numbers_and_no_defaults() {
    let started = WebhookEvent { participant: None, ..event(WebhookKind::RoomStarted) };
    assert_eq!(
        written(&started),
        json!({
            "event": "room_started",
            "room": {"sid": "RM_x", "name": "yard", "creationTime": "1700000000", "creationTimeMs": "1700000000123"},
            "id": "EV_x",
            "createdAt": "1700000001",
        })
    );
    let finished = WebhookEvent { room_end_reason: RoomEndReason::Deleted, num_dropped: 3, ..started };
    assert_eq!(written(&finished)["numDropped"], 3);
    assert_eq!(written(&finished)["roomEndReason"], "ROOM_END_API_DELETE");
}

#[test]
fn data_tracks_are_tracks_of_type_data_and_their_publisher_is_only_named() {
    let body = written(&event(WebhookKind::TrackPublished));
    assert_eq!(body["track"], json!({"sid": "DTR_pose", "type": "DATA", "name": "pose"}));
    let sample = samples::participant();
    assert_eq!(
        body["participant"],
        json!({"sid": sample.sid, "identity": sample.identity, "name": sample.name})
    );
    assert_eq!(written(&event(WebhookKind::ParticipantLeft))["participant"]["joinedAtMs"], "1700000000123");
}

#[test]
fn what_is_written_is_read_again() {
    for kind in WebhookKind::ALL.into_iter().filter(|kind| !kind.is_about_track()) {
        let mut event = event(kind);
        event.num_dropped = 7;
        event.room_end_reason = RoomEndReason::from(DisconnectReason::ServerShutdown);
        event.other.insert("egressInfo".into(), json!({"egressId": "EG_x"}));
        assert_eq!(WebhookEvent::decode(&event.encode()).unwrap(), event);
    }
    let other = WebhookEvent { kind: WebhookKind::Other("egress_started".into()), ..WebhookEvent::default() };
    assert_eq!(WebhookEvent::decode(&other.encode()).unwrap(), other);
}

#[test]
fn words_and_fields_of_newer_servers_do_no_harm() {
    let event = read(&json!({
        "event": "participant_joined",
        "created_at": 5,
        "future": {"a": 1},
        "roomEndReason": "ROOM_END_BOREDOM",
        "room": {"name": "yard", "enabledCodecs": [{"mime": "video/VP8"}], "future": []},
        "participant": {
            "identity": "ada", "state": "ASCENDED", "kind": "ROBOT", "kindDetails": ["NEW", "FORWARDED"],
            "disconnectReason": "BORED", "capabilities": ["CAP_NEW"],
            "permission": {"canSubscribe": true, "canPublishSources": ["CAMERA", "NOSE"]},
            "attributes": {"state": "sleepy", "kind": "robot"},
            "tracks": [{"sid": "TR_x", "type": "SMELL", "source": "NOSE", "encryption": "QUANTUM",
                        "layers": [{"quality": "BEST"}], "codecs": [{"videoLayerMode": "MODE_NEW"}]}],
            "dataTracks": [{"sid": "DTR_x", "frameEncoding": {"wellKnown": "NEW"}}],
        },
    }))
    .unwrap();
    let participant = event.participant.unwrap();
    assert_eq!((participant.identity.as_str(), participant.state), ("ada", ParticipantState::Joining));
    assert_eq!(participant.attributes["state"], "sleepy");
    assert_eq!(participant.permission.can_publish_sources, [1]);
    assert_eq!(participant.tracks[0].encryption, Encryption::Custom, "never taken for in the clear");
    assert_eq!((event.created_at_s, event.room_end_reason), (5, RoomEndReason::Unknown));
    assert_eq!(event.other["future"]["a"], 1);
}

#[test]
fn what_is_no_event_is_refused() {
    for body in [json!({}), json!({"id": "EV_x"}), json!({"event": ""}), json!({"event": null})] {
        assert!(matches!(read(&body), Err(DecodeError::Missing("event"))), "{body}");
    }
    for body in [
        json!(null),
        json!([]),
        json!({"event": 5}),
        json!({"event": "x", "room": 5}),
        json!({"event": "x", "participant": {"identity": []}}),
        json!({"event": "x", "participant": {"dataTracks": [{"pubHandle": 70_000}]}}),
        json!({"event": "x", "createdAt": "soon"}),
    ] {
        assert!(read(&body).is_err(), "{body}");
    }
    let large = vec![b' '; limits::WEBHOOK_BYTES + 1];
    assert!(matches!(WebhookEvent::decode(&large), Err(DecodeError::TooLarge { .. })));
    let deep =
        format!("{}{}", r#"{"event":"x","a":"#.to_owned() + &"[".repeat(100_000), "]".repeat(100_000) + "}");
    assert!(WebhookEvent::decode(deep.as_bytes()).is_err());
}
