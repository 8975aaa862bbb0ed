//! User packets on their way to another worker, bounded by their bytes.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use trackyard_sfu::control::{Delivery, RoomKey, UserPacket};

/// Bytes that may wait for one worker, with a charge for each packet.
const BYTES_MAX: usize = 64 << 20;
/// What a packet costs beside its bytes.
const PACKET_CHARGE: usize = 128;

/// A user packet and its sender's room.
pub(crate) type Crossing = (RoomKey, Arc<UserPacket>);

/// What waits for a worker. A reliable packet that does not fit is not forgotten: its room is named.
#[derive(Debug, Default)]
pub(crate) struct UserPackets {
    waiting: Mutex<Waiting>,
}

/// What has waited for a worker.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// In order.
    pub(crate) packets: VecDeque<Crossing>,
    /// Rooms of which reliable packets were dropped.
    pub(crate) lost: BTreeSet<RoomKey>,
    bytes: usize,
}

impl Waiting {
    pub(crate) fn is_empty(&self) -> bool {
        self.packets.is_empty() && self.lost.is_empty()
    }
}

impl UserPackets {
    /// Queues as many as fit, and answers how many did not.
    pub(crate) fn append(&self, batch: &mut Vec<Crossing>) -> usize {
        let mut waiting = self.lock();
        let mut dropped = 0;
        for (room, packet) in batch.drain(..) {
            let bytes = packet.message.len() + PACKET_CHARGE;
            if waiting.bytes + bytes <= BYTES_MAX {
                waiting.bytes += bytes;
                waiting.packets.push_back((room, packet));
                continue;
            }
            dropped += 1;
            if packet.delivery == Delivery::Reliable {
                waiting.lost.insert(room);
            }
        }
        dropped
    }

    /// Everything that waits.
    pub(crate) fn take(&self) -> Waiting {
        std::mem::take(&mut self.lock())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// A panic elsewhere cannot leave a queue half-changed, so that poison says nothing.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use trackyard_sfu::control::Audience;

    use super::*;

    fn crossing(room: u64, delivery: Delivery, message: &Bytes) -> Crossing {
        let message = message.clone();
        let packet = UserPacket { from: None, delivery, sequence: 0, audience: Audience::All, message };
        (RoomKey(room), Arc::new(packet))
    }

    #[test]
    fn what_does_not_fit_is_counted_and_the_rooms_of_reliable_packets_are_named() {
        let queue = UserPackets::default();
        let half = Bytes::from(vec![0; BYTES_MAX / 2]);
        let small = Bytes::from_static(b"small");
        let mut batch = vec![
            crossing(1, Delivery::Reliable, &half),
            crossing(2, Delivery::Lossy, &half),
            crossing(3, Delivery::Reliable, &half),
            crossing(4, Delivery::Reliable, &small),
        ];
        assert_eq!(queue.append(&mut batch), 2);
        let taken = queue.take();
        assert_eq!(taken.packets.iter().map(|(room, _)| room.0).collect::<Vec<_>>(), [1, 4]);
        assert_eq!(taken.lost, BTreeSet::from([RoomKey(3)]));
        assert!(queue.is_empty());
        assert_eq!(queue.append(&mut vec![crossing(5, Delivery::Lossy, &half)]), 0);
    }
}
