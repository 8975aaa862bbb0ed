//! Claims as other minters write them.

use serde_json::{Value, json};

use super::{Claims, ParticipantKind, TrackNames};
use crate::{NamePatterns, VideoGrant};

fn read(claims: Value) -> Claims {
    serde_json::from_value(claims).unwrap()
}

#[test]
fn absent_claims_are_empty() {
    assert_eq!(read(json!({})), Claims::default());
}

#[test]
fn null_is_the_same_as_absent() {
    let claims = json!({
        "sub": null, "name": null, "metadata": null, "attributes": null, "kind": null,
        "kindDetails": null, "sha256": null, "roomConfig": null, "roomPreset": null,
        "video": null, "trackyard": null,
    });
    assert_eq!(read(claims), Claims::default());
}

#[test]
fn every_claim_has_its_place_in_both_directions() {
    let golden = json!({
        "sub": "robot-1",
        "name": "Robot",
        "metadata": "{}",
        "attributes": {"site": "yard"},
        "kind": "agent",
        "kindDetails": ["cloud_agent"],
        "sha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "roomConfig": {"emptyTimeout": 60, "egress": {"room": {}}},
        "roomPreset": "large",
        "video": {"roomJoin": true, "room": "yard"},
        "trackyard": {"publishTracks": ["cam/**"], "subscribeTracks": ["**"]},
        "sip": {"call": true},
    });
    let claims = read(golden.clone());
    assert_eq!(claims.identity, "robot-1");
    assert_eq!(claims.name, "Robot");
    assert_eq!(claims.metadata, "{}");
    assert_eq!(claims.attributes["site"], "yard");
    assert_eq!(claims.kind, ParticipantKind::Agent);
    assert_eq!(claims.kind_details, ["cloud_agent"]);
    assert_eq!(claims.sha256, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    assert_eq!(claims.room_config.as_ref().unwrap().empty_timeout_s(), Some(60));
    assert_eq!(claims.room_preset, "large");
    assert_eq!(claims.video, Some(VideoGrant::join("yard")));
    assert_eq!(claims.trackyard.publish_tracks, Some(NamePatterns::new(["cam/**"]).unwrap()));
    assert_eq!(claims.other["sip"], json!({"call": true}));
    assert_eq!(serde_json::to_value(&claims).unwrap(), golden);
}

#[test]
fn an_unknown_kind_is_standard() {
    for (word, kind) in [
        ("standard", ParticipantKind::Standard),
        ("ingress", ParticipantKind::Ingress),
        ("egress", ParticipantKind::Egress),
        ("sip", ParticipantKind::Sip),
        ("agent", ParticipantKind::Agent),
        ("connector", ParticipantKind::Connector),
        ("bridge", ParticipantKind::Bridge),
        ("AGENT", ParticipantKind::Agent),
        ("", ParticipantKind::Standard),
        ("toaster", ParticipantKind::Standard),
    ] {
        assert_eq!(read(json!({ "kind": word })).kind, kind, "{word}");
    }
}

#[track_caller]
fn check_names(trackyard: &Value, may_publish: bool, may_subscribe: bool) {
    let names = read(json!({ "trackyard": trackyard })).trackyard;
    assert_eq!(names.may_publish("cam/left"), may_publish);
    assert_eq!(names.may_subscribe("cam/left"), may_subscribe);
}

#[test]
fn track_names_absent_allow_all_and_empty_allow_none() {
    check_names(&json!({}), true, true);
    check_names(&json!({"publishTracks": null}), true, true);
    check_names(&json!({"publishTracks": []}), false, true);
    check_names(&json!({"subscribeTracks": []}), true, false);
    check_names(&json!({"publishTracks": ["cam/**"], "subscribeTracks": ["lidar"]}), true, false);
    check_names(&json!({"publishTracks": ["lidar", "*/left"]}), true, true);
}

#[test]
fn an_invalid_pattern_is_an_error_not_a_free_pass() {
    for names in [json!(["a["]), json!([""]), json!([7]), json!("cam/**")] {
        let claims = json!({"trackyard": {"publishTracks": names}});
        assert!(serde_json::from_value::<Claims>(claims.clone()).is_err(), "{claims}");
    }
}

#[test]
fn track_names_are_written_back() {
    let publish_tracks = Some(NamePatterns::new(["cam/*"]).unwrap());
    let names = TrackNames { publish_tracks, subscribe_tracks: None };
    assert_eq!(serde_json::to_value(names).unwrap(), json!({"publishTracks": ["cam/*"]}));
}
