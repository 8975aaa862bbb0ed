//! Subscriptions, handles and permissions.

use trackyard_auth::{NamePatterns, TrackNames};
use trackyard_lanes::Policy;
use trackyard_proto::signal::{
    DataSubscription, Reason, SubscriptionOptions, SubscriptionPermission, TrackPermission,
};
use trackyard_proto::{Request, Response};

use super::harness::{Arrival, Guest, Script, millis, wants};
use crate::control::{Hop, RouteChange, WorkerId};
use crate::room::{RoomConfig, RoomLimits, TrackRule, TrackRules};

fn handles(messages: &[Response]) -> Vec<(u16, String)> {
    let lists = messages.iter().filter_map(|message| match message {
        Response::SubscriberHandles(handles) => Some(handles),
        _ => None,
    });
    lists.flatten().map(|entry| (entry.handle, entry.track.track_sid.clone())).collect()
}

fn permit(script: &mut Script, publisher: &Guest, track_permissions: Vec<TrackPermission>) {
    let all_participants = false;
    let permission = SubscriptionPermission { all_participants, track_permissions };
    script.say(publisher, Request::SubscriptionPermission(permission));
}

#[test]
fn a_subscriber_is_told_a_handle_and_packets_carry_it() {
    for worker in [0, 1] {
        let mut script = Script::new();
        let ada = script.guest("ada");
        let bob = script.join(Arrival::new("bob").on(worker));
        let pose = script.publish(&ada, 1, "pose").unwrap();
        script.subscribe(&bob, &pose.sid);
        let told = handles(&script.heard(&bob));
        assert_eq!(told, [(script.receives(&bob, &ada, 1).unwrap(), pose.sid.clone())]);
    }
}

#[test]
fn who_asks_for_nothing_is_told_no_handle() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    let mut arrival = Arrival::new("bob");
    arrival.request.settings.auto_subscribe = true;
    arrival.request.settings.auto_subscribe_data_track = true;
    let bob = script.join(arrival);
    let (pose, _imu) = (script.publish(&ada, 1, "pose").unwrap(), script.publish(&ada, 2, "imu").unwrap());
    script.pass(millis(300));
    assert_eq!(handles(&script.heard(&bob)), []);
    script.subscribe(&bob, &pose.sid);
    script.pass(millis(300));
    let told: Vec<_> = handles(&script.heard(&bob)).into_iter().map(|(_, sid)| sid).collect();
    assert_eq!(told, std::slice::from_ref(&pose.sid));
}

#[test]
fn a_handle_names_publisher_and_track() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    let pose = script.publish(&ada, 1, "pose").unwrap();
    script.subscribe(&bob, &pose.sid);
    let sid = script.sid(&ada);
    let heard = script.heard(&bob);
    let Some(Response::SubscriberHandles(entries)) = heard.last() else { panic!("{heard:?}") };
    assert_eq!(
        (entries[0].track.publisher_identity.as_str(), &entries[0].track.publisher_sid),
        ("ada", &sid)
    );
}

#[test]
fn handles_wait_until_every_worker_has_confirmed_its_routes() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    let bob = script.join(Arrival::new("bob").on(1));
    let pose = script.publish(&ada, 1, "pose").unwrap();
    script.pass(millis(300));
    script.routes_held = true;
    script.subscribe(&bob, &pose.sid);
    assert_eq!(script.queue.len(), 2, "one for each worker");
    for left in [1, 0] {
        assert!(script.apply_next());
        assert_eq!(script.queue.len(), left, "nothing flows yet");
        assert_eq!(handles(&script.heard(&bob)), [], "the room has not been asked for its outputs yet");
        script.pump();
        assert_eq!(handles(&script.heard(&bob)).len(), usize::from(left == 0));
    }
    assert_eq!(script.queue.len(), 1, "packets flow once the handle is told");
}

