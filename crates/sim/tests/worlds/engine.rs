//! Our own client's engine against our own server: joining, coming back, giving up (protocol §9).

use std::time::Duration;

use trackyard_proto::DisconnectReason;
use trackyard_session::{
    CloseReason, Engine, EngineEvent, Output, ParticipantChange, Session, SessionConfig, SessionEvent,
    SignalFailure, SignalVersion, TracksConfig,
};
use trackyard_sim::message::MessageFactory;
use trackyard_sim::world::{ClientId, MessageRealm, NodeConfig, Realm, SeatConfig, Str0mRealm};
use trackyard_sim::{Guest, GuestEvent, MixedWorld};

use crate::support::{PATIENCE, begin};

const VERSIONS: [SignalVersion; 2] = [SignalVersion::V1, SignalVersion::V0];

fn config(version: SignalVersion) -> SessionConfig {
    SessionConfig { version, ..SessionConfig::default() }
}

fn messages(seed: u64) -> MixedWorld<MessageRealm> {
    MixedWorld::with_inhabitants(MessageRealm::new(begin()), NodeConfig::default(), seed)
}

fn webrtc(seed: u64) -> MixedWorld<Str0mRealm> {
    MixedWorld::with_inhabitants(Str0mRealm::new(begin()), NodeConfig::default(), seed)
}

fn enter<R: Realm>(world: &mut MixedWorld<R>, identity: &str, version: SignalVersion) -> ClientId {
    let client = world.connect(SeatConfig::new("room", identity), config(version));
    wait(world, client, |event| matches!(event, EngineEvent::Connected));
    client
}

/// Lets time pass until an event shows; answers the names of all until then.
fn wait<R: Realm>(
    world: &mut MixedWorld<R>,
    client: ClientId,
    mut is_it: impl FnMut(&EngineEvent) -> bool,
) -> Vec<String> {
    let mut seen = Vec::new();
    let in_time = world.run_until(3 * PATIENCE, |world| {
        let events = engine_events(world, client);
        seen.extend(events.iter().filter_map(name));
        events.iter().any(&mut is_it)
    });
    assert!(in_time, "{seen:?}");
    seen
}

/// What a client was told of its session as such.
fn engine_events<R: Realm>(world: &mut MixedWorld<R>, client: ClientId) -> Vec<EngineEvent> {
    let events = world.events(client).into_iter();
    events
        .filter_map(|(_, event)| match event {
            GuestEvent::Ours(SessionEvent::Engine(event)) => Some(event),
            _ => None,
        })
        .collect()
}

fn is_up(event: &EngineEvent) -> bool {
    matches!(event, EngineEvent::Reconnected { .. })
}

/// What an application is told about its session.
fn name(event: &EngineEvent) -> Option<String> {
    Some(match event {
        EngineEvent::Joined(_) => "joined".to_owned(),
        EngineEvent::Connected => "connected".to_owned(),
        EngineEvent::Reconnecting { resuming } => format!("reconnecting, resuming {resuming}"),
        EngineEvent::Resumed { .. } => "resumed".to_owned(),
        EngineEvent::Reconnected { resumed } => format!("reconnected, resumed {resumed}"),
        EngineEvent::Closed(reason) => format!("closed: {reason:?}"),
        EngineEvent::Participant(change, info) => format!("{change:?} {}", info.identity),
        _ => return None,
    })
}

fn sid<R: Realm>(world: &mut MixedWorld<R>, client: ClientId) -> String {
    world.with(client, |client, _| client.session().engine().sid().to_owned())
}

#[test]
fn it_connects_in_both_modes() {
    for version in VERSIONS {
        let mut world = messages(1);
        let client = world.connect(SeatConfig::new("room", "a"), config(version));
        let seen = wait(&mut world, client, |event| matches!(event, EngineEvent::Connected));
        assert_eq!(seen.first().map(String::as_str), Some("joined"));
        assert!(sid(&mut world, client).starts_with("PA_"));
        let other = enter(&mut world, "b", version);
        wait(
            &mut world,
            client,
            |event| matches!(event, EngineEvent::Participant(ParticipantChange::Joined, info) if info.identity == "b"),
        );
        world.with(other, |client, now| client.session().close(now));
        wait(
            &mut world,
            client,
            |event| matches!(event, EngineEvent::Participant(ParticipantChange::Left, info) if info.identity == "b"),
        );
    }
}

