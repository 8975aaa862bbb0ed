//! A session's packets beside data tracks (protocol §6).

use std::time::Instant;

use bytes::Bytes;
use trackyard_peer::{ChannelKind, Connection, ConnectionFactory};
use trackyard_proto::PacketKind;

use super::Session;
use crate::event::{Output, SessionEvent};
use crate::packets::{Flow, OutgoingPacket, PacketCipher, PacketId, PacketStats, SendError};

impl<F: ConnectionFactory> Session<F> {
    /// What encrypts and decrypts packets from now on. With it, none leaves in the clear.
    pub fn set_packet_cipher(&mut self, cipher: Option<PacketCipher>) {
        self.packets.set_cipher(cipher);
    }

    /// Sends a packet. A reliable one waits until the channel has room, across interruptions, and is answered once
    /// by [`PacketEvent::Written`](crate::PacketEvent::Written) or [`PacketEvent::Dropped`](crate::PacketEvent::Dropped). A lossy one is written at once, or dropped and
    /// counted. Never blocks.
    ///
    /// # Errors
    /// [`SendError`]; nothing is sent.
    pub fn send_packet(&mut self, packet: OutgoingPacket, now: Instant) -> Result<PacketId, SendError> {
        let OutgoingPacket { packet, flow, urgency } = packet;
        let kind = packet.kind;
        let bytes = self.packets.encode(packet)?;
        let id = match kind {
            PacketKind::Reliable => self.packets.push(bytes, (flow, urgency), now)?,
            PacketKind::Lossy => self.write_lossy(&bytes, now)?,
        };
        self.settle(now);
        Ok(id)
    }

    /// Drops what of a flow has not been written.
    pub fn cancel_flow(&mut self, flow: Flow, now: Instant) {
        self.packets.cancel(flow);
        self.settle(now);
    }

    /// What has been counted of packets.
    pub fn packet_stats(&self) -> PacketStats {
        self.packets.stats()
    }

    /// Reliable packets that have not been written yet, or that the server has not acknowledged.
    pub fn unfinished_packets(&self) -> usize {
        self.packets.outgoing.unfinished()
    }

    pub(super) fn packet(&mut self, kind: PacketKind, message: &Bytes, now: Instant) {
        if let Some(event) = self.packets.message(kind, message, now) {
            self.outputs.push_back(Output::Event(SessionEvent::Packet(event)));
        }
    }

    pub(super) fn drain_packets(&mut self) -> bool {
        let before = self.outputs.len();
        while let Some(event) = self.packets.outgoing.poll_event() {
            self.outputs.push_back(Output::Event(SessionEvent::Packet(event)));
        }
        self.outputs.len() > before
    }

    /// Writes reliable packets while there is room; `true` if any was written.
    pub(super) fn flush_packets(&mut self, now: Instant) -> bool {
        self.look_at_channels(now);
        let channel = self.engine.publisher();
        let mut wrote = false;
        while let Some(message) = self.packets.peek() {
            if !wrote {
                // Timers of what is written start from what the connection takes for now.
                channel.handle_timeout(now);
            }
            if !channel.write(ChannelKind::Reliable, message) {
                self.packets.outgoing.refused();
                break;
            }
            self.packets.written(now);
            wrote = true;
        }
        wrote
    }

    fn look_at_channels(&mut self, now: Instant) {
        let channel = self.engine.publisher();
        let kinds = [ChannelKind::Reliable, ChannelKind::Lossy];
        self.packets.set_bytes_max(channel.message_bytes_max());
        let open = kinds.map(|kind| channel.is_open(kind));
        let buffered = kinds.map(|kind| channel.buffered(kind));
        self.packets.update(open, buffered, now);
    }

    fn write_lossy(&mut self, bytes: &[u8], now: Instant) -> Result<PacketId, SendError> {
        self.look_at_channels(now);
        if self.packets.admit_lossy(bytes)? {
            let channel = self.engine.publisher();
            channel.handle_timeout(now);
            let is_taken = channel.write(ChannelKind::Lossy, bytes);
            self.packets.lossy_written(is_taken, bytes.len(), now);
            self.engine.written(now);
        }
        Ok(self.packets.next_id())
    }
}