#[test]
fn handles_wait_for_the_announcement_of_their_track() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    for handle in 1..=8 {
        script.publish(&ada, handle, &format!("track {handle}")).unwrap();
    }
    script.pass(millis(300));
    let late = script.publish(&ada, 9, "late").unwrap();
    let later = script.publish(&ada, 10, "later").unwrap();
    script.heard(&bob);
    script.subscribe(&bob, &later.sid);
    assert_eq!(handles(&script.heard(&bob)), []);
    assert!(!script.view(&bob).tracks_of("ada").contains(&"later"));
    script.pass(millis(250));
    let heard = script.heard(&bob);
    let announced = heard.iter().position(|message| matches!(message, Response::Update(_))).unwrap();
    let told = heard.iter().position(|message| matches!(message, Response::SubscriberHandles(_))).unwrap();
    assert!(announced < told);
    script.subscribe(&bob, &late.sid);
    assert_eq!(handles(&script.heard(&bob)).len(), 1);
}

#[test]
fn a_node_client_has_10_ms_between_announcement_and_handles() {
    let check = |sdk: &str, delay: u64| {
        let mut script = Script::new();
        let ada = script.guest("ada");
        let bob = script.join(Arrival::new("bob").sdk(sdk));
        let pose = script.publish(&ada, 1, "pose").unwrap();
        script.subscribe(&bob, &pose.sid);
        if delay > 0 {
            script.pass(millis(delay - 1));
            assert_eq!(handles(&script.heard(&bob)), []);
            script.pass(millis(1));
        }
        assert_eq!(handles(&script.heard(&bob)).len(), 1, "{sdk}");
    };
    check("node", 10);
    check("js", 0);
    check("python", 0);
}

#[test]
fn handles_of_one_request_are_told_together_as_deltas() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    let tracks: Vec<_> =
        (1..=3).map(|handle| script.publish(&ada, handle, &handle.to_string()).unwrap()).collect();
    script.pass(millis(300));
    let Request::UpdateDataSubscription(mut all) = wants(&tracks[0].sid, true) else { panic!() };
    let Request::UpdateDataSubscription(more) = wants(&tracks[1].sid, true) else { panic!() };
    all.extend(more);
    script.heard(&bob);
    script.say(&bob, Request::UpdateDataSubscription(all));
    let heard = script.heard(&bob);
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert_eq!(handles(&heard).len(), 2);
    script.subscribe(&bob, &tracks[2].sid);
    let told = handles(&script.heard(&bob));
    assert_eq!(told.iter().map(|(_, sid)| sid).collect::<Vec<_>>(), [&tracks[2].sid]);
}

#[test]
fn after_unsubscribing_the_handle_is_told_again() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    let pose = script.publish(&ada, 1, "pose").unwrap();
    script.subscribe(&bob, &pose.sid);
    let first = handles(&script.heard(&bob))[0].0;
    script.subscribe(&bob, &pose.sid);
    assert_eq!(script.heard(&bob), [], "a repeated wish changes nothing");
    script.unsubscribe(&bob, &pose.sid);
    assert_eq!(script.receives(&bob, &ada, 1), None);
    script.subscribe(&bob, &pose.sid);
    let second = handles(&script.heard(&bob))[0].0;
    assert_eq!(second, first + 1, "a handle is not used again before all others were");
}

#[test]
fn subscribing_again_before_the_routes_serve_tells_only_the_last_handle() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    let pose = script.publish(&ada, 1, "pose").unwrap();
    script.pass(millis(300));
    script.heard(&bob);
    script.routes_held = true;
    script.subscribe(&bob, &pose.sid);
    script.unsubscribe(&bob, &pose.sid);
    script.subscribe(&bob, &pose.sid);
    script.routes_held = false;
    script.pump();
    let told = handles(&script.heard(&bob));
    assert_eq!(told, [(script.receives(&bob, &ada, 1).unwrap(), pose.sid.clone())]);
}