#[test]
fn it_connects_over_webrtc_in_both_modes() {
    for version in VERSIONS {
        let mut world = webrtc(2);
        let client = enter(&mut world, "a", version);
        assert!(world.with(client, |client, _| client.session().engine().is_active()));
    }
}

#[test]
fn a_broken_signal_connection_is_resumed() {
    for version in VERSIONS {
        let mut world = webrtc(3);
        let client = enter(&mut world, "a", version);
        let before = sid(&mut world, client);
        world.break_signal(client);
        let seen = wait(&mut world, client, is_up);
        let own: Vec<_> = seen.iter().filter(|name| !name.starts_with("Updated")).collect();
        assert_eq!(own, ["reconnecting, resuming true", "resumed", "reconnected, resumed true"]);
        assert_eq!(sid(&mut world, client), before);
    }
}

#[test]
fn who_leaves_during_an_interruption_is_told_as_gone() {
    let mut world = messages(4);
    let client = enter(&mut world, "stays", SignalVersion::V1);
    let other = enter(&mut world, "leaves", SignalVersion::V1);
    wait(
        &mut world,
        client,
        |event| matches!(event, EngineEvent::Participant(ParticipantChange::Joined, info) if info.identity == "leaves"),
    );
    world.seat(client).set_signal_works(false);
    world.break_signal(client);
    world.with(other, |client, now| client.session().close(now));
    world.run_for(Duration::from_secs(3));
    world.seat(client).set_signal_works(true);
    let seen = wait(
        &mut world,
        client,
        |event| matches!(event, EngineEvent::Participant(ParticipantChange::Left, info) if info.identity == "leaves"),
    );
    assert!(seen.contains(&"resumed".to_owned()), "{seen:?}");
}

#[test]
fn a_path_that_is_gone_for_8_s_keeps_the_session() {
    for version in VERSIONS {
        let mut world = webrtc(5);
        let client = enter(&mut world, "a", version);
        let before = sid(&mut world, client);
        world.seat(client).set_path(false);
        world.run_for(Duration::from_secs(8));
        world.seat(client).set_path(true);
        let up = world.run_until(PATIENCE, |world| {
            world.with(client, |client, _| client.session().engine().is_active())
        });
        assert!(up);
        assert_eq!(sid(&mut world, client), before);
    }
}

#[test]
fn a_path_and_signalling_gone_for_40_s_lead_to_a_new_session() {
    for version in VERSIONS {
        let mut world = webrtc(6);
        let client = enter(&mut world, "a", version);
        let before = sid(&mut world, client);
        world.seat(client).set_path(false);
        world.seat(client).set_signal_works(false);
        world.break_signal(client);
        world.run_for(Duration::from_secs(40));
        world.seat(client).set_path(true);
        world.seat(client).set_signal_works(true);
        let seen = wait(&mut world, client, is_up);
        assert_eq!(seen.last().map(String::as_str), Some("reconnected, resumed false"), "{seen:?}");
        assert!(seen.contains(&"joined".to_owned()), "{seen:?}");
        assert_ne!(sid(&mut world, client), before);
    }
}

#[test]
fn a_second_session_of_the_identity_ends_the_first_for_good() {
    let mut world = messages(7);
    let first = enter(&mut world, "a", SignalVersion::V1);
    let second = enter(&mut world, "a", SignalVersion::V1);
    let seen = wait(&mut world, first, |event| matches!(event, EngineEvent::Closed(_)));
    let reason = CloseReason::Server(DisconnectReason::DuplicateIdentity);
    assert_eq!(seen.last(), Some(&format!("closed: {reason:?}")), "{seen:?}");
    world.run_for(Duration::from_secs(30));
    assert!(world.events(first).is_empty(), "nothing follows");
    assert!(world.with(second, |client, _| client.session().engine().is_active()), "the second one stays");
}

#[test]
fn a_server_that_is_not_there_is_given_up_after_three_attempts() {
    let mut world = messages(8);
    let config = config(SignalVersion::V1);
    let client = world.enter(SeatConfig::new("room", "a"), |factories, now| {
        Guest::Ours(Box::new(Session::new(config, TracksConfig::default(), factories, now)))
    });
    world.seat(client).set_signal_works(false);
    world.with(client, |_, _| ());
    let seen = wait(&mut world, client, |event| matches!(event, EngineEvent::Closed(_)));
    assert_eq!(seen, ["closed: Unreachable(\"simulated\")"]);
    assert!(world.elapsed() < Duration::from_secs(3), "{:?}", world.elapsed());
}

