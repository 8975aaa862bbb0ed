//! Tracks whose last frame is kept for those who come late.

use std::time::Duration;

use trackyard_auth::NamePattern;
use trackyard_proto::signal::{DataTrackPublication, PublishDataTrack};
use trackyard_proto::{Request, Response};

use super::harness::{Arrival, Guest, Script, Task};
use crate::control::{RouteChange, TrackKey, WorkerId};
use crate::room::{Input, RoomConfig, TrackRule, TrackRules};

/// Publishes `map`; whether the answer says that it is latched.
fn publish(script: &mut Script, guest: &Guest, wish: bool) -> bool {
    let publish = PublishDataTrack::new(1, "map");
    let publish = if wish { publish.with_latch() } else { publish };
    script.heard(guest);
    script.say(guest, Request::PublishDataTrack(publish));
    let answer = script.heard(guest).into_iter().find_map(|response| match response {
        Response::DataTrackPublished(DataTrackPublication { latched, .. }) => Some(latched),
        _ => None,
    });
    answer.expect("it is published")
}

fn ruled(latch: Option<bool>) -> Script {
    let pattern = |text| NamePattern::new(text).unwrap();
    let rule = TrackRule { latch, ..TrackRule::new(pattern("*"), pattern("map")) };
    Script::with(RoomConfig { track_rules: TrackRules::new(vec![rule]), ..RoomConfig::default() })
}

#[test]
fn the_publisher_is_told_whether_its_track_is_latched_and_its_worker_is_asked_to() {
    let check = |latch, wish, expected| {
        let mut script = ruled(latch);
        let ada = script.guest("ada");
        assert_eq!(publish(&mut script, &ada, wish), expected, "rule {latch:?}, wish {wish}");
        let changes = &script.workers[&ada.worker].changes;
        let asked = changes.iter().any(|change| matches!(change, RouteChange::LatchTrack { .. }));
        assert_eq!(asked, expected);
    };
    check(None, false, false);
    check(None, true, true);
    check(Some(true), false, true);
    check(Some(false), true, false);
}

/// What a worker has still to be asked to do.
fn asked(script: &Script, worker: WorkerId) -> Vec<&RouteChange> {
    let tasks = script.queue.iter().filter(|(to, _)| *to == worker);
    let batches = tasks.filter_map(|(_, task)| match task {
        Task::Route(batch) => Some(&batch.changes),
        Task::Close(_) => None,
    });
    batches.flatten().collect()
}

/// The worker was told that the guest knows its handle.
fn has_flowed(script: &Script, guest: &Guest) -> bool {
    let mut flows = script.workers[&guest.worker].changes.iter();
    flows.any(|change| matches!(change, RouteChange::Flow { subscriber, .. } if *subscriber == guest.peer))
}

fn is_hop(change: &&RouteChange) -> bool {
    matches!(change, RouteChange::AddHop { .. })
}

#[test]
fn another_worker_gets_what_is_kept_only_once_it_has_somebody_to_hand_it_to() {
    let mut script = ruled(Some(true));
    let ada = script.guest("ada");
    let (bob, cid) = (script.join(Arrival::new("bob").on(1)), script.join(Arrival::new("cid").on(1)));
    let map = script.publish(&ada, 1, "map").unwrap();
    script.pass(Duration::from_secs(1));
    script.routes_held = true;
    script.subscribe(&bob, &map.sid);
    assert_eq!(asked(&script, WorkerId(0)).into_iter().filter(is_hop).count(), 0);
    script.routes_held = false;
    script.pump();
    let hops = |script: &Script| script.workers[&WorkerId(0)].changes.iter().filter(is_hop).count();
    assert_eq!(hops(&script), 1);
    assert!(script.receives(&bob, &ada, 1).is_some());
    assert!(!has_flowed(&script, &bob), "the handle has had no time to arrive");
    script.pass(Duration::from_millis(50));
    assert!(has_flowed(&script, &bob));
    script.subscribe(&cid, &map.sid);
    assert_eq!(hops(&script), 1);
    script.pass(Duration::from_millis(50));
    assert!(has_flowed(&script, &cid));
    script.unsubscribe(&bob, &map.sid);
    script.unsubscribe(&cid, &map.sid);
    assert!(script.workers[&WorkerId(0)].hops.is_empty());
}

