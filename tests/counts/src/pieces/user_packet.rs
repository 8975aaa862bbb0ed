//! User packets from one participant to others.

use std::hint::black_box;

use anyhow::{Result, ensure};
use bytes::Bytes;
use trackyard_peer::ChannelKind;
use trackyard_proto::packet::{DataPacket, PacketValue, UserPacket};
use trackyard_proto::relay::{Delivery, Outline, Sender, seal};

use super::worker::measure;
use super::{OPERATIONS, PAYLOAD_BYTES, WARM, beginning};
use crate::meter::Meter;
use crate::node::Node;

const RECEIVERS: u16 = 20;

/// Packets as clients send them, numbered from 1.
fn packets(count: u16) -> Vec<Bytes> {
    let encoded = |sequence| {
        let user = UserPacket { payload: vec![7; PAYLOAD_BYTES].into(), ..UserPacket::default() };
        let packet = PacketValue::User(user).reliable(Vec::new());
        DataPacket { sequence, ..packet }.encode().into()
    };
    (1..=u32::from(count)).map(encoded).collect()
}

pub(super) fn outline_and_seal(meter: &mut Meter) -> Result<()> {
    let packets = packets(1);
    let sender = Sender { sid: "PA_000000000001", identity: "participant-1", is_agent: false };
    let mut sealed = 0;
    meter.measure(OPERATIONS.into(), || {
        for _ in 0..OPERATIONS {
            let packet = black_box(&packets[0]);
            let Ok(outline) = Outline::of(packet) else { continue };
            sealed += usize::from(!seal(packet, &outline, sender, Delivery::Reliable).is_empty());
        }
    });
    ensure!(sealed == usize::from(OPERATIONS), "{sealed} packets were sealed");
    Ok(())
}

pub(super) fn lossy_to_twenty(meter: &mut Meter) -> Result<()> {
    spread(ChannelKind::Lossy, meter)
}

pub(super) fn reliable_to_twenty(meter: &mut Meter) -> Result<()> {
    spread(ChannelKind::Reliable, meter)
}

fn spread(channel: ChannelKind, meter: &mut Meter) -> Result<()> {
    let mut node = Node::new(RECEIVERS, channel, packets(WARM + OPERATIONS), beginning())?;
    node.seat_all();
    measure(&mut node, RECEIVERS, meter)
}