#[test]
fn a_path_that_never_was_is_named() {
    let mut world = webrtc(9);
    let client = world.connect(SeatConfig::new("room", "a"), config(SignalVersion::V1));
    world.seat(client).set_path(false);
    let seen = wait(&mut world, client, |event| matches!(event, EngineEvent::Closed(_)));
    assert_eq!(seen.last().map(String::as_str), Some("closed: NoPath"), "{seen:?}");
}

#[test]
fn closing_tells_the_server_at_once() {
    let mut world = messages(10);
    let client = enter(&mut world, "a", SignalVersion::V1);
    world.with(client, |client, now| client.session().close(now));
    world.run_for(Duration::from_millis(200));
    let room = world.node().room("room").expect("it waits for its departure timeout");
    assert_eq!(room.participants().count(), 0);
    let seen: Vec<_> = engine_events(&mut world, client).iter().filter_map(name).collect();
    assert_eq!(seen.last().map(String::as_str), Some("closed: Local"), "{seen:?}");
}

#[test]
fn a_server_without_the_newer_route_is_asked_on_the_older_one() {
    let now = begin();
    let factory = MessageFactory::new(([10, 0, 0, 1], 1).into());
    let mut engine = Engine::new(config(SignalVersion::V1), [factory.clone(), factory], now);
    assert_eq!(asked(&mut engine), Some(SignalVersion::V1));
    engine.signal_failed(SignalFailure::NotFound, now);
    assert_eq!(asked(&mut engine), Some(SignalVersion::V0));
    engine.signal_failed(SignalFailure::NotFound, now);
    assert_eq!(asked(&mut engine), None);
    assert!(engine.is_closed(), "neither is there");
}

#[test]
fn a_refusal_ends_it_with_the_server_s_words() {
    let now = begin();
    let factory = MessageFactory::new(([10, 0, 0, 1], 1).into());
    let mut engine = Engine::new(config(SignalVersion::V1), [factory.clone(), factory], now);
    let failure = SignalFailure::Refused { status: 401, message: "invalid token".to_owned() };
    engine.signal_failed(failure, now);
    let closed = std::iter::from_fn(|| output(&mut engine)).find_map(|output| match output {
        Output::Event(EngineEvent::Closed(reason)) => Some(reason.to_string()),
        _ => None,
    });
    assert_eq!(closed.as_deref(), Some("refused by the server with status 401: invalid token"));
}

fn asked(engine: &mut Engine<MessageFactory>) -> Option<SignalVersion> {
    std::iter::from_fn(|| output(engine)).fold(None, |asked, output| match output {
        Output::OpenSignal(request) => Some(request.version),
        _ => asked,
    })
}

fn output(engine: &mut Engine<MessageFactory>) -> Option<Output<EngineEvent>> {
    match engine.poll_output() {
        Output::Timeout(_) => None,
        output => Some(output),
    }
}

/// Whatever breaks, in whatever order: once everything works, the session is up, and what was told
/// makes sense.
#[test]
fn it_always_comes_back() {
    for seed in 0..150 {
        let mut random = fastrand::Rng::with_seed(seed);
        let version = VERSIONS[random.usize(..2)];
        let mut world = messages(seed);
        let client = enter(&mut world, "a", version);
        let mut seen = Vec::new();
        for _ in 0..random.usize(1..8) {
            match random.u8(..4) {
                0 => world.break_signal(client),
                1 => world.seat(client).set_signal_works(random.bool()),
                2 => world.seat(client).set_path(random.bool()),
                _ => world.with(client, |client, now| client.session().network_changed(now)),
            }
            world.run_for(Duration::from_millis(random.u64(..12_000)));
            seen.extend(engine_events(&mut world, client));
        }
        world.seat(client).set_signal_works(true);
        world.seat(client).set_path(true);
        world.run_until(Duration::from_secs(120), |world| {
            world.with(client, |client, _| client.session().engine().is_active())
        });
        seen.extend(engine_events(&mut world, client));
        let names: Vec<_> = seen.iter().filter_map(name).collect();
        assert!(
            world.with(client, |client, _| client.session().engine().is_active()),
            "seed {seed}: {names:?}"
        );
        let pairs = names.iter().filter(|name| name.starts_with("reconnected")).count();
        assert!(names.iter().filter(|name| name.starts_with("reconnecting")).count() >= pairs, "{names:?}");
    }
}