#[test]
fn a_track_crosses_to_another_worker_once_and_only_while_someone_there_has_it() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    let (bob, cid) = (script.join(Arrival::new("bob").on(1)), script.join(Arrival::new("cid").on(1)));
    let pose = script.publish(&ada, 1, "pose").unwrap();
    let hops = |script: &Script| script.workers[&WorkerId(0)].hops.len();
    script.subscribe(&bob, &pose.sid);
    script.subscribe(&cid, &pose.sid);
    let added =
        |change: &&RouteChange| matches!(change, RouteChange::AddHop { hop: Hop::Worker(WorkerId(1)), .. });
    assert_eq!(script.workers[&WorkerId(0)].changes.iter().filter(added).count(), 1);
    script.unsubscribe(&bob, &pose.sid);
    assert_eq!(hops(&script), 1);
    script.unsubscribe(&cid, &pose.sid);
    assert_eq!(hops(&script), 0);
}

#[test]
fn the_first_matching_rule_schedules_a_track() {
    let pattern = |text: &str| trackyard_auth::NamePattern::new(text).unwrap();
    let rule = TrackRule {
        policy: Some(Policy::Latest),
        weight: Some(5),
        ..TrackRule::new(pattern("lab"), pattern("cam/*"))
    };
    let mut script =
        Script::with(RoomConfig { track_rules: TrackRules::new(vec![rule]), ..RoomConfig::default() });
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    for (handle, name) in [(1, "cam/front"), (2, "pose")] {
        let info = script.publish(&ada, handle, name).unwrap();
        script.subscribe(&bob, &info.sid);
    }
    let weights: Vec<_> = script.workers[&WorkerId(0)]
        .changes
        .iter()
        .filter_map(|change| match change {
            RouteChange::Subscribe { rules, .. } => Some((rules.policy, rules.weight)),
            _ => None,
        })
        .collect();
    assert_eq!(weights, [(Policy::Latest, 5), (Policy::Auto, 1)]);
}

#[test]
fn a_subscriber_may_want_fewer_frames_and_change_its_mind() {
    let pattern = |text: &str| trackyard_auth::NamePattern::new(text).unwrap();
    let rule = TrackRule { max_hz: Some(30.0), ..TrackRule::new(pattern("*"), pattern("*")) };
    let mut script =
        Script::with(RoomConfig { track_rules: TrackRules::new(vec![rule]), ..RoomConfig::default() });
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    let pose = script.publish(&ada, 1, "pose").unwrap();
    script.heard(&bob);
    let want = |script: &mut Script, target_fps| {
        let options = SubscriptionOptions { target_fps, ..SubscriptionOptions::default() };
        let wish = DataSubscription { track_sid: pose.sid.clone(), subscribe: true, options };
        script.say(&bob, Request::UpdateDataSubscription(vec![wish]));
        let rates = script.workers[&WorkerId(0)].changes.iter().rev().find_map(|change| match change {
            RouteChange::Subscribe { rules, .. } | RouteChange::Reschedule { rules, .. } => {
                Some(rules.max_hz)
            }
            _ => None,
        });
        (rates.flatten(), handles(&script.heard(&bob)).len())
    };
    assert_eq!(want(&mut script, Some(10)), (Some(10.0), 1));
    let handle = script.receives(&bob, &ada, 1);
    assert_eq!(want(&mut script, Some(60)), (Some(30.0), 0), "the handle is the same and not told again");
    assert_eq!(want(&mut script, Some(0)), (Some(30.0), 0));
    assert_eq!(script.receives(&bob, &ada, 1), handle);
}

#[test]
fn an_unknown_track_is_waited_for_60_s() {
    // The same seed draws the same sid.
    let sid = {
        let mut script = Script::new();
        let ada = script.guest("ada");
        script.guest("bob");
        script.publish(&ada, 1, "pose").unwrap().sid.clone()
    };
    let check = |wait: u64, expected: usize| {
        let mut script = Script::new();
        let (ada, bob) = (script.guest("ada"), script.guest("bob"));
        script.subscribe(&bob, &sid);
        script.pass(millis(wait));
        assert_eq!(script.publish(&ada, 1, "pose").unwrap().sid, sid);
        script.pass(millis(300));
        assert_eq!(handles(&script.heard(&bob)).len(), expected, "after {wait} ms");
        assert_eq!(script.room.counters().subscriptions_expired, 1 - expected as u64);
    };
    check(0, 1);
    check(59_999, 1);
    check(60_001, 0);
}

