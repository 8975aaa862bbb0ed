//! What is counted, each piece on its own.

mod connection;
mod lane;
mod packet;
mod room;
mod user_packet;
mod worker;

use std::time::Instant;

use anyhow::{Context, Result};
use bytes::Bytes;
use trackyard_wire::{Extensions, FrameNumber, Handle, PacketBuilder, Sequence};

use crate::meter::Meter;

/// Operations that are counted, of most pieces.
const OPERATIONS: u16 = 1_000;
/// Operations before, after which everything has the size that it keeps.
const WARM: u16 = 1_000;
/// Bytes of a small frame's payload.
const PAYLOAD_BYTES: usize = 1_000;
/// Packets of a large frame.
const FRAME_PACKETS: u16 = 16;

/// One piece of the hot path.
pub(crate) struct Piece {
    pub(crate) name: &'static str,
    /// What one operation is.
    pub(crate) what: &'static str,
    /// Whether instructions are compared: not where the processor's model decides which of several ways is taken.
    /// Allocations always are.
    pub(crate) is_gated: bool,
    pub(crate) run: fn(&mut Meter) -> Result<()>,
}

/// All of them.
pub(crate) const PIECES: [Piece; 17] = [
    piece("parse_and_patch", "a header read, a handle overwritten", packet::parse_and_patch),
    piece("packetize", "one of 16 packets made of a frame of 64 KiB", packet::packetize),
    piece("reassemble_1", "a frame made of one packet of 1,000 B", packet::reassemble_small),
    piece("reassemble_16", "one of 16 packets put into a frame of 64 KiB", packet::reassemble_large),
    piece("lane_1", "a packet through a lane, frames of one packet", lane::small),
    piece("lane_16", "a packet through a lane, frames of 16 packets", lane::large),
    piece("lane_waiting", "a frame that replaces one that waits", lane::waiting),
    piece("backlog", "a reliable message through the backlog", lane::backlog),
    piece("route_1_to_1", "a publisher's packet to 1 subscriber", worker::to_one),
    piece("route_1_to_20", "a publisher's packet to 20 subscribers", worker::to_twenty),
    piece("cross_out", "a publisher's packet to another worker", worker::cross_out),
    piece("cross_in", "a packet of another worker to 1 subscriber", worker::cross_in),
    piece("outline_and_seal", "a user packet read and sealed with its sender", user_packet::outline_and_seal),
    piece("lossy_1_to_20", "a lossy user packet to 20 participants", user_packet::lossy_to_twenty),
    piece("reliable_1_to_20", "a reliable user packet to 20 participants", user_packet::reliable_to_twenty),
    piece("publish", "a track more among 1,000, with a watcher", room::publish),
    Piece {
        is_gated: false,
        ..piece(
            "through_connections",
            "1,000 B from a client to the server and back",
            connection::there_and_back,
        )
    },
];

const fn piece(name: &'static str, what: &'static str, run: fn(&mut Meter) -> Result<()>) -> Piece {
    Piece { name, what, is_gated: true, run }
}

/// Where virtual time begins.
#[allow(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]
fn beginning() -> Instant {
    Instant::now()
}

fn handle(value: u16) -> Result<Handle> {
    Handle::new(value).context("0 is no handle")
}

/// Frames of one packet each.
fn small_frames(count: u16) -> Result<Vec<Bytes>> {
    (0..count).map(|number| packet(number, number, (true, true))).collect()
}

/// Packet `sequence` of frame `frame`, which begins and ends with it where `marks` say.
fn packet(sequence: u16, frame: u16, marks: (bool, bool)) -> Result<Bytes> {
    let builder = PacketBuilder {
        start: marks.0,
        last: marks.1,
        handle: handle(1)?,
        sequence: Sequence::new(sequence),
        frame: FrameNumber::new(frame),
        timestamp: 90 * u32::from(frame),
        extensions: Extensions::default(),
    };
    let packet = Bytes::from(builder.build(&[7; PAYLOAD_BYTES]));
    // The first copy allocates the counter that all copies share, once for a packet, whoever gets it.
    drop(packet.clone());
    Ok(packet)
}
