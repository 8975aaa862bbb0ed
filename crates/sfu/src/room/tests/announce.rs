//! How tracks are announced: complete lists, paced, encoded once.

use std::sync::Arc;
use std::time::Duration;

use trackyard_proto::signal::MetadataUpdate;
use trackyard_proto::{Encoding, Outbound, ParticipantState, Request, Response};

use super::harness::{Arrival, Guest, Script, echo, millis, publication, wants};
use crate::control::Event;
use crate::room::{ConnectionId, Input};

/// Signalling bytes one watcher gets for tracks that are published with `pause` after every `burst`.
fn watched_bytes(tracks: u32, burst: u32, pause: Duration) -> usize {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    script.messages.clear();
    for handle in 1..=tracks {
        script
            .say(&ada, Request::PublishDataTrack(publication(handle, &format!("robot/sensor/{handle:05}"))));
        if handle % burst == 0 {
            script.pass(pause);
        }
    }
    script.pass(millis(1_000));
    assert_eq!(script.view(&bob).tracks_of("ada").len(), tracks as usize);
    sent_to(&script, bob.connection).map(|message| message.encode(Encoding::Binary).len()).sum()
}

fn sent_to(script: &Script, connection: ConnectionId) -> impl Iterator<Item = &Outbound> {
    script.messages.iter().filter(move |(to, _)| *to == connection).map(|(_, message)| message)
}

#[test]
fn the_bytes_of_announcements_grow_with_the_tracks() {
    for (burst, pause) in [(1, Duration::from_micros(200)), (1, millis(1)), (64, millis(1)), (64, millis(5))]
    {
        let (one, two) = (watched_bytes(1_000, burst, pause), watched_bytes(2_000, burst, pause));
        assert!(two * 10 <= one * 23, "{burst} per {pause:?}: {one} and {two} bytes");
    }
}

#[test]
fn a_thousand_tracks_cost_a_watcher_less_than_half_a_megabyte() {
    let bytes = watched_bytes(1_000, 1, Duration::from_micros(200));
    assert!(bytes <= 500_000, "{bytes} bytes");
    let bytes = watched_bytes(1_000, 64, millis(1));
    assert!(bytes <= 500_000, "{bytes} bytes");
}

#[test]
fn each_track_is_announced_within_250_ms() {
    for interval in [1, 3, 7, 40] {
        let mut script = Script::new();
        let (ada, bob) = (script.guest("ada"), script.guest("bob"));
        let long = "n".repeat(200);
        let mut waiting: Vec<(u64, String)> = Vec::new();
        for handle in 1..=2_000_u32 {
            let name = format!("{long}{handle}");
            script.say(&ada, Request::PublishDataTrack(publication(handle, &name)));
            waiting.push((u64::from(handle) * interval, name));
            script.pass(millis(interval));
            if handle % 100 == 0 {
                let seen = script.view(&bob).tracks_of("ada").len();
                let due = u64::from(handle) * interval + interval;
                let overdue = waiting.iter().skip(seen).find(|(published, _)| published + 250 < due);
                assert_eq!(overdue, None, "{seen} of {handle} seen");
            }
        }
    }
}

#[test]
fn the_next_list_goes_out_when_a_quarter_has_been_added() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    let mut sizes = Vec::new();
    for handle in 1..=40 {
        script.publish(&ada, handle, &handle.to_string()).unwrap();
        for message in script.heard(&bob) {
            let Response::Update(infos) = message else { continue };
            sizes.push(infos[0].data_tracks.len());
        }
    }
    assert_eq!(sizes, [1, 2, 3, 4, 5, 7, 9, 12, 15, 19, 24, 30, 38]);
    script.pass(millis(20));
    assert_eq!(script.view(&bob).tracks_of("ada").len(), 40);
}

#[test]
fn a_track_that_comes_and_goes_is_paced() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    for _ in 0..1_000 {
        script.publish(&ada, 1, "pose").unwrap();
        script.say(&ada, Request::UnpublishDataTrack { pub_handle: 1, echo: echo("u") });
        script.pass(millis(1));
    }
    let updates =
        script.heard(&bob).into_iter().filter(|message| matches!(message, Response::Update(_))).count();
    assert!(updates <= 110, "{updates} updates in a second");
}

#[test]
fn other_changes_of_a_publisher_wait_for_its_list_to_be_paid_for() {
    let mut script = Script::new();
    let ada = script.join(Arrival::new("ada").grant(|grant| grant.can_update_own_metadata = Some(true)));
    let bob = script.guest("bob");
    for handle in 1..=2_000 {
        script.say(&ada, Request::PublishDataTrack(publication(handle, &format!("track {handle:05}"))));
    }
    script.pass(millis(1_000));
    script.messages.clear();
    for count in 0..1_000 {
        let attributes = [("count".to_owned(), count.to_string())].into();
        let update =
            MetadataUpdate { request_id: 1, name: None, metadata: None, attributes, echo: echo("m") };
        script.say(&ada, Request::UpdateMetadata(update));
        script.pass(millis(1));
    }
    script.pass(millis(250));
    assert_eq!(script.view(&bob).others["ada"].attributes["count"], "999");
    let bytes: usize =
        sent_to(&script, bob.connection).map(|message| message.encode(Encoding::Binary).len()).sum();
    assert!(bytes <= 1_600_000, "{bytes} bytes in a second");
}

