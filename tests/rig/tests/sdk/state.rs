//! What participants and rooms say of themselves, and who may change it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use trackyard::{
    DataPublishOptions, ProfileError, PublishDataError, PublishError, Room, RoomEvent, RoomEvents,
    RoomMetadataError, RoomOptions, SendDataError,
};
use trackyard_api::{Permission, RoomServiceClient, UpdateParticipant};
use trackyard_auth::VideoGrant;
use trackyard_rig::{Site, token_with};

use crate::room::{event, join, within};

/// Joins with a token that allows what `grant` changes.
async fn join_with(
    http: SocketAddr,
    identity: &str,
    grant: impl FnOnce(VideoGrant) -> VideoGrant,
) -> (Room, RoomEvents) {
    let token = token_with(identity, grant(VideoGrant::join("yard")));
    Room::connect(&format!("ws://{http}"), token, RoomOptions::new()).await.unwrap()
}

fn own_state(grant: VideoGrant) -> VideoGrant {
    VideoGrant { can_update_own_metadata: Some(true), ..grant }
}

fn administrator(grant: VideoGrant) -> VideoGrant {
    VideoGrant { room_admin: true, ..grant }
}

fn entries(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// The attributes that were told to have changed next, and of whom; whose they are then.
async fn changed(events: &mut RoomEvents) -> (String, BTreeMap<String, String>) {
    event(events, |event| match event {
        RoomEvent::ParticipantAttributesChanged { participant, changed } => {
            Some((participant.identity(), changed))
        }
        _ => None,
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_are_set_merged_and_deleted_for_everyone() {
    let site = Site::start("").await.unwrap();
    let (robot, mut robot_events) = join_with(site.http(), "robot", own_state).await;
    let (operator, mut events) = join(site.http(), "operator", RoomOptions::new()).await;
    let me = robot.local_participant();
    let steps = [
        (entries(&[("battery", "71"), ("mode", "auto")]), entries(&[("battery", "71"), ("mode", "auto")])),
        (entries(&[("battery", "70")]), entries(&[("battery", "70"), ("mode", "auto")])),
        (entries(&[("mode", "")]), entries(&[("battery", "70")])),
    ];
    for (change, expected) in steps {
        within(me.set_attributes(change.clone())).await.unwrap();
        assert_eq!(me.attributes(), expected, "shown to itself as soon as the server has said yes");
        for events in [&mut robot_events, &mut events] {
            assert_eq!(changed(events).await, ("robot".to_owned(), change.clone()));
        }
        let robot = operator.remote_participant("robot").unwrap();
        assert_eq!(robot.attributes(), &expected);
    }
    within(robot.close()).await;
    within(operator.close()).await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_and_metadata_are_set_for_everyone() {
    let site = Site::start("").await.unwrap();
    let (robot, _events) = join_with(site.http(), "robot", own_state).await;
    let (operator, mut events) = join(site.http(), "operator", RoomOptions::new()).await;
    let me = robot.local_participant();
    within(me.set_name("Robby")).await.unwrap();
    within(me.set_metadata("{}")).await.unwrap();
    assert_eq!((me.name().as_str(), me.metadata().as_str()), ("Robby", "{}"));
    let name = event(&mut events, |event| match event {
        RoomEvent::ParticipantNameChanged { participant, before } => Some((participant.name(), before)),
        _ => None,
    });
    assert_eq!(name.await.0, "Robby");
    let metadata = event(&mut events, |event| match event {
        RoomEvent::ParticipantMetadataChanged { participant, before } => {
            Some((participant.metadata(), before))
        }
        _ => None,
    });
    assert_eq!(metadata.await, ("{}".to_owned(), String::new()));
    assert_eq!(within(me.set_name("")).await, Err(ProfileError::Empty));
    within(robot.close()).await;
    within(operator.close()).await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_refuses_says_why() {
    let site = Site::start("").await.unwrap();
    let (robot, _events) = join_with(site.http(), "robot", own_state).await;
    let (guest, _guest_events) = join(site.http(), "guest", RoomOptions::new()).await;
    let me = robot.local_participant();
    let long = "x".repeat(65 * 1024);
    let refused = [
        within(me.set_name("x".repeat(257))).await,
        within(me.set_metadata("x".repeat(513 * 1024))).await,
        within(me.set_attributes([("key", long.as_str())])).await,
    ];
    for refused in refused {
        assert!(matches!(refused, Err(ProfileError::LimitExceeded { .. })), "{refused:?}");
    }
    let refused = within(guest.local_participant().set_attributes([("key", "value")])).await;
    assert!(matches!(refused, Err(ProfileError::NotAllowed { .. })), "{refused:?}");
    let refused = within(guest.update_metadata("{}")).await.unwrap_err();
    assert!(matches!(refused, RoomMetadataError::NotAllowed { .. }), "{refused}");
    within(robot.close()).await;
    within(guest.close()).await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_participant_may_not_do_any_more_it_is_told_at_once() {
    let site = Site::start("").await.unwrap();
    let (robot, mut events) = join(site.http(), "robot", RoomOptions::new()).await;
    let me = robot.local_participant();
    let pose = within(me.publish_data_track("pose")).await.unwrap();
    within(me.publish_data("hi", DataPublishOptions::reliable())).await.unwrap();
    let server = format!("http://{}", site.http());
    let token = token_with("backend", administrator(VideoGrant::join("yard")));
    let backend = RoomServiceClient::with_token(&server, token).unwrap();
    for may in [false, true] {
        let before = me.permissions().unwrap();
        let permission = Permission { can_publish: may, can_publish_data: may, ..before.clone() };
        let change = UpdateParticipant {
            room: "yard".to_owned(),
            identity: "robot".to_owned(),
            permission: Some(permission.clone()),
            ..UpdateParticipant::default()
        };
        within(backend.update_participant(&change)).await.unwrap();
        let mut told = None;
        let mut gone = None;
        event(&mut events, |event| {
            match event {
                RoomEvent::ParticipantPermissionsChanged { participant, before } => {
                    told = Some((participant.is_local(), participant.permissions(), before));
                }
                RoomEvent::LocalDataTrackUnpublished(track) => gone = Some(track.name().to_owned()),
                _ => {}
            }
            (told.is_some() && (may || gone.is_some())).then_some(())
        })
        .await;
        assert_eq!(told, Some((true, Some(permission), before)));
        let sent = within(me.publish_data("hi", DataPublishOptions::reliable())).await;
        let published = within(me.publish_data_track(format!("may {may}"))).await;
        if may {
            sent.unwrap();
            published.unwrap();
        } else {
            assert_eq!(sent, Err(PublishDataError::Refused(SendDataError::NotAllowed)));
            assert!(matches!(published, Err(PublishError::Refused { .. })), "{published:?}");
            assert_eq!(gone.as_deref(), Some("pose"));
            assert!(!pose.is_published());
        }
    }
    within(robot.close()).await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_room_s_metadata_are_changed_by_who_administers_it() {
    let site = Site::start("").await.unwrap();
    let (boss, _events) = join_with(site.http(), "boss", administrator).await;
    let (guest, mut events) = join(site.http(), "guest", RoomOptions::new()).await;
    let mut told = async || {
        event(&mut events, |event| match event {
            RoomEvent::RoomMetadataChanged { metadata } => Some(metadata),
            _ => None,
        })
        .await
    };
    within(boss.update_metadata(r#"{"lights":{"hall":"on"},"alarm":"off"}"#)).await.unwrap();
    assert_eq!(told().await, r#"{"lights":{"hall":"on"},"alarm":"off"}"#);
    let patch = serde_json::json!({ "lights": { "yard": "off" }, "alarm": null });
    let revision = within(boss.patch_metadata(patch, None)).await.unwrap();
    let patched: serde_json::Value = serde_json::from_str(&told().await).unwrap();
    assert_eq!(patched, serde_json::json!({ "lights": { "hall": "on", "yard": "off" } }));
    let late = boss.patch_metadata(serde_json::json!({ "alarm": "on" }), Some(revision - 1));
    let late = within(late).await.unwrap_err();
    assert!(
        matches!(late, RoomMetadataError::Conflict { revision: Some(known), .. } if known == revision),
        "{late:?}"
    );
    within(boss.patch_metadata(serde_json::json!({ "alarm": "on" }), Some(revision))).await.unwrap();
    let last = told().await;
    assert!(last.contains("alarm"), "{last}");
    assert_eq!(guest.metadata(), last);
    within(boss.close()).await;
    within(guest.close()).await;
    site.stop().await;
}