#[test]
fn who_subscribes_to_many_at_once_gets_what_is_kept_of_them_little_by_little() {
    let rule = TrackRule {
        latch: Some(true),
        ..TrackRule::new(NamePattern::new("*").unwrap(), NamePattern::new("**").unwrap())
    };
    let track_rules = TrackRules::new(vec![rule]);
    let mut script = Script::with(RoomConfig { track_rules, ..RoomConfig::default() });
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    let sids: Vec<_> = (1..=250)
        .map(|handle| script.publish(&ada, handle, &format!("t/{handle}")).unwrap().sid.clone())
        .collect();
    script.pass(Duration::from_secs(1));
    sids.iter().for_each(|sid| script.subscribe(&bob, sid));
    let flows = |script: &Script| {
        let changes = script.workers[&WorkerId(0)].changes.iter();
        changes.filter(|change| matches!(change, RouteChange::Flow { .. })).count()
    };
    script.pass(Duration::from_millis(40));
    script.unsubscribe(&bob, &sids[0]);
    script.subscribe(&bob, &sids[0]);
    // As long as handles follow each other, the first are not taken in.
    for (millis, expected) in [(40, 0), (15, 100), (50, 200), (50, 250)] {
        script.pass(Duration::from_millis(millis));
        assert_eq!(flows(&script), expected, "the last handles need longer to be taken in");
    }
}

#[test]
fn one_that_changes_its_mind_before_it_is_served_leads_nowhere() {
    let mut script = ruled(Some(true));
    let ada = script.guest("ada");
    let bob = script.join(Arrival::new("bob").on(1));
    let map = script.publish(&ada, 1, "map").unwrap();
    script.pass(Duration::from_secs(1));
    script.routes_held = true;
    script.subscribe(&bob, &map.sid);
    script.unsubscribe(&bob, &map.sid);
    script.routes_held = false;
    script.pump();
    let changes = &script.workers[&WorkerId(0)].changes;
    let is_about_hops =
        |change: &&RouteChange| matches!(change, RouteChange::AddHop { .. } | RouteChange::RemoveHop { .. });
    assert_eq!(changes.iter().filter(is_about_hops).count(), 0);
    script.subscribe(&bob, &map.sid);
    assert!(script.receives(&bob, &ada, 1).is_some());
}

#[test]
fn a_track_that_is_published_again_is_latched_again() {
    let mut script = ruled(Some(true));
    let ada = script.guest("ada");
    script.publish(&ada, 1, "map").unwrap();
    script.say(&ada, Request::unpublish_data_track(1));
    script.publish(&ada, 1, "map").unwrap();
    let latched = |change: &RouteChange| match change {
        RouteChange::LatchTrack { track, .. } => Some(*track),
        _ => None,
    };
    let tracks: Vec<TrackKey> = script.workers[&ada.worker].changes.iter().filter_map(latched).collect();
    assert_eq!(tracks.len(), 2);
    assert_ne!(tracks[0], tracks[1], "what was kept of the first is not the second's");
}

#[test]
fn what_is_kept_is_not_spent_on_who_has_gone_before_it_heard_the_handle() {
    let mut script = ruled(Some(true));
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    let map = script.publish(&ada, 1, "map").unwrap();
    let sid = script.sid(&bob);
    script.pass(Duration::from_secs(1));
    script.routes_held = true;
    script.subscribe(&bob, &map.sid);
    script.handle(Input::SignalClosed { connection: bob.connection });
    script.routes_held = false;
    script.pump();
    script.outputs_held = true;
    let back = script.resume(&bob, &sid);
    script.handle(Input::SignalClosed { connection: back.connection });
    script.outputs_held = false;
    script.pump();
    script.pass(Duration::from_secs(1));
    assert!(!has_flowed(&script, &bob), "nobody has heard the handle");
    let back = script.resume(&bob, &sid);
    assert!(script.view(&back).handles.contains_key(&map.sid));
    script.pass(Duration::from_millis(50));
    assert!(has_flowed(&script, &bob));
}
