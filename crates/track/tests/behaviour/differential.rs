//! Beside the official client: each reads what the other cuts, and over a path that loses, repeats and
//! reorders we deliver at least what it does.

use std::time::{Duration, Instant};

use bytes::Bytes;
use fastrand::Rng;
use trackyard_proto::Request;
use trackyard_track::{
    Frame, LocalOutput, LocalTrackId, LocalTracks, LocalTracksConfig, PacketSize, PublishOptions,
    RemoteTracks,
};
use trackyard_wire::{Handle, Header, id, patch_handle, with_mark};

use crate::official::{HANDLE, OfficialReceiver, OfficialSender, Seen};
use crate::pair::{base, flush, publisher, received, subscriber};

const SEED: u64 = 0x7472_6163_6b73;

fn on_one_thread<F: Future<Output = ()>>(scenario: F) {
    eprintln!("seed {SEED:#x}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(scenario);
}

/// A payload that no other round has: short ones and those at the edge of a packet are as likely as
/// long ones.
fn random_seen(rng: &mut Rng, round: u32) -> Seen {
    let bytes_max = *rng.choice(&[2, 1_100, 70_000]).unwrap();
    let mut payload: Vec<u8> = round.to_be_bytes().to_vec();
    payload.extend((0..rng.usize(0..bytes_max)).map(|_| rng.u8(..)));
    Seen { payload: payload.into(), user_timestamp: rng.bool().then(|| rng.u64(..)) }
}

/// Our sender of one track, whose packets carry the handle that the official receiver knows.
struct OurSender {
    tracks: LocalTracks,
    track: LocalTrackId,
    now: Instant,
}

impl OurSender {
    fn new(packet_size: PacketSize) -> Self {
        let now = base();
        let options = PublishOptions { packet_size, ..PublishOptions::new("track") };
        let (tracks, ids) = publisher(&[options], now);
        Self { tracks, track: ids[0], now }
    }

    fn cut(&mut self, seen: &Seen) -> Vec<Bytes> {
        self.now += Duration::from_millis(10);
        let frame = Frame { payload: seen.payload.clone(), user_timestamp: seen.user_timestamp };
        self.tracks.try_push(self.track, frame, self.now).unwrap();
        flush(&mut self.tracks, self.now).iter().map(|packet| with_handle(packet, HANDLE)).collect()
    }
}

/// Our receiver of one track.
struct OurReceiver {
    tracks: RemoteTracks,
    now: Instant,
    handle: u16,
}

impl OurReceiver {
    fn new(handle: u16) -> Self {
        let now = base();
        Self { tracks: subscriber(handle, now).0, now, handle }
    }

    fn push(&mut self, packet: &Bytes) {
        self.tracks.packet(&with_handle(packet, self.handle), self.now);
    }

    /// What has come out once nothing more is waited for.
    fn settled(&mut self) -> Vec<Seen> {
        self.now += Duration::from_millis(100);
        self.tracks.handle_timeout(self.now);
        let frames = received(&mut self.tracks).0.into_iter();
        frames.map(|frame| Seen { payload: frame.payload, user_timestamp: frame.user_timestamp }).collect()
    }
}

fn with_handle(packet: &Bytes, handle: u16) -> Bytes {
    let mut packet = packet.to_vec();
    patch_handle(&mut packet, Handle::new(handle).unwrap());
    packet.into()
}

/// What a path does to the packets of a few frames: it loses, repeats and swaps some.
pub(crate) fn mangled(rng: &mut Rng, packets: Vec<Bytes>) -> Vec<Bytes> {
    let mut arriving = Vec::new();
    for packet in packets {
        match rng.u8(0..40) {
            0 => {}
            1 => arriving.extend([packet.clone(), packet]),
            _ => arriving.push(packet),
        }
    }
    for _ in 0..arriving.len() / 8 {
        let first = rng.usize(0..arriving.len());
        let second = (first + rng.usize(1..4)).min(arriving.len() - 1);
        arriving.swap(first, second);
    }
    arriving
}

#[test]
fn the_official_receiver_delivers_what_we_cut() {
    on_one_thread(async {
        for packet_size in [PacketSize::default(), PacketSize::Within(128), PacketSize::Bytes(1_060)] {
            let mut rng = Rng::with_seed(SEED);
            let (mut ours, mut official) =
                (OurSender::new(packet_size), OfficialReceiver::subscribe(false).await);
            for round in 0..150 {
                let seen = random_seen(&mut rng, round);
                let mut delivered = Vec::new();
                for packet in ours.cut(&seen) {
                    delivered.extend(official.push(&packet).await);
                }
                assert_eq!(delivered, [seen], "round {round}, {packet_size:?}");
            }
        }
    });
}

/// The packet that goes with a wish to publish a track that leaves this.
fn last_will(seen: &Seen) -> Bytes {
    let now = base();
    let mut tracks = LocalTracks::new(LocalTracksConfig::default(), now);
    tracks.restart(now);
    let last_will = Some(Frame { payload: seen.payload.clone(), user_timestamp: seen.user_timestamp });
    tracks.publish(PublishOptions { last_will, ..PublishOptions::new("track") }, now).unwrap();
    let LocalOutput::Request(Request::PublishDataTrack(request)) = tracks.poll_output() else {
        panic!("it does not ask")
    };
    request.last_will.unwrap()
}

#[test]
fn the_official_receiver_takes_a_last_will_for_a_frame_like_any_other() {
    on_one_thread(async {
        for user_timestamp in [None, Some(7)] {
            for payload in [&b"s"[..], b"stop", &[240; 1_200]] {
                let seen = Seen { payload: Bytes::copy_from_slice(payload), user_timestamp };
                let mut official = OfficialReceiver::subscribe(false).await;
                let delivered = official.push(&with_handle(&last_will(&seen), HANDLE)).await;
                assert_eq!(Vec::from_iter(delivered), [seen]);
            }
        }
    });
}

#[test]
fn the_official_receiver_takes_a_latched_frame_for_a_frame_like_any_other() {
    on_one_thread(async {
        let mut rng = Rng::with_seed(SEED);
        let mut ours = OurSender::new(PacketSize::default());
        for round in 0..20 {
            let mut official = OfficialReceiver::subscribe(false).await;
            let seen = random_seen(&mut rng, round);
            let mut delivered = Vec::new();
            for (index, packet) in ours.cut(&seen).iter().enumerate() {
                let header = Header::parse(packet).unwrap();
                let marked = (index == 0).then(|| Bytes::from(with_mark(&header, packet, id::LATCHED)));
                delivered.extend(official.push(&marked.unwrap_or_else(|| packet.clone())).await);
            }
            assert_eq!(delivered, [seen], "round {round}");
        }
    });
}

#[test]
fn we_deliver_what_the_official_sender_cuts() {
    on_one_thread(async {
        let mut rng = Rng::with_seed(SEED);
        let (mut official, mut ours) = (OfficialSender::publish(false).await, OurReceiver::new(9));
        for round in 0..150 {
            let seen = random_seen(&mut rng, round);
            official.cut(&seen).await.iter().for_each(|packet| ours.push(packet));
            assert_eq!(ours.settled(), [seen], "round {round}");
        }
    });
}

/// Both receivers are given the same packets of a mangled stream.
async fn check_mangled(mut cut: impl AsyncFnMut(&Seen) -> Vec<Bytes>, seed: u64) -> (usize, usize) {
    let mut rng = Rng::with_seed(seed);
    let (mut ours, mut official) = (OurReceiver::new(9), OfficialReceiver::subscribe(false).await);
    let (mut by_us, mut by_official) = (0, 0);
    for round in 0..60 {
        let sent: Vec<Seen> = (0..4).map(|frame| random_seen(&mut rng, round * 4 + frame)).collect();
        let mut packets = Vec::new();
        for seen in &sent {
            packets.extend(cut(seen).await);
        }
        let arriving = mangled(&mut rng, packets);
        let mut theirs = Vec::new();
        for packet in &arriving {
            assert!(Header::parse(packet).is_ok());
            theirs.extend(official.push(&with_handle(packet, HANDLE)).await);
            ours.push(packet);
        }
        let delivered = ours.settled();
        let order: Vec<_> = delivered.iter().map(|seen| sent.iter().position(|sent| sent == seen)).collect();
        assert!(
            order.iter().all(Option::is_some),
            "seed {seed:#x}, round {round}: a frame that was not sent"
        );
        assert!(
            order.is_sorted() && order.windows(2).all(|pair| pair[0] != pair[1]),
            "round {round}: {order:?}"
        );
        let missed = theirs.iter().find(|seen| !delivered.contains(seen));
        assert_eq!(missed, None, "seed {seed:#x}, round {round}");
        // It delivers a frame of one packet as often as the packet comes.
        theirs.dedup();
        by_us += delivered.len();
        by_official += theirs.len();
    }
    (by_us, by_official)
}

#[test]
fn over_a_bad_path_we_deliver_whatever_the_official_receiver_does() {
    on_one_thread(async {
        for seed in SEED..SEED + 4 {
            let mut ours = OurSender::new(PacketSize::default());
            let (by_us, by_official) = check_mangled(async |seen| ours.cut(seen), seed).await;
            assert!(by_us > by_official && by_official > 0, "{by_us} {by_official}");
            let mut official = OfficialSender::publish(false).await;
            let (by_us, by_official) = check_mangled(async |seen| official.cut(seen).await, seed).await;
            eprintln!(
                "seed {seed:#x}: of 240 frames cut officially {by_us} by us, {by_official} by the official receiver"
            );
            assert!(by_us >= by_official && by_official > 0, "{by_us} {by_official}");
        }
    });
}
