//! What waits for one receiver.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::Bytes;
use trackyard_lanes::{Backlog, LaneRules, Outbox, OutboxConfig};
use trackyard_wire::{Handle, Header};

use super::{FRAME_PACKETS, OPERATIONS, WARM, beginning, handle, packet, small_frames};
use crate::meter::Meter;

/// Between two packets.
const INTERVAL: Duration = Duration::from_millis(1);
/// What the channel is said to hold where frames have to wait.
const FULL_BYTES: usize = 1 << 20;

/// An outbox with one lane.
struct Rig {
    outbox: Outbox,
    lane: Handle,
    now: Instant,
    written: usize,
}

impl Rig {
    fn new() -> Result<Self> {
        let (mut outbox, lane, now) = (Outbox::new(OutboxConfig::default()), handle(9)?, beginning());
        outbox.add_lane(lane, LaneRules::default());
        outbox.set_open(true, now);
        Ok(Self { outbox, lane, now, written: 0 })
    }

    /// Packets come in, and whatever goes out is taken by the channel.
    fn pass(&mut self, packets: &[Bytes], buffered: usize) {
        for packet in packets {
            self.now += INTERVAL;
            let Ok(header) = Header::parse(packet) else { continue };
            self.outbox.push(self.lane, &header, packet, self.now);
            self.outbox.update_buffered(buffered, self.now);
            while self.outbox.peek(self.now).is_some() {
                self.outbox.written(self.now);
                self.written += 1;
            }
        }
    }

    fn measure(&mut self, (warm, counted): (&[Bytes], &[Bytes]), buffered: usize, meter: &mut Meter) {
        self.pass(warm, buffered);
        meter.measure(counted.len() as u64, || self.pass(counted, buffered));
    }
}

pub(super) fn small(meter: &mut Meter) -> Result<()> {
    let (packets, mut rig) = (small_frames(WARM + OPERATIONS)?, Rig::new()?);
    rig.measure(packets.split_at(WARM.into()), 0, meter);
    ensure!(rig.written == packets.len(), "{} packets were written", rig.written);
    Ok(())
}

pub(super) fn large(meter: &mut Meter) -> Result<()> {
    let marks = |index: u16| (index == 0, index == FRAME_PACKETS - 1);
    let count = 2 * (OPERATIONS / FRAME_PACKETS) * FRAME_PACKETS;
    let made = (0..count).map(|number| packet(number, number / FRAME_PACKETS, marks(number % FRAME_PACKETS)));
    let (packets, mut rig) = (made.collect::<Result<Vec<_>>>()?, Rig::new()?);
    rig.measure(packets.split_at(packets.len() / 2), 0, meter);
    ensure!(rig.written == packets.len(), "{} packets were written", rig.written);
    Ok(())
}

/// The channel is full, so that frames wait until newer ones take their place.
pub(super) fn waiting(meter: &mut Meter) -> Result<()> {
    let (packets, mut rig) = (small_frames(WARM + OPERATIONS)?, Rig::new()?);
    rig.measure(packets.split_at(WARM.into()), FULL_BYTES, meter);
    let dropped = rig.outbox.totals().dropped_total();
    ensure!(dropped > u64::from(OPERATIONS), "{dropped} frames were dropped");
    Ok(())
}

pub(super) fn backlog(meter: &mut Meter) -> Result<()> {
    let (messages, now) = (small_frames(WARM + OPERATIONS)?, beginning());
    let (mut backlog, mut written) = (Backlog::new(1 << 20), 0);
    let mut pass = |messages: &[Bytes]| {
        for message in messages {
            if backlog.push(1_u64, message.clone(), message.len(), now).is_ok() && backlog.peek().is_some() {
                backlog.written(message.len());
                backlog.released(0);
                written += 1;
            }
        }
    };
    let (warm, counted) = messages.split_at(WARM.into());
    pass(warm);
    meter.measure(counted.len() as u64, || pass(counted));
    ensure!(written == messages.len(), "{written} messages were written");
    Ok(())
}
