//! Rooms under more than they can take.

use trackyard_auth::Token;
use trackyard_net::{EventSink, NetConfig};
use trackyard_sfu::control::Event;

use super::*;
use crate::config::Config;
use crate::rooms::log::tests::Captured;

struct Bench {
    rooms: Rooms,
    events: EventRouter,
    _entered: Entered,
}

fn arrival(room: &str) -> Arrival {
    let address = SocketAddr::from(([192, 0, 2, 7], 4_000));
    let (keys, now) = (Config::dev().keys(), Clock::default().unix_s());
    let jwt = keys.sign(&Token::new("robot").room(room), now).unwrap();
    let verified = keys.verify(&jwt, now).unwrap();
    Arrival { verified, room: room.to_owned(), request: JoinRequest::default(), single: true, address }
}

/// A room `yard` with somebody in it.
async fn bench() -> Bench {
    let (config, events) = (Config::dev(), EventRouter::default());
    let mut net = NetConfig::default();
    net.udp = vec!["127.0.0.1:0".parse().unwrap()];
    let workers = trackyard_net::start(&net, &events).unwrap();
    let keys = Arc::new(config.keys());
    let webhooks = Webhooks::start(&config.webhook, &keys, &Clock::default()).unwrap();
    let wiring = Wiring { workers, keys, events: events.clone(), webhooks, clock: Clock::default() };
    let rooms = Rooms::new(wiring, config.room_defaults());
    let entered = rooms.enter(arrival("yard")).await.unwrap();
    Bench { rooms, events, _entered: entered }
}

impl Bench {
    fn yard(&self) -> Entry {
        self.rooms.0.table()["yard"].clone()
    }

    /// How many of these events are lost.
    fn lost(&self, events: impl Iterator<Item = Event>) -> u64 {
        let (room, before) = (self.yard().key, self.events.lost().get());
        events.for_each(|event| self.events.deliver(room, event));
        self.events.lost().get() - before
    }
}

fn connected() -> Event {
    Event::Connected { peer: PeerId(u64::MAX) }
}

// Rooms run on the thread of their test: as long as it awaits nothing, they take nothing.

#[tokio::test]
async fn what_clients_say_pushes_out_nothing_that_workers_say() {
    let bench = bench().await;
    let mailbox = bench.yard().mailbox;
    while mailbox.try_send(RoomMessage::input(Input::Timeout)).is_ok() {}
    assert_eq!(bench.lost(std::iter::once(connected())), 0);
}

#[tokio::test]
async fn packets_of_users_push_out_nothing_else() {
    let bench = bench().await;
    let packet = || Event::TooLong { peer: PeerId(1), bytes: 70_000 };
    assert!(bench.lost(std::iter::repeat_with(packet).take(100_000)) > 0, "they are bounded");
    assert_eq!(bench.lost(std::iter::repeat_with(connected).take(1_000)), 0);
}

#[tokio::test]
async fn a_preset_that_nobody_knows_makes_no_room() {
    let bench = bench().await;
    let mut preset = arrival("new");
    preset.verified.claims.room_preset = "large".to_owned();
    assert_eq!(bench.rooms.enter(preset.clone()).await.unwrap_err().status.as_u16(), 400);
    assert!(bench.rooms.find("new").is_none());
    let there = Arrival { room: "yard".to_owned(), ..preset };
    bench.rooms.enter(there).await.expect("a room that is there needs none");
}

#[tokio::test]
async fn there_are_only_so_many_rooms() {
    let bench = bench().await;
    let yard = bench.yard();
    for number in 1..ROOMS_MAX {
        bench.rooms.0.table().insert(number.to_string(), yard.clone());
    }
    let refusal = bench.rooms.enter(arrival("one more")).await.unwrap_err();
    assert_eq!(refusal.status.as_u16(), 503);
    bench.rooms.enter(arrival("yard")).await.expect("a room that is there takes more");
}

#[tokio::test]
async fn the_log_tells_who_came_and_went() {
    let (captured, _guard) = Captured::begin();
    let bench = bench().await;
    bench.rooms.shut_down(LeaveAction::Disconnect).await;
    let text = captured.text();
    let lines: Vec<_> = text.lines().collect();
    let expected = [
        &[r#"room opened room="yard" sid="RM_"#][..],
        &[
            r#"participant joined room="yard" identity="robot" sid="PA_"#,
            "address=192.0.2.7:4000",
            "protocol=0",
        ],
        &[r#"participant left room="yard" identity="robot" sid="PA_"#, "reason=ServerShutdown after="],
        &[r#"room closed room="yard" sid="RM_"#, "after="],
    ];
    assert_eq!(lines.len(), expected.len(), "{text}");
    for (line, parts) in lines.into_iter().zip(expected) {
        assert!(parts.iter().all(|part| line.contains(part)), "{parts:?} in {line}");
    }
}
