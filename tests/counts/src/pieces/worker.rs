//! Packets of data tracks through a worker.

use anyhow::{Result, ensure};
use trackyard_peer::ChannelKind;

use super::{OPERATIONS, WARM, beginning, handle, small_frames};
use crate::meter::Meter;
use crate::node::Node;

pub(super) fn to_one(meter: &mut Meter) -> Result<()> {
    route(1, meter)
}

pub(super) fn to_twenty(meter: &mut Meter) -> Result<()> {
    route(20, meter)
}

fn route(subscribers: u16, meter: &mut Meter) -> Result<()> {
    let packets = small_frames(WARM + OPERATIONS)?;
    let mut node = Node::new(subscribers, ChannelKind::DataTrack, packets, beginning())?;
    node.subscribe_all(handle(1)?);
    measure(&mut node, subscribers, meter)
}

pub(super) fn cross_out(meter: &mut Meter) -> Result<()> {
    let packets = small_frames(WARM + OPERATIONS)?;
    let mut node = Node::new(0, ChannelKind::DataTrack, packets, beginning())?;
    node.hop(handle(1)?);
    measure(&mut node, 1, meter)
}

/// Each message of the first participant leaves so many times.
pub(super) fn measure(node: &mut Node, copies: u16, meter: &mut Meter) -> Result<()> {
    (0..WARM).for_each(|index| node.message(index.into()));
    let before = node.out;
    meter.measure(OPERATIONS.into(), || {
        (WARM..WARM + OPERATIONS).for_each(|index| node.message(index.into()));
    });
    let (left, expected) = (node.out - before, u64::from(OPERATIONS) * u64::from(copies));
    ensure!(left == expected, "{left} of {expected} messages have left");
    Ok(())
}

pub(super) fn cross_in(meter: &mut Meter) -> Result<()> {
    let packets = small_frames(WARM + OPERATIONS)?;
    let mut node = Node::new(1, ChannelKind::DataTrack, Vec::new(), beginning())?;
    node.subscribe_all(handle(1)?);
    let (warm, counted) = packets.split_at(WARM.into());
    warm.iter().for_each(|packet| node.crossing(packet));
    let before = node.out;
    meter.measure(OPERATIONS.into(), || counted.iter().for_each(|packet| node.crossing(packet)));
    ensure!(node.out - before == u64::from(OPERATIONS), "{} packets have left", node.out - before);
    Ok(())
}
