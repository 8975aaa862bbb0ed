//! Packets of applications between clients of the SDK.

use std::time::Duration;

use trackyard::{
    DataDropReason, DataPacketKind, DataPublishOptions, DataReceived, E2eeOptions, Encryption,
    PublishDataError, Room, RoomEvent, RoomEvents, RoomOptions, SendDataError,
};
use trackyard_relay::{Relay, RelayConfig};
use trackyard_rig::Site;

use crate::room::{event, join, options, within};

/// Three in a room, as it is announced to each.
struct Room3 {
    site: Site,
    robot: Room,
    operator: Room,
    guest: Room,
    robot_events: RoomEvents,
    operator_events: RoomEvents,
    guest_events: RoomEvents,
}

impl Room3 {
    async fn new(options: impl Fn() -> RoomOptions) -> Self {
        let site = Site::start("").await.unwrap();
        let (robot, robot_events) = join(site.http(), "robot", options()).await;
        let (operator, operator_events) = join(site.http(), "operator", options()).await;
        let (guest, guest_events) = join(site.http(), "guest", options()).await;
        let mut room = Self { site, robot, operator, guest, robot_events, operator_events, guest_events };
        for identity in ["operator", "guest"] {
            active(&mut room.robot_events, identity).await;
        }
        room
    }

    async fn end(self) {
        for room in [&self.robot, &self.operator, &self.guest] {
            within(room.close()).await;
        }
        self.site.stop().await;
    }
}

async fn active(events: &mut RoomEvents, identity: &str) {
    event(events, |event| match event {
        RoomEvent::ParticipantActive(participant) => (participant.identity() == identity).then_some(()),
        _ => None,
    })
    .await;
}

async fn data(events: &mut RoomEvents) -> DataReceived {
    event(events, |event| match event {
        RoomEvent::DataReceived(data) => Some(data),
        _ => None,
    })
    .await
}

/// The numbers that come under a topic, until the last one.
async fn numbers(events: &mut RoomEvents, last: u32) -> Vec<u32> {
    let mut numbers = Vec::new();
    while numbers.last() != Some(&last) {
        let data = data(events).await;
        numbers.push(u32::from_be_bytes(data.payload[..4].try_into().unwrap()));
    }
    numbers
}

