//! What participants send each other beside data tracks (protocol §6): on its way into `_reliable` and `_lossy`,
//! and out of them.
//!
//! Reliable packets are numbered when they are written, so that what is urgent can overtake what waits, and a
//! resumed session gets what its server has not seen once more. In an encrypted room nothing leaves in the clear.

mod cipher;
mod event;
mod incoming;
mod outgoing;

use std::time::Instant;

use bytes::Bytes;
use trackyard_proto::signal::ReceiveState;
use trackyard_proto::{DataPacket, PacketKind};

use incoming::{Incoming, Means};
use outgoing::{Lossy, LossyFate, Outgoing, check_length};

pub use cipher::PacketCipher;
pub use event::{PacketDropReason, PacketEvent, PacketStats, SendError};
pub use outgoing::{
    Flow, KEPT_BYTES_MAX, OutgoingPacket, PACKET_BYTES_MAX, PacketId, Urgency, WAITING_BYTES_MAX,
};

/// The packets of a session.
#[derive(Debug)]
pub(crate) struct Packets {
    pub(crate) outgoing: Outgoing,
    lossy: Lossy,
    incoming: Incoming,
    cipher: Option<PacketCipher>,
    stats: PacketStats,
    last_id: u64,
    bytes_max: usize,
    is_allowed: bool,
    is_closed: bool,
}

impl Default for Packets {
    fn default() -> Self {
        Self {
            outgoing: Outgoing::default(),
            lossy: Lossy::default(),
            incoming: Incoming::default(),
            cipher: None,
            stats: PacketStats::default(),
            last_id: 0,
            bytes_max: PACKET_BYTES_MAX,
            // Before it has joined nobody has said otherwise.
            is_allowed: true,
            is_closed: false,
        }
    }
}

impl Packets {
    pub(crate) fn set_cipher(&mut self, cipher: Option<PacketCipher>) {
        self.cipher = cipher;
    }

    pub(crate) fn stats(&self) -> PacketStats {
        self.stats
    }

    /// Says whether this participant may publish data. What waits when it may no more would reach nobody.
    pub(crate) fn set_allowed(&mut self, is_allowed: bool) {
        if self.is_allowed && !is_allowed {
            self.outgoing.drop_all(PacketDropReason::NotAllowed, &mut self.stats);
        }
        self.is_allowed = is_allowed;
    }

    /// Encrypts a packet if the room is encrypted, and encodes it without a number.
    pub(crate) fn encode(&mut self, mut packet: DataPacket) -> Result<Vec<u8>, SendError> {
        if self.is_closed {
            return Err(SendError::Closed);
        }
        if !self.is_allowed {
            return Err(SendError::NotAllowed);
        }
        if let Some(cipher) = &mut self.cipher {
            cipher.seal(&mut packet)?;
        }
        packet.sequence = 0;
        Ok(packet.encode())
    }

    pub(crate) fn next_id(&mut self) -> PacketId {
        self.last_id += 1;
        PacketId(self.last_id)
    }

    /// Takes an encoded reliable packet.
    pub(crate) fn push(
        &mut self,
        bytes: Vec<u8>,
        lane: (Flow, Urgency),
        now: Instant,
    ) -> Result<PacketId, SendError> {
        let id = self.next_id();
        self.outgoing.push((id, bytes), lane, now)?;
        Ok(id)
    }

    /// Whether an encoded lossy packet is to be written, which is to be followed by
    /// [`lossy_written`](Self::lossy_written).
    pub(crate) fn admit_lossy(&mut self, bytes: &[u8]) -> Result<bool, SendError> {
        check_length(bytes.len(), self.bytes_max)?;
        let fate = self.lossy.fate(bytes.len());
        match fate {
            LossyFate::Write => {}
            LossyFate::Full => self.stats.lossy_dropped_full += 1,
            LossyFate::NoChannel => self.stats.lossy_dropped_no_channel += 1,
        }
        Ok(fate == LossyFate::Write)
    }

    /// What the channel has made of a lossy packet of this length.
    pub(crate) fn lossy_written(&mut self, is_taken: bool, length: usize, now: Instant) {
        if is_taken {
            self.stats.lossy_written += 1;
            self.lossy.written(length, now);
        } else {
            self.stats.lossy_dropped_full += 1;
            self.lossy.refused();
        }
    }

    pub(crate) fn cancel(&mut self, flow: Flow) {
        self.outgoing.cancel(flow, &mut self.stats);
    }

    /// How long a message may be.
    pub(crate) fn set_bytes_max(&mut self, message_bytes_max: usize) {
        self.bytes_max = message_bytes_max.min(PACKET_BYTES_MAX);
        self.outgoing.set_bytes_max(self.bytes_max);
    }

    /// Says which channels can be written, the reliable one first, and what they hold.
    pub(crate) fn update(&mut self, open: [bool; 2], buffered: [usize; 2], now: Instant) {
        self.outgoing.update(open[0], buffered[0], now);
        self.lossy.update(open[1], buffered[1], now);
    }

    /// The next reliable message to write.
    pub(crate) fn peek(&mut self) -> Option<&[u8]> {
        self.outgoing.peek(&mut self.stats)
    }

    /// The reliable channel has taken it.
    pub(crate) fn written(&mut self, now: Instant) {
        self.outgoing.written(&mut self.stats, now);
    }

    /// A new session has begun.
    pub(crate) fn restart(&mut self) {
        self.outgoing.restart(&mut self.stats);
    }

    /// The session goes on.
    pub(crate) fn resume(&mut self, last_sequence: u32) {
        self.outgoing.resume(last_sequence);
    }

    pub(crate) fn receive_states(&self, now: Instant) -> Vec<ReceiveState> {
        self.incoming.receive_states(now)
    }

    /// The session is over.
    pub(crate) fn close(&mut self) {
        self.is_closed = true;
        self.outgoing.drop_all(PacketDropReason::Closed, &mut self.stats);
    }

    /// A message has come.
    pub(crate) fn message(&mut self, kind: PacketKind, message: &Bytes, now: Instant) -> Option<PacketEvent> {
        let means = Means { cipher: self.cipher.as_mut(), stats: &mut self.stats };
        self.incoming.message((kind, message), means, now)
    }

    /// A participant has left.
    pub(crate) fn left(&mut self, identity: &str) {
        self.incoming.left(identity);
    }
}
