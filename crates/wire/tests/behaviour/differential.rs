//! Beside the official client: each reads what the other writes, and both drop the same frames.

use fastrand::Rng;
use trackyard_wire::{
    Encryption, Extensions, FrameNumber, Handle, Header, PacketBuilder, Packetizer, Reassembler, Sequence,
    SourceFrame, patch_handle,
};

use crate::official::{HANDLE, OfficialReceiver, OfficialSender, Seen};

const SEED: u64 = 0x6469_6666_6572;
/// Large enough never to be what decides.
const REASSEMBLY_BYTES_MAX: usize = 1 << 30;

struct RandomFrame {
    payload: Vec<u8>,
    extensions: Extensions,
}

impl RandomFrame {
    fn new(rng: &mut Rng, encrypted: bool, bytes_max: usize) -> Self {
        // Short frames and those at the edge of a packet are as likely as long ones.
        let bytes_max = *rng.choice(&[2, 100, bytes_max]).unwrap();
        let payload = (0..rng.usize(0..bytes_max)).map(|_| rng.u8(..)).collect();
        let encryption = encrypted.then(|| random_encryption(rng));
        let user_timestamp = rng.bool().then(|| rng.u64(..));
        Self { payload, extensions: Extensions { encryption, user_timestamp } }
    }

    fn seen(&self) -> Seen {
        let Extensions { encryption, user_timestamp } = self.extensions;
        Seen::new(&self.payload, encryption, user_timestamp)
    }
}

fn random_encryption(rng: &mut Rng) -> Encryption {
    let mut iv = [0; 12];
    rng.fill(&mut iv);
    Encryption { key_index: rng.u8(..), iv }
}