async fn in_order(single: bool) {
    let mut room = Room3::new(|| options(single)).await;
    let robot = room.robot.local_participant();
    for number in 0..200_u32 {
        let options = DataPublishOptions::reliable().with_topic("count");
        within(robot.publish_data(number.to_be_bytes().to_vec(), options)).await.unwrap();
    }
    for events in [&mut room.operator_events, &mut room.guest_events] {
        let first = data(events).await;
        assert_eq!((first.kind, first.topic.as_deref()), (DataPacketKind::Reliable, Some("count")));
        assert_eq!(first.participant.map(|sender| sender.identity().to_owned()).as_deref(), Some("robot"));
        assert_eq!((first.participant_identity.as_str(), first.encryption), ("robot", Encryption::None));
        assert_eq!(numbers(events, 199).await, (1..200).collect::<Vec<_>>());
    }
    assert_eq!(room.robot.stats().data.reliable_written, 200);
    room.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reliable_packets_arrive_in_order_with_one_connection() {
    in_order(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reliable_packets_arrive_in_order_with_two_connections() {
    in_order(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lossy_packets_and_those_for_some_alone_arrive_where_they_should() {
    let mut room = Room3::new(RoomOptions::new).await;
    let robot = room.robot.local_participant();
    robot.publish_data("hi", DataPublishOptions::lossy().with_destination("guest")).await.unwrap();
    let lossy = data(&mut room.guest_events).await;
    assert_eq!((lossy.payload.as_ref(), lossy.kind, lossy.topic), (&b"hi"[..], DataPacketKind::Lossy, None));
    let to_both = DataPublishOptions::reliable().with_destinations(["operator", "guest"]);
    within(robot.publish_data("both", to_both)).await.unwrap();
    // What the operator gets first is what was for it as well.
    for events in [&mut room.operator_events, &mut room.guest_events] {
        assert_eq!(data(events).await.payload, "both");
    }
    room.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_long_is_refused_before_it_is_sent() {
    let mut room = Room3::new(RoomOptions::new).await;
    let robot = room.robot.local_participant();
    for options in [DataPublishOptions::reliable(), DataPublishOptions::lossy()] {
        let refused = robot.publish_data(vec![7; 64_000], options).await.unwrap_err();
        let PublishDataError::Refused(SendDataError::TooLarge { bytes, limit }) = refused else {
            panic!("{refused}");
        };
        assert!(bytes > limit && limit == 64_000);
    }
    within(robot.publish_data(vec![7; 63_900], DataPublishOptions::reliable())).await.unwrap();
    assert_eq!(data(&mut room.operator_events).await.payload, vec![7; 63_900]);
    room.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_an_encrypted_room_only_who_has_the_key_reads() {
    let encrypted =
        || RoomOptions::new().with_encryption(E2eeOptions::with_passphrase("correct horse").unwrap());
    let mut room = Room3::new(encrypted).await;
    let (stranger, mut stranger_events) = join(room.site.http(), "stranger", RoomOptions::new()).await;
    active(&mut room.robot_events, "stranger").await;
    let robot = room.robot.local_participant();
    for options in [DataPublishOptions::reliable(), DataPublishOptions::lossy()] {
        within(robot.publish_data("secret", options.with_topic("hidden"))).await.unwrap();
        let data = data(&mut room.operator_events).await;
        assert_eq!((data.payload.as_ref(), data.encryption), (&b"secret"[..], Encryption::Gcm));
        assert_eq!(data.topic.as_deref(), Some("hidden"));
    }
    let undecryptable = event(&mut stranger_events, |event| match event {
        RoomEvent::DataUndecryptable { participant_identity, error } => Some((participant_identity, error)),
        RoomEvent::DataReceived(data) => panic!("{data:?}"),
        _ => None,
    })
    .await;
    assert_eq!(undecryptable, ("robot".to_owned(), None));
    // What comes in the clear is told to be so.
    let plain = stranger.local_participant();
    within(plain.publish_data("plain", DataPublishOptions::reliable())).await.unwrap();
    assert_eq!(data(&mut room.operator_events).await.encryption, Encryption::None);
    within(stranger.close()).await;
    room.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_reliably_is_delivered_before_a_room_is_left() {
    let mut room = Room3::new(RoomOptions::new).await;
    let robot = room.robot.local_participant();
    let all = (0..300_u32).map(|number| {
        let mut payload = number.to_be_bytes().to_vec();
        payload.resize(10_000, 0);
        robot.publish_data(payload, DataPublishOptions::reliable())
    });
    let mut sent = futures_util::future::join_all(all);
    // From here on all of them are sent, or wait for their turn.
    assert!(futures_util::poll!(&mut sent).is_pending());
    within(room.robot.close()).await;
    assert_eq!(numbers(&mut room.operator_events, 299).await.len(), 300);
    assert!(within(sent).await.iter().all(Result::is_ok));
    let late = robot.publish_data("late", DataPublishOptions::reliable()).await.unwrap_err();
    assert_eq!(late, PublishDataError::Refused(SendDataError::Closed));
    room.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_when_a_room_is_left_is_told_lost() {
    let site = Site::start("").await.unwrap();
    let relay = Relay::start(RelayConfig::new(site.http())).await.unwrap();
    let options = RoomOptions::new().with_close_timeout(Duration::from_millis(200));
    let (robot, _events) = join(relay.address(), "robot", options).await;
    relay.set_up(false);
    let participant = robot.local_participant();
    let all: Vec<_> = (0..100)
        .map(|_| {
            let participant = participant.clone();
            tokio::spawn(async move {
                participant.publish_data(vec![7; 60_000], DataPublishOptions::reliable()).await
            })
        })
        .collect();
    let mut taken = 0;
    let mut dropped = 0;
    tokio::task::yield_now().await;
    within(robot.close()).await;
    for answer in all {
        match within(answer).await.unwrap() {
            Ok(()) => taken += 1,
            Err(
                PublishDataError::Dropped(DataDropReason::Closed)
                | PublishDataError::Refused(SendDataError::Closed),
            ) => dropped += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(taken < 20 && dropped > 80, "{taken} taken, {dropped} dropped");
    site.stop().await;
}

/// Nothing is lost, nothing comes twice, and the order stays, whatever happens to the sender's way.
async fn outage(single: bool, fault: impl AsyncFnOnce(&Relay)) {
    let site = Site::start("").await.unwrap();
    let relay = Relay::start(RelayConfig::new(site.http())).await.unwrap();
    let (robot, _robot_events) = join(relay.address(), "robot", options(single)).await;
    let (operator, mut events) = join(site.http(), "operator", options(single)).await;
    let sender = robot.local_participant();
    let sending = tokio::spawn(async move {
        let mut pace = tokio::time::interval(Duration::from_millis(1));
        for number in 0..1_000_u32 {
            pace.tick().await;
            let mut payload = number.to_be_bytes().to_vec();
            payload.resize(200, 0);
            sender.publish_data(payload, DataPublishOptions::reliable()).await.unwrap();
        }
    });
    let first = data(&mut events).await;
    assert_eq!(first.payload[..4], [0; 4]);
    fault(&relay).await;
    assert_eq!(numbers(&mut events, 999).await, (1..1_000).collect::<Vec<_>>());
    within(sending).await.unwrap();
    within(robot.close()).await;
    within(operator.close()).await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_signal_connection_loses_no_packets() {
    for single in [true, false] {
        outage(single, async |relay| relay.cut_signal()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_is_gone_for_three_seconds_loses_no_packets() {
    // The pause is the fault itself.
    outage(true, async |relay| {
        relay.set_up(false);
        tokio::time::sleep(Duration::from_secs(3)).await;
        relay.set_up(true);
    })
    .await;
}
