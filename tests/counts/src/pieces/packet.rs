//! Packets of data tracks, without anything around them.

use std::hint::black_box;

use anyhow::{Result, ensure};
use trackyard_wire::{Header, Packetizer, Reassembler, SourceFrame, patch_handle};

use super::{FRAME_PACKETS, OPERATIONS, WARM, handle, small_frames};
use crate::meter::Meter;

const FRAME_BYTES: usize = 64 * 1024;
/// So long that a frame has 16.
const PACKET_BYTES: usize = FRAME_BYTES / FRAME_PACKETS as usize + 12;

pub(super) fn parse_and_patch(meter: &mut Meter) -> Result<()> {
    let packets = small_frames(1)?;
    let mut scratch = packets[0].to_vec();
    let handle = handle(9)?;
    let mut read = 0;
    meter.measure(OPERATIONS.into(), || {
        for _ in 0..OPERATIONS {
            read += u32::from(Header::parse(black_box(&packets[0])).is_ok());
            patch_handle(black_box(&mut scratch), handle);
        }
    });
    ensure!(read == u32::from(OPERATIONS), "{read} packets were read");
    Ok(())
}

pub(super) fn packetize(meter: &mut Meter) -> Result<()> {
    let payload = vec![7; FRAME_BYTES];
    let frame = SourceFrame { payload: &payload, ..SourceFrame::default() };
    let mut packetizer = Packetizer::new(handle(1)?, PACKET_BYTES)?;
    let frames = OPERATIONS / FRAME_PACKETS;
    let mut packets = 0;
    meter.measure((frames * FRAME_PACKETS).into(), || {
        for _ in 0..frames {
            packets += packetizer.packetize(black_box(frame)).map_or(0, |made| made.map(black_box).count());
        }
    });
    ensure!(packets == usize::from(frames * FRAME_PACKETS), "{packets} packets were made");
    Ok(())
}

pub(super) fn reassemble_small(meter: &mut Meter) -> Result<()> {
    let packets = small_frames(WARM + OPERATIONS)?;
    let packets: Vec<_> = packets.iter().map(|packet| packet.to_vec()).collect();
    reassemble(&packets, usize::from(WARM), meter)
}

pub(super) fn reassemble_large(meter: &mut Meter) -> Result<()> {
    let payload = vec![7; FRAME_BYTES];
    let frame = SourceFrame { payload: &payload, ..SourceFrame::default() };
    let mut packetizer = Packetizer::new(handle(1)?, PACKET_BYTES)?;
    let mut packets = Vec::new();
    for _ in 0..2 * OPERATIONS / FRAME_PACKETS {
        packets.extend(packetizer.packetize(frame)?);
    }
    let warm = packets.len() / 2 / usize::from(FRAME_PACKETS) * usize::from(FRAME_PACKETS);
    reassemble(&packets, warm, meter)
}

fn reassemble(packets: &[Vec<u8>], warm: usize, meter: &mut Meter) -> Result<()> {
    let mut reassembler = Reassembler::new(1 << 20);
    let mut frames = 0;
    let mut push = |packets: &[Vec<u8>]| {
        for packet in packets {
            frames += usize::from(reassembler.push(packet).is_ok_and(|pushed| pushed.frame.is_some()));
        }
    };
    push(&packets[..warm]);
    let counted = &packets[warm..];
    meter.measure(counted.len() as u64, || push(black_box(counted)));
    ensure!(frames > 0 && packets.len().is_multiple_of(frames), "{frames} frames came out");
    Ok(())
}
