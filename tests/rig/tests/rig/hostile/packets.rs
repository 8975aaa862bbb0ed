//! Participants whose packets are not what they should be, or who cannot make up their mind.

use std::time::Duration;

use tokio::time::interval;
use trackyard_peer::ChannelKind;
use trackyard_rig::LiveClient;

use super::Target;
use super::udp::noise;

const ROUND_EVERY: Duration = Duration::from_millis(10);
/// Changes of mind in one round.
const TOGGLES: usize = 20;

/// A header of 12 bytes: flags, handle, sequence, frame, timestamp.
fn packet(flags: u8, handle: u16) -> Vec<u8> {
    let [high, low] = handle.to_be_bytes();
    vec![flags, 0, high, low, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]
}

/// Data-track packets of every wrong kind, and noise on the other channels.
pub(super) async fn malformed(target: Target) -> u64 {
    let (mut client, _) = LiveClient::join(target.stranger("malformed")).await.unwrap();
    client.publish(9, "mine").await.unwrap();
    let (mut random, mut rounds, mut count) = (fastrand::Rng::with_seed(6), interval(ROUND_EVERY), 0);
    while !target.is_over() {
        rounds.tick().await;
        let endless = [&packet(0x1c, 9)[..12], &[0xff, 0xff, 7, 7]].concat();
        let messages = [
            (ChannelKind::DataTrack, packet(0x18, 9)[..11].to_vec()),
            (ChannelKind::DataTrack, packet(0xf8, 9)),
            (ChannelKind::DataTrack, packet(0x18, 0)),
            (ChannelKind::DataTrack, packet(0x18, 4_242)),
            (ChannelKind::DataTrack, endless),
            (ChannelKind::DataTrack, noise(&mut random, &[])),
            (ChannelKind::Reliable, noise(&mut random, &[])),
            (ChannelKind::Lossy, noise(&mut random, &[])),
        ];
        client
            .act(move |client, now| {
                for (channel, message) in messages {
                    // What does not fit is not sent.
                    client.send_raw(channel, &message, now);
                }
            })
            .unwrap();
        client.drain();
        count += 1;
    }
    client.leave().await.unwrap();
    count
}

/// Subscribes to the bystander's track and takes it back, again and again.
pub(super) async fn toggled_subscriptions(target: Target) -> u64 {
    let (mut client, _) = LiveClient::join(target.stranger("undecided")).await.unwrap();
    let (mut rounds, mut count) = (interval(ROUND_EVERY), 0);
    while !target.is_over() {
        rounds.tick().await;
        let track = target.track.clone();
        client
            .act(move |client, _| {
                for _ in 0..TOGGLES {
                    client.subscribe(&track);
                    client.unsubscribe(&track);
                }
            })
            .unwrap();
        client.drain();
        count += 1;
    }
    client.leave().await.unwrap();
    count
}
