//! Streams whose content is all there.

use std::sync::Arc;

use bytes::Bytes;
use trackyard_proto::packet::StreamContent;
use trackyard_session::Urgency;
use trackyard_stream::{Sending, StreamInfo, StreamOptions};

use super::options::Progress;
use super::{Lane, SendStreamError, StreamByteOptions, StreamTextOptions};
use crate::participant::LocalParticipant;
use crate::shared::Shared;

/// What receivers are told of a stream that was not sent to its end.
const CANCELLED: &str = "cancelled by the sender";

impl LocalParticipant {
    /// Sends a text to other participants, and waits until the connection has taken all of it. What is short is one
    /// packet where all who get it can read that.
    ///
    /// ```no_run
    /// use trackyard::StreamTextOptions;
    ///
    /// # async fn example(room: trackyard::Room) -> Result<(), Box<dyn std::error::Error>> {
    /// room.local_participant().send_text("docked at 3", StreamTextOptions::new("chat")).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SendStreamError`]: its attributes are too large, this participant may not publish data, or the session has
    /// ended meanwhile.
    ///
    /// # Cancel safety
    /// The text is given up when it is dropped, which receivers are told.
    pub async fn send_text(
        &self,
        text: impl Into<String>,
        options: StreamTextOptions,
    ) -> Result<StreamInfo, SendStreamError> {
        self.send_all(text.into().into(), options.stream, options.progress).await
    }

    /// Sends bytes to other participants, as [`send_text`](Self::send_text) sends a text.
    ///
    /// # Errors
    /// Those of [`send_text`](Self::send_text).
    ///
    /// # Cancel safety
    /// That of [`send_text`](Self::send_text).
    pub async fn send_bytes(
        &self,
        bytes: impl Into<Bytes>,
        options: StreamByteOptions,
    ) -> Result<StreamInfo, SendStreamError> {
        debug_assert!(matches!(options.stream.content, StreamContent::Bytes { .. }), "it is made for bytes");
        self.send_all(bytes.into(), options.stream, options.progress).await
    }

    async fn send_all(
        &self,
        content: Bytes,
        options: StreamOptions,
        progress: Option<Progress>,
    ) -> Result<StreamInfo, SendStreamError> {
        let origin = self.shared.with(|core, _| core.stream_origin(&options.destinations));
        let sending = Sending::new(options, content, &origin)?;
        let info = sending.info().clone();
        let tell = |sent: f64| {
            if let Some(tell) = &progress {
                tell(sent);
            }
        };
        SendingStream::new(&self.shared, sending).run(Urgency::Normal, tell).await?;
        Ok(info)
    }
}

/// A stream on its way.
pub(crate) struct SendingStream {
    sending: Sending,
    lane: Lane,
}

impl SendingStream {
    pub(crate) fn new(shared: &Arc<Shared>, sending: Sending) -> Self {
        let ticket = shared.with(|core, _| core.streams.open_flow());
        Self { sending, lane: Lane::new(shared, ticket) }
    }

    /// Sends all of it, as urgently as that if it is one packet, and waits until the connection has taken it.
    pub(crate) async fn run(mut self, urgency: Urgency, tell: impl Fn(f64)) -> Result<(), SendStreamError> {
        while let Some(packet) = self.sending.next() {
            if self.sending.is_done() && urgency == Urgency::Urgent && self.lane.is_new() {
                self.lane.send_urgent(packet)?;
            } else {
                self.lane.send(packet).await?;
            }
            tell(self.sending.progress());
        }
        self.lane.finish().await
    }
}

impl Drop for SendingStream {
    fn drop(&mut self) {
        if !self.sending.is_done()
            && let Some(packet) = self.sending.abort(CANCELLED)
        {
            // Whoever cannot be told learns it when this participant leaves.
            let _ = self.lane.try_send(packet, Urgency::Normal);
        }
    }
}