fn on_one_thread<F: Future<Output = ()>>(scenario: F) {
    eprintln!("seed {SEED:#x}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(scenario);
}

fn packetizer(packet_bytes_max: usize) -> Packetizer {
    Packetizer::new(Handle::new(HANDLE).unwrap(), packet_bytes_max).unwrap()
}

/// Frames of random size, cut by us to random packets, read by the official receiver.
async fn check_official_reads_ours(encrypted: bool) {
    let mut rng = Rng::with_seed(SEED);
    let mut official = OfficialReceiver::subscribe(encrypted).await;
    for round in 0..300 {
        let packet_bytes_max = rng.usize(60..400);
        let numbers = (Sequence::new(rng.u16(..)), FrameNumber::new(rng.u16(..)));
        let mut packetizer = packetizer(packet_bytes_max).starting_at(numbers.0, numbers.1);
        let frame = RandomFrame::new(&mut rng, encrypted, 20 * 128);
        let source =
            SourceFrame { payload: &frame.payload, extensions: frame.extensions, timestamp: rng.u32(..) };
        let mut packets: Vec<_> = packetizer.packetize(source).unwrap().collect();
        if packets.len() > 3 {
            let middles = 1..packets.len() - 1;
            rng.shuffle(&mut packets[middles]);
        }
        let mut seen = Vec::new();
        for packet in &packets {
            seen.extend(official.push(packet).await);
        }
        assert_eq!(seen, [frame.seen()], "round {round}");
    }
}

/// Both receivers take a frame of 128 packets; neither takes one more.
async fn check_packets_of_largest_frame() {
    let mut official = OfficialReceiver::subscribe(false).await;
    for (count, whole) in [(127_u16, true), (128, true), (129, false)] {
        let builder = |sequence: u16| PacketBuilder {
            start: sequence == 0,
            last: sequence == count - 1,
            handle: Handle::new(HANDLE).unwrap(),
            sequence: Sequence::new(sequence),
            frame: FrameNumber::new(count),
            timestamp: 0,
            extensions: Extensions::default(),
        };
        let mut reassembler = Reassembler::new(REASSEMBLY_BYTES_MAX);
        let (mut ours, mut theirs) = (0, 0);
        for sequence in 0..count {
            let packet = builder(sequence).build(b"x");
            ours += usize::from(reassembler.push(&packet).unwrap().frame.is_some());
            theirs += official.push(&packet).await.len();
        }
        assert_eq!((ours, theirs), (usize::from(whole), usize::from(whole)), "{count} packets");
    }
}

/// Frames cut by the official sender: read by us, and the same bytes as our own.
async fn check_we_cut_as_official(encrypted: bool) {
    let mut rng = Rng::with_seed(SEED);
    let mut official = OfficialSender::publish(encrypted).await;
    let mut ours: Option<Packetizer> = None;
    let mut reassembler = Reassembler::new(REASSEMBLY_BYTES_MAX);
    for round in 0..100 {
        let mut frame = RandomFrame::new(&mut rng, encrypted, 70_000);
        // It makes no packet of an empty frame.
        frame.payload.push(1);
        let packets = official.cut(&frame.seen()).await;
        let header = Header::parse(&packets[0]).unwrap();
        let ours = ours.get_or_insert_with(|| {
            Packetizer::new(header.handle, trackyard_wire::PACKET_BYTES_DEFAULT).unwrap()
        });
        let timestamp = header.timestamp;
        let source = SourceFrame { payload: &frame.payload, extensions: frame.extensions, timestamp };
        let cut: Vec<_> = ours.packetize(source).unwrap().collect();
        assert!(packets == cut, "round {round}: {:02x?}", packets[0]);

        let mut seen = Vec::new();
        for packet in &packets {
            let pushed = reassembler.push(packet).unwrap();
            assert_eq!(pushed.dropped, None, "round {round}");
            seen.extend(pushed.frame);
        }
        assert_eq!(seen.len(), 1, "round {round}");
        assert_eq!(seen[0].payload, frame.payload, "round {round}");
        assert_eq!(seen[0].extensions, frame.extensions, "round {round}");
    }
}

/// A stream of frames with packets lost, doubled, moved and damaged: both receivers deliver the
/// same frames at the same packet.
async fn check_same_frames_from_a_bad_stream(encrypted: bool) {
    let mut rng = Rng::with_seed(SEED);
    let mut official = OfficialReceiver::subscribe(encrypted).await;
    let mut reassembler = Reassembler::new(REASSEMBLY_BYTES_MAX);
    let mut packetizer = packetizer(60);
    let (mut delivered, mut refused) = (0, 0);
    for round in 0..4_000 {
        let frame = RandomFrame::new(&mut rng, encrypted, 120);
        let source =
            SourceFrame { payload: &frame.payload, extensions: frame.extensions, timestamp: rng.u32(..) };
        let mut packets: Vec<_> = packetizer.packetize(source).unwrap().collect();
        harm(&mut rng, &mut packets);
        for packet in &mut packets {
            if Header::parse(packet).is_ok() {
                // Another handle would be another track, which only the official one looks at.
                patch_handle(packet, Handle::new(HANDLE).unwrap());
            }
            let theirs = official.push(packet).await;
            let ours = reassembler.push(packet);
            refused += u32::from(ours.is_err());
            let ours: Vec<_> = ours
                .into_iter()
                .filter_map(|pushed| pushed.frame)
                // The official pipeline drops a frame of an encrypted track that is not.
                .filter(|frame| !encrypted || frame.extensions.encryption.is_some())
                .map(|frame| {
                    let encryption = frame.extensions.encryption.filter(|_| encrypted);
                    Seen::new(&frame.payload, encryption, frame.extensions.user_timestamp)
                })
                .collect();
            assert_eq!(ours, theirs, "round {round}: {packet:02x?}");
            delivered += theirs.len();
        }
    }
    assert!(delivered > 1_000 && refused > 100, "{delivered} delivered, {refused} refused");
}

fn harm(rng: &mut Rng, packets: &mut Vec<Vec<u8>>) {
    match rng.u8(0..8) {
        0 => drop(packets.remove(rng.usize(0..packets.len()))),
        1 => packets.push(packets[rng.usize(0..packets.len())].clone()),
        2 => rng.shuffle(packets),
        3 | 4 => {
            let packet = rng.usize(0..packets.len());
            damage(rng, &mut packets[packet]);
        }
        _ => {}
    }
}

/// Hits the header and its extensions most of the time.
fn damage(rng: &mut Rng, packet: &mut Vec<u8>) {
    for _ in 0..rng.usize(1..4) {
        let reach = if rng.bool() { 44 } else { 16 };
        let at = rng.usize(0..packet.len().min(reach));
        match rng.u8(0..6) {
            0 => packet.truncate(at.max(1)),
            1 => packet[at] = rng.u8(..),
            2 => packet[at] = *rng.choice(&[0, 1, 2, 3, 8, 13, 14]).unwrap(),
            3 => packet[0] ^= 1 << rng.u8(0..8),
            _ => packet[at] ^= 1 << rng.u8(0..8),
        }
    }
}

#[test]
fn official_receiver_reads_our_frames() {
    on_one_thread(check_official_reads_ours(false));
}

#[test]
fn official_receiver_reads_our_encrypted_frames() {
    on_one_thread(check_official_reads_ours(true));
}

#[test]
fn official_packets_are_read_and_equal_ours() {
    on_one_thread(check_we_cut_as_official(false));
}

#[test]
fn official_encrypted_packets_are_read_and_equal_ours() {
    on_one_thread(check_we_cut_as_official(true));
}

#[test]
fn both_receivers_deliver_the_same_frames_from_a_bad_stream() {
    on_one_thread(check_same_frames_from_a_bad_stream(false));
}

#[test]
fn both_receivers_deliver_the_same_encrypted_frames_from_a_bad_stream() {
    on_one_thread(check_same_frames_from_a_bad_stream(true));
}

#[test]
fn both_receivers_take_128_packets_of_a_frame() {
    on_one_thread(check_packets_of_largest_frame());
}
