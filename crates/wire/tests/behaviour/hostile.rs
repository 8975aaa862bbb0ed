//! Decoders under mutation: never a panic, never a byte out of bounds.

use fastrand::Rng;
use trackyard_wire::{
    Encryption, Extensions, Handle, Header, Packetizer, Reassembler, SourceFrame, patch_handle,
};

/// Inputs to each of the two decoders.
const INPUTS: u32 = 1_200_000;
const SEED: u64 = 0x7261_6b79_6172_6400;
/// Small, so that its edge is met often.
const REASSEMBLY_BYTES_MAX: usize = 600;

/// Valid packets of several shapes, to be mutated.
fn corpus() -> Vec<Vec<u8>> {
    let encryption = Some(Encryption { key_index: 1, iv: [2; 12] });
    let shapes = [(None, None), (encryption, None), (None, Some(3)), (encryption, Some(3))];
    let mut packetizer = Packetizer::new(Handle::new(9).unwrap(), 100).unwrap();
    let mut packets = Vec::new();
    for (encryption, user_timestamp) in shapes {
        let extensions = Extensions { encryption, user_timestamp };
        for bytes in [0, 1, 250] {
            let payload = vec![0xab; bytes];
            let frame = SourceFrame { payload: &payload, extensions, timestamp: 5 };
            packets.extend(packetizer.packetize(frame).unwrap());
        }
    }
    packets.push([&[0x1c, 0, 0, 9, 0, 1, 0, 2, 0, 0, 0, 0, 0, 5], &[255; 300][..]].concat());
    packets
}

/// Fields that decide over lengths and frames are hit as often as all others together.
fn mutate(rng: &mut Rng, packet: &mut Vec<u8>) {
    for _ in 0..rng.usize(0..4) {
        let interesting = packet.len().min(18);
        match rng.u8(0..6) {
            0 if !packet.is_empty() => packet.truncate(rng.usize(0..packet.len())),
            1 => packet.extend((0..rng.usize(0..40)).map(|_| rng.u8(..))),
            2 if !packet.is_empty() => {
                let at = rng.usize(0..packet.len());
                packet[at] = rng.u8(..);
            }
            3 if !packet.is_empty() => packet[0] ^= 1 << rng.u8(0..8),
            _ if interesting > 0 => {
                let at = rng.usize(0..interesting);
                packet[at] = *rng.choice(&[0, 1, 2, 8, 13, 127, 128, 255]).unwrap();
            }
            _ => {}
        }
    }
}

fn check_header(packet: &mut [u8]) -> bool {
    let Ok(header) = Header::parse(packet) else { return false };
    assert!(header.payload_offset >= 12 && header.payload_offset <= packet.len());
    assert_eq!(header.payload_offset % 4, 0);
    let block_bytes: usize = header.extension_iter(packet).map(|extension| 2 + extension.data.len()).sum();
    assert!(block_bytes <= header.payload_offset - 12);

    let patched_handle = Handle::new(header.handle.get() ^ 0x5555).unwrap_or(header.handle);
    let before = packet.to_vec();
    patch_handle(packet, patched_handle);
    assert_eq!(Header::parse(packet), Ok(Header { handle: patched_handle, ..header }));
    assert_eq!((&packet[..2], &packet[4..]), (&before[..2], &before[4..]));
    true
}

#[test]
fn mutated_packets_never_harm_the_header_parser() {
    eprintln!("seed {SEED:#x}");
    let mut rng = Rng::with_seed(SEED);
    let corpus = corpus();
    let mut accepted = 0;
    for _ in 0..INPUTS {
        let mut packet = rng.choice(&corpus).unwrap().clone();
        mutate(&mut rng, &mut packet);
        accepted += u32::from(check_header(&mut packet));
    }
    // Both outcomes must be well covered for the run to mean anything.
    assert!(accepted > INPUTS / 10 && accepted < INPUTS / 10 * 9, "{accepted} accepted");
}

#[test]
fn mutated_packets_never_harm_the_reassembler() {
    eprintln!("seed {SEED:#x}");
    let mut rng = Rng::with_seed(SEED);
    let corpus = corpus();
    let mut reassembler = Reassembler::new(REASSEMBLY_BYTES_MAX);
    let (mut frames, mut drops) = (0, 0);
    let mut next = 0;
    for _ in 0..INPUTS {
        // Mostly in order, so that frames become whole at times.
        next = if rng.u8(..) < 8 { rng.usize(..) } else { next + 1 } % corpus.len();
        let mut packet = corpus[next].clone();
        if rng.bool() {
            mutate(&mut rng, &mut packet);
        }
        if let Ok(pushed) = reassembler.push(&packet) {
            let bytes = pushed.frame.as_ref().map_or(0, |frame| frame.payload.len());
            assert!(bytes <= REASSEMBLY_BYTES_MAX);
            frames += u32::from(pushed.frame.is_some());
            drops += u32::from(pushed.dropped.is_some());
        }
        assert!(reassembler.buffered_bytes() <= REASSEMBLY_BYTES_MAX);
    }
    assert!(frames > INPUTS / 100 && drops > INPUTS / 100, "{frames} frames, {drops} drops");
}

#[test]
fn random_bytes_never_harm_the_decoders() {
    eprintln!("seed {SEED:#x}");
    let mut rng = Rng::with_seed(SEED);
    let mut reassembler = Reassembler::new(REASSEMBLY_BYTES_MAX);
    for _ in 0..100_000 {
        let mut packet: Vec<u8> = (0..rng.usize(0..64)).map(|_| rng.u8(..)).collect();
        let accepted = check_header(&mut packet);
        assert_eq!(reassembler.push(&packet).is_ok(), accepted);
    }
}