#[test]
fn wishes_for_unknown_tracks_are_bounded() {
    let limits = RoomLimits { pending_subscriptions: 2, ..RoomLimits::default() };
    let mut script = Script::with(RoomConfig { limits, ..RoomConfig::default() });
    let bob = script.guest("bob");
    for sid in ["DTR_a", "DTR_b", "DTR_c", "DTR_a", &"x".repeat(65)] {
        script.subscribe(&bob, sid);
    }
    assert_eq!(script.room.counters().subscriptions_dropped, 2);
    script.pass(millis(60_001));
    script.subscribe(&bob, "DTR_d");
    assert_eq!(
        (script.room.counters().subscriptions_dropped, script.room.counters().subscriptions_expired),
        (2, 2)
    );
}

#[test]
fn who_may_not_subscribe_gets_nothing_until_it_may() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    let bob = script.join(Arrival::new("bob").on(1).grant(|grant| grant.can_subscribe = Some(false)));
    let pose = script.publish(&ada, 1, "pose").unwrap();
    script.subscribe(&bob, &pose.sid);
    script.pass(millis(300));
    assert_eq!(handles(&script.heard(&bob)), []);
    let mut permission = script.view(&bob).own.as_ref().unwrap().permission.clone();
    permission.can_subscribe = true;
    script.permit("bob", permission.clone());
    let first = handles(&script.heard(&bob))[0].0;
    permission.can_subscribe = false;
    script.permit("bob", permission.clone());
    assert_eq!(script.receives(&bob, &ada, 1), None);
    permission.can_subscribe = true;
    script.permit("bob", permission);
    let second = handles(&script.heard(&bob))[0].0;
    assert_ne!(first, second, "a subscription returns under a new handle");
}

#[test]
fn a_publisher_decides_by_sid_or_identity_who_gets_which_track() {
    let mut script = Script::new();
    let (ada, bob, cid) = (script.guest("ada"), script.guest("bob"), script.guest("cid"));
    let recorder = script.join(Arrival::new("rec").grant(|grant| grant.recorder = true));
    let pose = script.publish(&ada, 1, "pose").unwrap();
    script.pass(millis(300));
    for guest in [&bob, &cid, &recorder] {
        script.subscribe(guest, &pose.sid);
        script.heard(guest);
    }
    let received =
        |script: &Script| [&bob, &cid, &recorder].map(|guest| script.receives(guest, &ada, 1).is_some());
    let update = |script: &Script, allowed| Response::SubscriptionPermissionUpdate {
        participant_sid: script.sid(&ada),
        track_sid: pose.sid.clone(),
        allowed,
    };
    permit(&mut script, &ada, Vec::new());
    assert_eq!(received(&script), [false, false, true], "recorders are exempt");
    assert_eq!(script.heard(&bob), [update(&script, false)]);
    assert_eq!(script.heard(&recorder), []);
    let by_sid =
        TrackPermission { participant_sid: script.sid(&bob), all_tracks: true, ..TrackPermission::default() };
    let track_sids = vec![pose.sid.clone()];
    let by_identity =
        TrackPermission { participant_identity: "cid".into(), track_sids, ..TrackPermission::default() };
    permit(&mut script, &ada, vec![by_sid, by_identity]);
    assert_eq!(received(&script), [true, true, true]);
    let heard = script.heard(&bob);
    assert!(heard.contains(&update(&script, true)));
    assert_eq!(handles(&heard).len(), 1);
}

#[test]
fn who_subscribes_to_a_forbidden_track_is_told_so() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    permit(&mut script, &ada, Vec::new());
    let pose = script.publish(&ada, 1, "pose").unwrap();
    script.pass(millis(300));
    script.heard(&bob);
    script.subscribe(&bob, &pose.sid);
    let heard = script.heard(&bob);
    assert!(
        matches!(&heard[..], [Response::SubscriptionPermissionUpdate { allowed: false, .. }]),
        "{heard:?}"
    );
}

