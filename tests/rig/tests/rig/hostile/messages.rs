//! Participants whose user packets are not what they should be, and two who only count.

use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};
use trackyard_auth::VideoGrant;
use trackyard_peer::ChannelKind;
use trackyard_proto::packet::{DataPacket, PacketValue, StreamHeader, UserPacket, put_sequence};
use trackyard_rig::{LiveClient, LiveConfig, token_with};
use trackyard_sim::client::ClientEvent;

use super::Target;
use super::udp::noise;

const ROUND_EVERY: Duration = Duration::from_millis(10);
/// Far above anything sensible, within what the wire carries.
const DESTINATIONS: usize = 2_000;
/// It can be sent, and not with its sender's name.
const TOO_LONG: usize = 65_490;
/// Long packets are rare: what they cost is the path, and that is not what is tried here.
const RARE: u64 = 50;

fn user(bytes: usize) -> DataPacket {
    let user = UserPacket { payload: vec![3; bytes].into(), ..UserPacket::default() };
    PacketValue::User(user).reliable(vec!["malformed".to_owned()])
}

fn numbered(packet: &DataPacket, sequence: u32) -> Vec<u8> {
    let mut bytes = packet.encode();
    put_sequence(&mut bytes, sequence);
    bytes
}

/// Packets that are none, too long, forged, repeated, for thousands, or the beginning of streams without end.
pub(super) async fn hostile(target: Target) -> u64 {
    let (mut client, _) = LiveClient::join(target.stranger("babbler")).await.unwrap();
    let (mut random, mut rounds, mut count) = (fastrand::Rng::with_seed(8), interval(ROUND_EVERY), 0);
    while !target.is_over() {
        rounds.tick().await;
        let forged = DataPacket {
            participant_identity: "talker".to_owned(),
            participant_sid: "PA_forged".to_owned(),
            ..user(10)
        };
        let many = DataPacket {
            destination_identities: (0..DESTINATIONS).map(|number| format!("nobody-{number}")).collect(),
            ..user(10)
        };
        let header = StreamHeader {
            stream_id: format!("s{count}"),
            total_length: Some(u64::MAX),
            ..StreamHeader::default()
        };
        let stream = PacketValue::StreamHeader(header).reliable(vec!["malformed".to_owned()]);
        let mut messages = vec![
            noise(&mut random, &[0x12]),
            noise(&mut random, &[0x22, 0x05]),
            numbered(&forged, 1),
            numbered(&stream, 0),
            vec![0x0b; 1_000],
        ];
        if count % RARE == 0 {
            messages.extend([numbered(&many, 0), numbered(&user(TOO_LONG), 0)]);
        }
        client
            .act(move |client, now| {
                for message in messages {
                    // What does not fit is not sent.
                    client.send_raw(ChannelKind::Reliable, &message, now);
                    client.send_raw(ChannelKind::Lossy, &message, now);
                }
            })
            .unwrap();
        client.drain();
        count += 1;
    }
    client.leave().await.unwrap();
    count
}

/// A participant that may not send anything, and does.
pub(super) async fn forbidden(target: Target) -> u64 {
    let grant = VideoGrant {
        room_join: true,
        room: "yard".to_owned(),
        can_publish_data: Some(false),
        ..VideoGrant::default()
    };
    let config = LiveConfig { token: token_with("mute", grant), ..target.stranger.clone() };
    let (mut client, _) = LiveClient::join(config).await.unwrap();
    let (mut rounds, mut count) = (interval(ROUND_EVERY), 0);
    while !target.is_over() {
        rounds.tick().await;
        let message = numbered(&user(100), count);
        client
            .act(move |client, now| {
                client.send_raw(ChannelKind::Reliable, &message, now);
            })
            .unwrap();
        client.drain();
        count += 1;
    }
    client.leave().await.unwrap();
    u64::from(count)
}

/// Sends a numbered packet every 10 ms until the end; answers how many.
pub(super) async fn count(client: &LiveClient, until: Instant) -> u32 {
    let mut rounds = interval(ROUND_EVERY);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut sequence = 0;
    while Instant::now() < until {
        rounds.tick().await;
        sequence += 1;
        let message =
            numbered(&DataPacket { destination_identities: vec!["reader".to_owned()], ..user(50) }, sequence);
        client
            .act(move |client, now| {
                assert!(
                    client.send_raw(ChannelKind::Reliable, &message, now),
                    "a channel that carries little has room"
                );
            })
            .unwrap();
    }
    sequence
}

/// The numbers that have come from the talker so far.
pub(super) fn numbers(client: &mut LiveClient) -> Vec<u32> {
    let packets = client.drain().into_iter().filter_map(|(_, event)| match event {
        ClientEvent::Message(ChannelKind::Reliable, message) => DataPacket::decode(&message).ok(),
        _ => None,
    });
    packets.filter(|packet| packet.participant_identity == "talker").map(|packet| packet.sequence).collect()
}
