//! Keys and defaults of the grant (protocol §2).

use serde_json::{Value, json};

use super::VideoGrant;

fn read(grant: Value) -> VideoGrant {
    serde_json::from_value(grant).unwrap()
}

#[test]
fn every_key_has_its_place_in_both_directions() {
    let golden = json!({
        "roomCreate": true, "roomList": true, "roomRecord": true, "roomAdmin": true,
        "roomJoin": true, "room": "yard", "canPublish": false, "canSubscribe": false,
        "canPublishData": true, "canPublishSources": ["camera", "screen_share"],
        "canUpdateOwnMetadata": true, "ingressAdmin": true, "hidden": true, "recorder": true,
        "agent": true, "canSubscribeMetrics": true, "canManageAgentSession": true,
        "destinationRoom": "shed", "canFly": "soon",
    });
    let grant = read(golden.clone());
    let expected = VideoGrant {
        room_create: true,
        room_list: true,
        room_record: true,
        room_admin: true,
        room_join: true,
        room: "yard".to_owned(),
        can_publish: Some(false),
        can_subscribe: Some(false),
        can_publish_data: Some(true),
        can_publish_sources: vec!["camera".to_owned(), "screen_share".to_owned()],
        can_update_own_metadata: Some(true),
        ingress_admin: true,
        hidden: true,
        recorder: true,
        agent: true,
        can_subscribe_metrics: Some(true),
        can_manage_agent_session: Some(true),
        destination_room: "shed".to_owned(),
        other: [("canFly".to_owned(), json!("soon"))].into(),
    };
    assert_eq!(grant, expected);
    assert_eq!(serde_json::to_value(&grant).unwrap(), golden);
}

#[test]
fn an_empty_grant_is_written_as_one() {
    assert_eq!(serde_json::to_value(VideoGrant::default()).unwrap(), json!({}));
}

#[test]
fn null_is_the_same_as_absent() {
    let nulls = json!({
        "roomJoin": null, "room": null, "canPublish": null, "canPublishData": null,
        "canPublishSources": null, "destinationRoom": null,
    });
    assert_eq!(read(nulls), VideoGrant::default());
}

#[test]
fn absent_means_publish_and_subscribe_but_no_metadata_or_metrics() {
    let grant = read(json!({}));
    assert!(grant.can_publish());
    assert!(grant.can_subscribe());
    assert!(grant.can_publish_data());
    assert!(!grant.can_update_own_metadata());
    assert!(!grant.can_subscribe_metrics());
    assert!(!grant.can_manage_agent_session());
    assert!(!grant.room_join);
}

#[test]
fn what_is_said_counts() {
    assert!(!read(json!({"canPublish": false})).can_publish());
    assert!(!read(json!({"canSubscribe": false})).can_subscribe());
    assert!(read(json!({"canUpdateOwnMetadata": true})).can_update_own_metadata());
    assert!(read(json!({"canSubscribeMetrics": true})).can_subscribe_metrics());
    assert!(read(json!({"canManageAgentSession": true})).can_manage_agent_session());
}

#[test]
fn publishing_data_follows_publishing_unless_said() {
    for (publish, data, expected) in [
        (None, None, true),
        (Some(true), None, true),
        (Some(false), None, false),
        (None, Some(false), false),
        (Some(true), Some(false), false),
        (Some(false), Some(true), true),
    ] {
        let grant = read(json!({"canPublish": publish, "canPublishData": data}));
        assert_eq!(grant.can_publish_data(), expected, "{publish:?} {data:?}");
    }
}

#[test]
fn sources_narrow_publishing_only() {
    let camera = json!(["camera"]);
    assert!(read(json!({})).can_publish_source("microphone"));
    assert!(read(json!({"canPublishSources": camera})).can_publish_source("camera"));
    assert!(!read(json!({"canPublishSources": camera})).can_publish_source("microphone"));
    let muted = json!({"canPublish": false, "canPublishSources": camera});
    assert!(!read(muted).can_publish_source("camera"));
}