#[test]
fn a_subscription_permission_is_bounded() {
    let limits = RoomLimits { permission_entries: 1, ..RoomLimits::default() };
    let mut script = Script::with(RoomConfig { limits, ..RoomConfig::default() });
    let ada = script.guest("ada");
    permit(&mut script, &ada, vec![TrackPermission::default(), TrackPermission::default()]);
    let heard = script.heard(&ada);
    assert!(
        matches!(&heard[..], [Response::RequestResponse { reason: Reason::LimitExceeded, .. }]),
        "{heard:?}"
    );
    assert_eq!(script.room.counters().permissions_too_long, 1);
}

#[test]
fn a_token_may_limit_the_names_of_received_tracks() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    let mut arrival = Arrival::new("bob");
    let subscribe_tracks = Some(NamePatterns::new(["cam/*"]).unwrap());
    arrival.claims.trackyard = TrackNames { subscribe_tracks, ..TrackNames::default() };
    let bob = script.join(arrival);
    for (handle, name) in [(1, "cam/front"), (2, "pose")] {
        let info = script.publish(&ada, handle, name).unwrap();
        script.subscribe(&bob, &info.sid);
    }
    script.pass(millis(300));
    assert!(script.receives(&bob, &ada, 1).is_some());
    assert_eq!(script.receives(&bob, &ada, 2), None);
    assert_eq!(handles(&script.heard(&bob)).len(), 1);
}

#[test]
fn a_hidden_publishers_track_is_unknown_until_it_is_seen() {
    let mut script = Script::new();
    let bob = script.guest("bob");
    let spy = script.join(Arrival::new("spy").grant(|grant| grant.hidden = true));
    let pose = script.publish(&spy, 1, "pose").unwrap();
    script.subscribe(&bob, &pose.sid);
    script.pass(millis(300));
    assert_eq!(handles(&script.heard(&bob)), []);
    let mut permission = script.view(&spy).own.as_ref().unwrap().permission.clone();
    let mut set_hidden = |script: &mut Script, hidden| {
        permission.hidden = hidden;
        let permission = permission.clone();
        script.permit("spy", permission);
        script.pass(millis(300));
    };
    set_hidden(&mut script, false);
    assert_eq!(script.view(&bob).tracks_of("spy"), ["pose"]);
    assert_eq!(handles(&script.heard(&bob)).len(), 1, "the wish was kept");
    set_hidden(&mut script, true);
    assert!(!script.view(&bob).others.contains_key("spy"));
    assert_eq!(script.receives(&bob, &spy, 1), None);
    assert!(script.view(&spy).own.as_ref().unwrap().permission.hidden);
}

#[test]
fn the_65_536th_subscription_is_refused_with_a_reason() {
    let mut script = Script::new();
    let (ada, bob, cid) = (script.guest("ada"), script.guest("bob"), script.guest("cid"));
    let mut sids = Vec::new();
    for handle in 1..=65_535 {
        sids.push(script.publish(&ada, handle, &handle.to_string()).unwrap().sid.clone());
        script.heard(&ada);
        if handle % 5_000 == 0 {
            script.pass(millis(1_000));
            script.heard(&bob);
        }
    }
    let last = script.publish(&bob, 1, "one more").unwrap();
    script.pass(millis(1_000));
    script.heard(&cid);
    for sids in sids.chunks(5_000) {
        let all = sids.iter().map(|sid| wants(sid, true)).flat_map(|request| match request {
            Request::UpdateDataSubscription(updates) => updates,
            _ => Vec::new(),
        });
        script.say(&cid, Request::UpdateDataSubscription(all.collect()));
    }
    let mut told: Vec<_> = handles(&script.heard(&cid)).into_iter().map(|(handle, _)| handle).collect();
    told.sort_unstable();
    assert!(told.into_iter().eq(1..=65_535));
    script.subscribe(&cid, &last.sid);
    let heard = script.heard(&cid);
    assert!(
        matches!(&heard[..], [Response::RequestResponse { reason: Reason::LimitExceeded, .. }]),
        "{heard:?}"
    );
    assert_eq!(script.room.counters().handles_exhausted, 1);

    script.unsubscribe(&cid, &sids[0]);
    script.subscribe(&cid, &last.sid);
    assert_eq!(handles(&script.heard(&cid)).len(), 1, "there is a handle for it now");
}
