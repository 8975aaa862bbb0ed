//! Publishing and unpublishing, with every refusal.

use std::sync::Arc;

use trackyard_auth::{NamePatterns, TrackNames};
use trackyard_proto::signal::{PublishDataTrack, Reason};
use trackyard_proto::{Encryption, FrameEncoding, Request, Response, Schema, SchemaEncoding};

use super::harness::{Arrival, Script, echo, millis, publication};
use crate::control::RouteChange;
use crate::room::RoomConfig;

#[test]
fn a_published_track_has_a_fresh_sid_and_everything_that_was_said_of_it() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    let bob = script.guest("bob");
    let schema = Schema { name: "Pose".into(), encoding: Some(SchemaEncoding::WellKnown(3)) };
    let wish = PublishDataTrack {
        encryption: Encryption::Gcm,
        frame_encoding: Some(FrameEncoding::Custom("x".repeat(32))),
        schema: Some(schema.clone()),
        ..publication(65_535, "pose")
    };
    let info = script.publish_as(&ada, wish).unwrap();
    assert!(info.sid.starts_with("DTR_") && info.sid.len() == 16, "{}", info.sid);
    assert_eq!((info.pub_handle, info.name.as_str(), info.encryption), (65_535, "pose", Encryption::Gcm));
    assert_eq!(info.schema, Some(schema));
    assert_eq!(info.frame_encoding, Some(FrameEncoding::Custom("x".repeat(32))));
    script.pass(millis(300));
    let relayed = &script.view(&bob).others["ada"].data_tracks;
    assert_eq!(relayed.as_slice(), [Arc::clone(&info)], "others are told the same");
    assert!(script.view(&ada).own.as_ref().unwrap().is_publisher);
    assert_eq!(script.room.info().num_publishers, 1);
}

#[test]
fn refusals_come_in_the_protocols_order_with_reason_and_echo() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    let mute = script.join(Arrival::new("mute").grant(|grant| grant.can_publish_data = Some(false)));
    script.publish(&ada, 1, "pose").unwrap();
    let mut check = |guest, wish, expected| assert_eq!(script.publish_as(guest, wish).unwrap_err(), expected);
    let custom = |encoding: &str, wish| PublishDataTrack {
        frame_encoding: Some(FrameEncoding::Custom(encoding.into())),
        ..wish
    };
    let schema = |encoding: &str, wish| PublishDataTrack {
        schema: Some(Schema { name: String::new(), encoding: Some(SchemaEncoding::Custom(encoding.into())) }),
        ..wish
    };
    check(&mute, custom("", publication(0, "")), Reason::NotAllowed);
    check(&ada, custom("", publication(0, "")), Reason::InvalidHandle);
    check(&ada, custom("", publication(65_536, "")), Reason::InvalidHandle);
    check(&ada, custom("", publication(1, "")), Reason::InvalidName);
    check(&ada, custom("", publication(1, &"n".repeat(257))), Reason::InvalidName);
    check(&ada, custom("", publication(1, "pose")), Reason::InvalidRequest);
    check(&ada, custom(&"x".repeat(33), publication(1, "pose")), Reason::InvalidRequest);
    check(&ada, schema("", publication(1, "pose")), Reason::InvalidRequest);
    check(&ada, schema(&"x".repeat(33), publication(1, "pose")), Reason::InvalidRequest);
    check(&ada, publication(1, "pose"), Reason::DuplicateHandle);
    check(&ada, publication(2, "pose"), Reason::DuplicateName);
    script.publish(&ada, 2, &"n".repeat(256)).expect("a name may have 256 bytes");
}

#[test]
fn an_encryption_that_official_clients_choke_on_is_refused() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    let wish = PublishDataTrack { encryption: Encryption::Custom, ..publication(1, "pose") };
    assert_eq!(script.publish_as(&ada, wish).unwrap_err(), Reason::InvalidRequest);
}

#[test]
fn without_data_tracks_in_the_configuration_none_may_be_published() {
    let mut script = Script::with(RoomConfig { data_tracks: false, ..RoomConfig::default() });
    let ada = script.guest("ada");
    assert_eq!(script.publish(&ada, 0, "").unwrap_err(), Reason::NotAllowed);
}