#[test]
fn a_list_is_encoded_once_for_all_watchers() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    let watchers = [script.guest("bob"), script.guest("cid")];
    script.messages.clear();
    script.publish(&ada, 1, "pose").unwrap();
    let is_list = |message: &&Outbound| matches!(message.response(), Response::Update(_));
    let [bob, cid] = watchers.map(|guest| match sent_to(&script, guest.connection).find(is_list) {
        Some(message) => (message.encode(Encoding::Binary).as_ptr(), message.clone()),
        None => panic!("nothing was sent"),
    });
    assert_eq!(bob.0, cid.0, "the same bytes");
    assert!(
        matches!((bob.1.response(), cid.1.response()), (Response::Update(a), Response::Update(b)) if Arc::ptr_eq(&a[0], &b[0]))
    );
}

#[test]
fn lists_of_its_own_tracks_are_no_news_to_a_publisher() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    script.guest("bob");
    script.heard(&ada);
    for handle in 1..=100 {
        script.publish(&ada, handle, &handle.to_string()).unwrap();
    }
    script.pass(millis(1_000));
    let lists =
        script.heard(&ada).into_iter().filter(|message| matches!(message, Response::Update(_))).count();
    assert_eq!(lists, 1, "only that it publishes now");
}

#[test]
fn an_update_is_split_between_participants_and_never_inside_one() {
    let mut script = Script::new();
    let watcher = script.guest("watcher");
    let mut arrivals = Vec::new();
    for count in 0..40 {
        let mut arrival = Arrival::new(&format!("guest {count}"));
        arrival.claims.metadata = "m".repeat(20 * 1024);
        arrivals.push(script.ask(arrival));
    }
    let mut large = Arrival::new("large");
    large.claims.metadata = "m".repeat(300 * 1024);
    script.ask(large);
    script.heard(&watcher);
    script.messages.clear();
    script.pass(millis(600));
    let sizes: Vec<_> =
        sent_to(&script, watcher.connection).map(|message| message.encode(Encoding::Binary).len()).collect();
    assert!(sizes.len() >= 7, "{sizes:?}");
    assert!(sizes.iter().all(|size| *size <= 131_072 || *size > 300 * 1024), "{sizes:?}");
    assert_eq!(script.view(&watcher).others.len(), 41);
}

#[test]
fn a_burst_of_joins_costs_each_watcher_few_messages() {
    let mut script = Script::new();
    let watcher = script.guest("watcher");
    script.pass(millis(5_000));
    script.heard(&watcher);
    let updates = |messages: Vec<Response>| {
        messages.iter().filter(|message| matches!(message, Response::Update(_))).count()
    };
    let guests: Vec<Guest> = (0..100)
        .map(|count| {
            let guest = script.ask(Arrival::new(&count.to_string()));
            script.event(Event::Connected { peer: guest.peer });
            script.pass(millis(10));
            guest
        })
        .collect();
    script.pass(millis(500));
    assert_eq!(script.view(&watcher).others.len(), 100);
    assert!(script.view(&watcher).others.values().all(|info| info.state == ParticipantState::Active));
    assert!(updates(script.heard(&watcher)) <= 4);
    for guest in guests {
        script.handle(Input::SignalClosed { connection: guest.connection });
        script.event(Event::Lost { peer: guest.peer });
    }
    script.pass(millis(500));
    assert!(script.view(&watcher).others.is_empty());
    assert!(updates(script.heard(&watcher)) <= 2);
}

#[test]
fn what_comes_together_is_said_once() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    script.heard(&bob);
    script.routes_held = true;
    script.outputs_held = true;
    for handle in 1..=200 {
        script.say(&ada, Request::PublishDataTrack(publication(handle, &format!("track {handle}"))));
    }
    script.outputs_held = false;
    script.pump();
    let lists = script.heard(&bob).into_iter().filter_map(|message| match message {
        Response::Update(infos) => Some(infos[0].data_tracks.clone()),
        _ => None,
    });
    let [tracks] = lists.collect::<Vec<_>>().try_into().expect("one list");
    assert_eq!(tracks.len(), 200);
    assert_eq!(script.queue.len(), 1, "one change of routes");
    script.routes_held = false;
    script.outputs_held = true;
    tracks.iter().for_each(|track| script.say(&bob, wants(&track.sid, true)));
    script.outputs_held = false;
    script.pump();
    let heard = script.heard(&bob);
    assert!(
        matches!(&heard[..], [Response::SubscriberHandles(handles)] if handles.len() == 200),
        "{heard:?}"
    );
}

#[test]
fn comings_and_goings_are_paid_for_by_all_who_watch() {
    let mut script = Script::new();
    let crowd: Vec<_> = (0..300).map(|number| script.ask(Arrival::new(&format!("guest {number}")))).collect();
    script.pass(millis(5_000));
    script.messages.clear();
    let watched = |script: &Script| {
        let sent = sent_to(script, crowd[0].connection);
        sent.filter(|message| matches!(message.response(), Response::Update(_))).count()
    };
    for guest in &crowd {
        script.event(Event::Connected { peer: guest.peer });
        script.pass(millis(1));
    }
    script.pass(millis(300));
    assert_eq!(watched(&script), 2, "the first at once, the others half a second later");
    script.ask(Arrival::new("late"));
    script.pass(millis(1_000));
    assert_eq!(watched(&script), 2, "three hundred told to three hundred last two seconds");
    script.pass(millis(2_000));
    assert_eq!(watched(&script), 3);
    script.pass(millis(5_000));
    script.ask(Arrival::new("alone"));
    assert_eq!(watched(&script), 4, "who comes alone is told at once");
}
