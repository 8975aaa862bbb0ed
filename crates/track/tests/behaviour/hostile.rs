//! Whatever comes from outside: nothing panics, every account is balanced, what is held is bounded.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use trackyard_proto::signal::{PublishedTrack, SubscriberHandle, SubscriptionOptions};
use trackyard_proto::{DataTrackInfo, Encryption, ParticipantInfo, ParticipantState};
use trackyard_track::{RemoteEvent, RemoteOutput, RemoteTrackId, RemoteTracks, RemoteTracksConfig};
use trackyard_wire::{Extensions, FrameNumber, Handle, PacketBuilder, Sequence};

use crate::pair::{base, participant, received, subscriber};

const SEED: u64 = 0x686f_7374_696c;
const INPUTS: usize = 120_000;

/// A packet near others of a track, or far from them, or broken.
fn packet(rng: &mut Rng, frame: &mut u16) -> Bytes {
    match rng.u8(0..20) {
        0 => *frame = rng.u16(..),
        1..=6 => *frame = frame.wrapping_add(rng.u16(0..3)),
        _ => {}
    }
    let near = frame.wrapping_sub(rng.u16(0..4)).wrapping_add(rng.u16(0..4));
    let builder = PacketBuilder {
        start: rng.u8(0..3) == 0,
        last: rng.u8(0..3) == 0,
        handle: Handle::new(7).unwrap(),
        sequence: Sequence::new(near.wrapping_mul(4).wrapping_add(rng.u16(0..6))),
        frame: FrameNumber::new(near),
        timestamp: rng.u32(..),
        extensions: Extensions { encryption: None, user_timestamp: rng.bool().then(|| rng.u64(..)) },
    };
    let mut packet = builder.build(&vec![0; rng.usize(0..40)]);
    if rng.u8(0..10) == 0 {
        let at = rng.usize(0..packet.len());
        packet[at] = rng.u8(..);
    }
    if rng.u8(0..20) == 0 {
        packet.truncate(rng.usize(0..packet.len()));
    }
    packet.into()
}

#[test]
fn packets_of_any_kind_are_accounted_for() {
    eprintln!("seed {SEED:#x}");
    let mut rng = Rng::with_seed(SEED);
    let mut now = base();
    let (mut tracks, track) = subscriber(7, now);
    let (mut frame, mut delivered, mut last) = (0, 0, 0);
    for input in 0..INPUTS {
        tracks.packet(&packet(&mut rng, &mut frame), now);
        if rng.u8(0..4) == 0 {
            now += Duration::from_micros(rng.u64(0..3_000));
            tracks.handle_timeout(now);
        }
        for frame in received(&mut tracks).0 {
            assert!(frame.number > last, "input {input}: out of order");
            last = frame.number;
            delivered += 1;
        }
        let stats = tracks.stats(track).unwrap();
        let accounted = stats.frames_delivered + stats.dropped_total() + stats.frames_waiting;
        assert_eq!(stats.frames_received, accounted, "input {input}: {stats:?}");
        assert_eq!(stats.frames_delivered, delivered);
        assert!(stats.frames_waiting <= 64);
    }
    assert!(delivered > 1_000, "{delivered}: the inputs exercise nothing");
}

fn random_info(rng: &mut Rng) -> Arc<DataTrackInfo> {
    let encryption = [Encryption::None, Encryption::Gcm, Encryption::Custom][rng.usize(0..3)];
    Arc::new(DataTrackInfo {
        pub_handle: rng.u16(0..6),
        sid: format!("{}{}", ["DTR_", "DTR_", "TR_", ""][rng.usize(0..4)], rng.u8(0..12)),
        name: ["", "a", "b", "c"][rng.usize(0..4)].to_owned(),
        encryption,
        frame_encoding: None,
        schema: None,
    })
}

fn random_participant(rng: &mut Rng) -> ParticipantInfo {
    let list = (0..rng.usize(0..6)).map(|_| random_info(rng)).collect();
    ParticipantInfo {
        identity: ["bob", "eve"][rng.usize(0..2)].to_owned(),
        sid: ["PA_1", "PA_2"][rng.usize(0..2)].to_owned(),
        state: if rng.u8(0..8) == 0 { ParticipantState::Disconnected } else { ParticipantState::Active },
        ..participant(list)
    }
}

fn random_handle(rng: &mut Rng) -> SubscriberHandle {
    let track_sid = format!("DTR_{}", rng.u8(0..14));
    let track = PublishedTrack { publisher_identity: String::new(), publisher_sid: String::new(), track_sid };
    SubscriberHandle { handle: rng.u16(0..10), track }
}

#[test]
fn signals_of_any_kind_leave_every_account_balanced() {
    eprintln!("seed {SEED:#x}");
    let mut rng = Rng::with_seed(SEED);
    let mut now = base();
    let mut tracks = RemoteTracks::new(RemoteTracksConfig { track_bytes_max: 2_000, bytes_max: 3_000 });
    let (mut subscriptions, mut known): (Vec<_>, Vec<RemoteTrackId>) = (Vec::new(), Vec::new());
    let (mut frame, mut failed) = (0, 0);
    for input in 0..INPUTS {
        match rng.u8(0..32) {
            0..3 => tracks.update(&random_participant(&mut rng), now),
            3 => tracks.restart(&[Arc::new(random_participant(&mut rng))], now),
            4 => tracks.pause(),
            5..7 => tracks.resume(now),
            7..10 => tracks.handles(&[random_handle(&mut rng), random_handle(&mut rng)]),
            10..12 if !known.is_empty() => {
                let options = SubscriptionOptions {
                    target_fps: rng.bool().then(|| rng.u32(0..3)),
                    ..SubscriptionOptions::default()
                };
                subscriptions.extend(tracks.subscribe(known[rng.usize(0..known.len())], options, now));
            }
            12 if !subscriptions.is_empty() => {
                tracks.unsubscribe(subscriptions.swap_remove(rng.usize(0..subscriptions.len())), now);
            }
            13 => now += Duration::from_millis(rng.u64(0..15_000)),
            _ => {
                let mut packet = packet(&mut rng, &mut frame).to_vec();
                if let Some(handle) = packet.get_mut(3) {
                    *handle = rng.u8(0..10);
                }
                tracks.packet(&packet.into(), now);
            }
        }
        tracks.handle_timeout(now);
        loop {
            match tracks.poll_output() {
                RemoteOutput::Event(RemoteEvent::Published { track, .. }) => known.push(track),
                RemoteOutput::Event(RemoteEvent::Unpublished { track, .. }) => {
                    known.retain(|id| *id != track)
                }
                RemoteOutput::Event(RemoteEvent::SubscribeFailed { subscriptions: gone, .. }) => {
                    failed += gone.len();
                    subscriptions.retain(|id| !gone.contains(id));
                }
                RemoteOutput::Timeout(at) => {
                    assert!(at.is_none_or(|at| at > now), "input {input}: a timer is due that was handled");
                    break;
                }
                _ => {}
            }
        }
        let alive: usize = known.iter().map(|id| tracks.subscriptions(*id).count()).sum();
        assert!(alive <= subscriptions.len(), "input {input}");
        for id in &known {
            let stats = tracks.stats(*id).unwrap();
            let accounted = stats.frames_delivered + stats.dropped_total() + stats.frames_waiting;
            assert_eq!(stats.frames_received, accounted, "input {input}: {stats:?}");
        }
    }
    assert!(failed > 10, "{failed}: nothing was waited for");
}
