//! User packets over real sockets: complete and in order, for those who join and beside those who read nothing.

use std::time::{Duration, Instant};

use tokio::time::interval;
use trackyard_peer::ChannelKind;
use trackyard_proto::packet::{DataPacket, PacketValue, UserPacket, put_sequence};
use trackyard_proto::signal::LeaveAction;
use trackyard_proto::{ParticipantState, Response};
use trackyard_rig::flow::{self, Plan};
use trackyard_rig::{LiveClient, LiveConfig, Metrics, Site};
use trackyard_sim::client::ClientEvent;

use crate::machine::{alone, in_mode, links, shared};

const PATIENCE: Duration = Duration::from_secs(20);

fn packet(sequence: u32, bytes: usize) -> Vec<u8> {
    let mut payload = sequence.to_be_bytes().to_vec();
    payload.resize(bytes.max(4), 7);
    let user = UserPacket { payload: payload.into(), ..UserPacket::default() };
    let mut packet = PacketValue::User(user).reliable(Vec::new()).encode();
    put_sequence(&mut packet, sequence);
    packet
}

/// Sends numbered packets; whatever the channel has no room for yet is tried again.
async fn send(client: &LiveClient, sequences: std::ops::RangeInclusive<u32>, bytes: usize) {
    let mut rounds = interval(Duration::from_millis(2));
    for sequence in sequences {
        let message = packet(sequence, bytes);
        loop {
            let (told, heard) = tokio::sync::oneshot::channel();
            let message = message.clone();
            client
                .act(move |client, now| {
                    // Nobody waits any more only if this test is over.
                    let _ = told.send(client.send_raw(ChannelKind::Reliable, &message, now));
                })
                .unwrap();
            if heard.await.unwrap() {
                break;
            }
            rounds.tick().await;
        }
    }
}

fn number(event: &ClientEvent, sender: &str) -> Option<u32> {
    let ClientEvent::Message(ChannelKind::Reliable, message) = event else { return None };
    let packet = DataPacket::decode(message).unwrap();
    assert_eq!(packet.participant_identity, sender);
    let PacketValue::User(user) = packet.value else { panic!("{packet:?}") };
    let number = u32::from_be_bytes(user.payload[..4].try_into().unwrap());
    assert_eq!(packet.sequence, number, "the sender's number stays");
    Some(number)
}

/// Packets up to that number.
async fn receive(client: &mut LiveClient, sender: &str, last: u32) -> Vec<u32> {
    let mut numbers = Vec::new();
    while numbers.last() != Some(&last) {
        let (_, event) = client.event(PATIENCE).await.unwrap_or_else(|error| panic!("{error}: {numbers:?}"));
        numbers.extend(number(&event, sender));
    }
    numbers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packets_arrive_once_and_in_order_at_participants_of_every_worker() {
    let _machine = shared().await;
    let site = Site::start("").await.unwrap();
    let (sender, _) = LiveClient::join(site.client("sender", "room")).await.unwrap();
    let mut receivers = Vec::new();
    for (index, single) in [true, false, true, false].into_iter().enumerate() {
        let config = in_mode(single, site.client(&format!("r{index}"), "room"));
        receivers.push(LiveClient::join(config).await.unwrap().0);
    }
    send(&sender, 1..=1_000, 500).await;
    for receiver in &mut receivers {
        assert_eq!(receive(receiver, "sender", 1_000).await, (1..=1_000).collect::<Vec<_>>());
    }
    let metrics = Metrics::read(site.http()).await.unwrap();
    assert_eq!(metrics.counter("worker_messages_routed"), 1_000.0);
    assert_eq!(metrics.counter("worker_messages_forwarded"), 4_000.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_that_is_sent_to_someone_who_is_announced_and_still_joining() {
    let _machine = shared().await;
    let site = Site::start("").await.unwrap();
    for single in [true, false] {
        let room = format!("room-{single}");
        let (mut sender, _) = LiveClient::join(site.client("sender", &room)).await.unwrap();
        let far =
            LiveConfig { links: links(None, Duration::from_millis(200)), ..site.client("joiner", &room) };
        let mut joiner = LiveClient::start(in_mode(single, far)).await.unwrap();
        // As soon as others can know of it, it is not there yet for long.
        sender
            .wait(PATIENCE, |_, event| match event {
                ClientEvent::Update(infos) => infos
                    .iter()
                    .any(|info| info.identity == "joiner" && info.state < ParticipantState::Active)
                    .then_some(()),
                _ => None,
            })
            .await
            .unwrap();
        send(&sender, 1..=300, 200).await;
        assert_eq!(receive(&mut joiner, "sender", 300).await, (1..=300).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_takes_nothing_for_10_s_is_told_to_begin_anew_and_others_notice_nothing() {
    let _machine = alone().await;
    let site = Site::start("").await.unwrap();
    let (mut sender, _) = LiveClient::join(site.client("sender", "room")).await.unwrap();
    let sid = sender.publish(1, "telemetry").await.unwrap();
    let (mut stuck, _) = LiveClient::join(site.client("stuck", "room")).await.unwrap();
    let (mut fast, _) = LiveClient::join(site.client("fast", "room")).await.unwrap();
    let (mut watcher, _) = LiveClient::join(in_mode(false, site.client("watcher", "room"))).await.unwrap();
    watcher.subscribe(&sid).await.unwrap();
    stuck.set_links_up(false).unwrap();
    let plan = Plan::telemetry(1, Duration::from_secs(3));
    let end = Instant::now() + plan.duration + Duration::from_secs(1);
    let ((), sent, seen) = tokio::join!(
        send(&sender, 1..=800, 15_000),
        flow::send(&sender, plan),
        flow::collect(&mut watcher, &sid, end),
    );
    assert_eq!(receive(&mut fast, "sender", 800).await, (1..=800).collect::<Vec<_>>());
    let action = stuck
        .message(|response| match response {
            Response::Leave { action, .. } => Some(action),
            _ => None,
        })
        .await
        .unwrap();
    assert_eq!(action, LeaveAction::Reconnect);
    let (sent, seen) = (sent.unwrap(), seen.unwrap());
    assert!(seen.is_clean() && seen.intact * 100 >= sent.accepted * 99, "{} of {sent:?}", seen.intact);
    let metrics = Metrics::read(site.http()).await.unwrap();
    assert_eq!(metrics.counter("worker_reliable_overflow"), 1.0);
    assert_eq!(metrics.room_event("reliable_overflows"), 1.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_resume_the_server_says_what_it_has_and_passes_over_repetitions() {
    let _machine = shared().await;
    let site = Site::start("").await.unwrap();
    let (mut sender, _) = LiveClient::join(site.client("sender", "room")).await.unwrap();
    let (mut receiver, _) = LiveClient::join(site.client("receiver", "room")).await.unwrap();
    send(&sender, 1..=50, 100).await;
    assert_eq!(receive(&mut receiver, "sender", 50).await.len(), 50);
    sender.resume().unwrap();
    let last = sender
        .wait(PATIENCE, |_, event| match event {
            ClientEvent::Resumed { last_message_seq } => Some(last_message_seq),
            _ => None,
        })
        .await
        .unwrap();
    assert_eq!(last, 50);
    // A client that is not sure sends again what it has sent.
    send(&sender, 41..=60, 100).await;
    assert_eq!(receive(&mut receiver, "sender", 60).await, (51..=60).collect::<Vec<_>>());
}
