//! The way of one stream's packets: in order, a few at a time.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::oneshot;
use trackyard_proto::DataPacket;
use trackyard_session::{OutgoingPacket, PacketDropReason, SendError, Urgency};

use super::SendStreamError;
use crate::core::FlowTicket;
use crate::shared::Shared;

/// Packets that wait for the channel at once: what a fast path takes within a scheduler's turn.
const WINDOW: usize = 16;

type Written = oneshot::Receiver<Result<(), PacketDropReason>>;

/// The way of one stream's packets.
pub(crate) struct Lane {
    shared: Arc<Shared>,
    ticket: FlowTicket,
    waiting: VecDeque<Written>,
    is_new: bool,
}

impl Lane {
    pub(crate) fn new(shared: &Arc<Shared>, ticket: FlowTicket) -> Self {
        Self { shared: Arc::clone(shared), ticket, waiting: VecDeque::new(), is_new: true }
    }

    /// Sends a packet after those before it; waits while too many of them wait for the channel.
    ///
    /// # Cancel safety
    /// The packet is either sent or not.
    pub(crate) async fn send(&mut self, packet: DataPacket) -> Result<(), SendStreamError> {
        while self.waiting.len() >= WINDOW {
            self.written().await?;
        }
        let room = self.shared.read(|core| Arc::clone(&core.streams.room));
        loop {
            // Whoever listens before it tries misses nothing.
            let mut told = std::pin::pin!(room.notified());
            told.as_mut().enable();
            match self.try_send(packet.clone(), Urgency::Normal) {
                Ok(()) => return Ok(()),
                Err(SendStreamError::Refused(SendError::Full { .. })) => told.await,
                Err(error) => return Err(error),
            }
        }
    }

    /// Nothing was sent yet.
    pub(crate) fn is_new(&self) -> bool {
        self.is_new
    }

    /// Sends a packet that is a stream of its own, ahead of others.
    pub(crate) fn send_urgent(&mut self, packet: DataPacket) -> Result<(), SendStreamError> {
        self.try_send(packet, Urgency::Urgent)
    }

    /// Sends a packet if it is taken at once.
    pub(crate) fn try_send(&mut self, packet: DataPacket, urgency: Urgency) -> Result<(), SendStreamError> {
        let ticket = self.ticket;
        let written = self.shared.with(|core, now| {
            if core.closed().is_some() {
                return Err(SendError::Closed.into());
            }
            if !core.streams.is_current(ticket) {
                return Err(SendStreamError::Interrupted);
            }
            let id = core.session.send_packet(OutgoingPacket { packet, flow: ticket.flow, urgency }, now)?;
            Ok(core.packets.wait(id))
        })?;
        self.waiting.push_back(written);
        self.is_new = false;
        Ok(())
    }

    /// Waits until the channel has taken everything.
    pub(crate) async fn finish(&mut self) -> Result<(), SendStreamError> {
        while !self.waiting.is_empty() {
            self.written().await?;
        }
        Ok(())
    }

    /// Waits for the packet that waits longest.
    async fn written(&mut self) -> Result<(), SendStreamError> {
        let Some(first) = self.waiting.front_mut() else { return Ok(()) };
        let written = first.await.unwrap_or(Err(PacketDropReason::Closed));
        self.waiting.pop_front();
        match written {
            Ok(()) => Ok(()),
            Err(PacketDropReason::Cancelled) => Err(SendStreamError::Interrupted),
            Err(reason) => Err(reason.into()),
        }
    }
}

/// What was sent goes on its way.
impl Drop for Lane {
    fn drop(&mut self) {
        let ticket = self.ticket;
        self.shared.with(|core, _| core.streams.close_flow(ticket));
    }
}