#[test]
fn a_token_may_limit_the_names_of_published_tracks() {
    let mut script = Script::new();
    let mut arrival = Arrival::new("ada");
    let publish_tracks = Some(NamePatterns::new(["cam/*"]).unwrap());
    arrival.claims.trackyard = TrackNames { publish_tracks, ..TrackNames::default() };
    let ada = script.join(arrival);
    assert_eq!(script.publish(&ada, 1, "pose").unwrap_err(), Reason::NotAllowed);
    script.publish(&ada, 1, "cam/front").unwrap();
}

#[test]
fn an_unpublished_track_is_answered_and_its_handle_and_name_are_free_again() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    let first = script.publish(&ada, 7, "pose").unwrap();
    script.pass(millis(300));
    assert_eq!(script.view(&bob).tracks_of("ada"), ["pose"]);
    script.heard(&ada);
    script.say(&ada, Request::UnpublishDataTrack { pub_handle: 7, echo: echo("u") });
    assert_eq!(script.heard(&ada)[0], Response::DataTrackUnpublished(first.clone()));
    script.pass(millis(300));
    assert!(script.view(&bob).tracks_of("ada").is_empty());
    let second = script.publish(&ada, 7, "pose").unwrap();
    assert_ne!(first.sid, second.sid);
}

#[test]
fn unpublishing_an_unknown_handle_is_answered_twice() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    for handle in [9, 0, 70_000] {
        script.say(&ada, Request::UnpublishDataTrack { pub_handle: handle, echo: echo("u") });
        let heard = script.heard(&ada);
        let [Response::RequestResponse { reason, echo: sent, .. }, Response::DataTrackUnpublished(info)] =
            &heard[..]
        else {
            panic!("{heard:?}");
        };
        assert_eq!((*reason, sent.as_ref()), (Reason::NotFound, Some(&echo("u"))));
        assert_eq!(u32::from(info.pub_handle), if handle > 65_535 { 0 } else { handle });
    }
}

#[test]
fn a_revoked_publisher_is_told_and_its_tracks_are_gone() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    let pose = script.publish(&ada, 1, "pose").unwrap();
    script.subscribe(&bob, &pose.sid);
    script.pass(millis(300));
    assert!(script.receives(&bob, &ada, 1).is_some());
    let mut permission = script.view(&ada).own.as_ref().unwrap().permission.clone();
    permission.can_publish_data = false;
    script.heard(&ada);
    script.permit("ada", permission.clone());
    assert!(script.heard(&ada).contains(&Response::DataTrackUnpublished(pose)));
    assert_eq!(script.receives(&bob, &ada, 1), None);
    script.pass(millis(300));
    let own = script.view(&ada).own.clone().unwrap();
    assert_eq!((&own.permission, own.is_publisher), (&permission, false));
    assert!(script.view(&bob).tracks_of("ada").is_empty());
    assert_eq!(script.publish(&ada, 1, "pose").unwrap_err(), Reason::NotAllowed);
    let refreshed = &script.tokens.last().unwrap().1.claims.video.clone().unwrap();
    assert_eq!(refreshed.can_publish_data, Some(false), "a later token does not bring it back");
}

#[test]
fn a_handle_beyond_all_others_is_a_duplicate() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    for handle in 1..=65_535 {
        script.say(&ada, Request::PublishDataTrack(publication(handle, &format!("track {handle}"))));
        if handle % 5_000 == 0 {
            script.pass(millis(1_000));
        }
    }
    script.pass(millis(60_000));
    script.heard(&ada);
    assert_eq!(script.room.counters().tracks_published, 65_535);
    assert_eq!(script.publish(&ada, 65_535, "one more").unwrap_err(), Reason::DuplicateHandle);
}

#[test]
fn a_revoked_track_is_removed_on_every_worker_that_knows_it() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    let (bob, cid) = (script.join(Arrival::new("bob").on(1)), script.join(Arrival::new("cid").on(2)));
    let pose = script.publish(&ada, 1, "pose").unwrap();
    script.subscribe(&bob, &pose.sid);
    script.subscribe(&cid, &pose.sid);
    script.unsubscribe(&cid, &pose.sid);
    script.say(&ada, Request::UnpublishDataTrack { pub_handle: 1, echo: echo("u") });
    let removed = |worker: u16| {
        let changes = &script.workers[&crate::control::WorkerId(worker)].changes;
        changes.iter().filter(|change| matches!(change, RouteChange::RemoveTrack { .. })).count()
    };
    assert_eq!([removed(0), removed(1), removed(2)], [1, 1, 0]);
}
