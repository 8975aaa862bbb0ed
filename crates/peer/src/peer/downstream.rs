//! What a participant receives: lanes above, the `_data_track` channel of its primary connection below.

use std::time::Instant;

use bytes::Bytes;
use trackyard_lanes::{LaneStats, Outbox, OutboxConfig};
use trackyard_wire::{Handle, Header, patch_frame, patch_handle};

use crate::connection::{ChannelKind, Connection};

/// Lanes and the buffer in which a packet gets its handle.
pub(super) struct Downstream {
    outbox: Outbox,
    /// Holds one packet while its handle is patched; grows to the largest packet once.
    scratch: Vec<u8>,
}

impl Downstream {
    pub(super) fn new(config: OutboxConfig) -> Self {
        Self { outbox: Outbox::new(config), scratch: Vec::new() }
    }

    pub(super) fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    pub(super) fn push(
        &mut self,
        handle: Handle,
        header: &Header,
        packet: &Bytes,
        times: (Instant, Instant),
    ) {
        self.outbox.push_received(handle, header, packet, times);
    }

    pub(super) fn totals(&self) -> LaneStats {
        self.outbox.totals()
    }

    pub(super) fn frames_waiting(&self) -> u64 {
        self.outbox.frames_waiting()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.outbox.handle_timeout(now);
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.outbox.poll_timeout()
    }

    /// Writes what there is room for; `true` if anything was written.
    pub(super) fn flush(&mut self, connection: &mut impl Connection, now: Instant) -> bool {
        self.outbox.set_packet_bytes_max(connection.message_bytes_max());
        self.outbox.update_buffered(connection.buffered(ChannelKind::DataTrack), now);
        let mut wrote = false;
        while let Some((handle, packet)) = self.outbox.peek(now) {
            self.scratch.clear();
            self.scratch.extend_from_slice(packet);
            patch_handle(&mut self.scratch, handle);
            if let Some(number) = self.outbox.peeked_number() {
                patch_frame(&mut self.scratch, number);
            }
            if !wrote {
                // Timers of what is written start from what the connection takes for now.
                connection.handle_timeout(now);
            }
            if !connection.write(ChannelKind::DataTrack, &self.scratch) {
                self.outbox.refused(now);
                break;
            }
            self.outbox.written(now);
            wrote = true;
        }
        wrote
    }
}
