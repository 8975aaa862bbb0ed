//! Streams that are written bit by bit.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use trackyard_session::Urgency;
use trackyard_stream::{StreamInfo, Writer};

use super::options::Progress;
use super::{Lane, SendStreamError, StreamByteOptions, StreamTextOptions};
use crate::participant::LocalParticipant;
use crate::shared::Shared;

/// What receivers are told of a stream whose writer was dropped.
const DROPPED: &str = "dropped by the sender";

/// A text that is written bit by bit, such as what a person or a model says: each piece goes out at once. Dropping it
/// before it is [closed](Self::close) gives the text up, which its readers are told.
pub struct TextStreamWriter {
    open: OpenWriter,
}

/// Bytes that are written bit by bit. Dropping it before it is [closed](Self::close) gives the stream up, which its
/// readers are told.
pub struct ByteStreamWriter {
    open: OpenWriter,
}

impl LocalParticipant {
    /// Begins a text that is written bit by bit, in the order of its pieces.
    ///
    /// ```no_run
    /// use trackyard::StreamTextOptions;
    ///
    /// # async fn example(room: trackyard::Room) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut text = room.local_participant().stream_text(StreamTextOptions::new("log")).await?;
    /// for word in ["one ", "two ", "three"] {
    ///     text.write(word).await?;
    /// }
    /// text.close().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SendStreamError`]: the header is too large, this participant may not publish data, or the room was left.
    ///
    /// # Cancel safety
    /// The stream is given up when it is dropped.
    pub async fn stream_text(&self, options: StreamTextOptions) -> Result<TextStreamWriter, SendStreamError> {
        let origin = self.shared.with(|core, _| core.stream_origin(&options.stream.destinations));
        let writer = Writer::new(options.stream, &origin)?;
        Ok(TextStreamWriter { open: OpenWriter::begin(&self.shared, writer, options.progress).await? })
    }

    /// Begins a byte stream that is written bit by bit.
    ///
    /// # Errors
    /// Those of [`stream_text`](Self::stream_text).
    ///
    /// # Cancel safety
    /// The stream is given up when it is dropped.
    pub async fn stream_bytes(
        &self,
        options: StreamByteOptions,
    ) -> Result<ByteStreamWriter, SendStreamError> {
        let origin = self.shared.with(|core, _| core.stream_origin(&options.stream.destinations));
        let writer = Writer::new(options.stream, &origin)?;
        Ok(ByteStreamWriter { open: OpenWriter::begin(&self.shared, writer, options.progress).await? })
    }
}

impl TextStreamWriter {
    /// What receivers are told before the content.
    #[must_use]
    pub fn info(&self) -> &StreamInfo {
        self.open.writer.info()
    }

    /// Writes a piece; waits while the connection has no room for it.
    ///
    /// # Errors
    /// [`SendStreamError`]; what follows fails as well.
    ///
    /// # Cancel safety
    /// A part of the piece may have been sent when it is dropped.
    pub async fn write(&mut self, text: impl Into<String>) -> Result<(), SendStreamError> {
        self.open.write(text.into().into()).await
    }

    /// Ends the text, and waits until the connection has taken all of it.
    ///
    /// # Errors
    /// [`SendStreamError`].
    ///
    /// # Cancel safety
    /// The text is given up when it is dropped before its end was sent.
    pub async fn close(self) -> Result<(), SendStreamError> {
        self.close_with(BTreeMap::new()).await
    }

    /// Ends the text with attributes that were not known before.
    ///
    /// # Errors
    /// [`SendStreamError`].
    ///
    /// # Cancel safety
    /// That of [`close`](Self::close).
    pub async fn close_with(mut self, attributes: BTreeMap<String, String>) -> Result<(), SendStreamError> {
        self.open.close(&attributes).await
    }

    /// Gives the text up for a reason that its readers are told.
    pub fn abort(mut self, reason: &str) {
        self.open.abort(reason);
    }
}

impl ByteStreamWriter {
    /// What receivers are told before the content.
    #[must_use]
    pub fn info(&self) -> &StreamInfo {
        self.open.writer.info()
    }

    /// Writes some bytes; waits while the connection has no room for them.
    ///
    /// # Errors
    /// [`SendStreamError`]; what follows fails as well.
    ///
    /// # Cancel safety
    /// A part of the bytes may have been sent when it is dropped.
    pub async fn write(&mut self, bytes: impl Into<Bytes>) -> Result<(), SendStreamError> {
        self.open.write(bytes.into()).await
    }

    /// Ends the stream, and waits until the connection has taken all of it.
    ///
    /// # Errors
    /// [`SendStreamError`].
    ///
    /// # Cancel safety
    /// The stream is given up when it is dropped before its end was sent.
    pub async fn close(self) -> Result<(), SendStreamError> {
        self.close_with(BTreeMap::new()).await
    }

    /// Ends the stream with attributes that were not known before.
    ///
    /// # Errors
    /// [`SendStreamError`].
    ///
    /// # Cancel safety
    /// That of [`close`](Self::close).
    pub async fn close_with(mut self, attributes: BTreeMap<String, String>) -> Result<(), SendStreamError> {
        self.open.close(&attributes).await
    }

    /// Gives the stream up for a reason that its readers are told.
    pub fn abort(mut self, reason: &str) {
        self.open.abort(reason);
    }
}

impl fmt::Debug for TextStreamWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextStreamWriter").field("info", self.info()).finish_non_exhaustive()
    }
}

impl fmt::Debug for ByteStreamWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteStreamWriter").field("info", self.info()).finish_non_exhaustive()
    }
}

/// A stream that is being written.
pub(super) struct OpenWriter {
    pub(super) writer: Writer,
    lane: Lane,
    progress: Option<Progress>,
}

impl OpenWriter {
    /// Sends the header.
    pub(super) async fn begin(
        shared: &Arc<Shared>,
        writer: Writer,
        progress: Option<Progress>,
    ) -> Result<Self, SendStreamError> {
        let ticket = shared.with(|core, _| core.streams.open_flow());
        let mut open = Self { writer, lane: Lane::new(shared, ticket), progress };
        open.write(Bytes::new()).await?;
        Ok(open)
    }

    pub(super) async fn write(&mut self, mut content: Bytes) -> Result<(), SendStreamError> {
        while let Some(packet) = self.writer.next(&mut content) {
            self.lane.send(packet).await?;
            self.tell();
        }
        Ok(())
    }

    pub(super) async fn close(
        &mut self,
        attributes: &BTreeMap<String, String>,
    ) -> Result<(), SendStreamError> {
        while let Some(packet) = self.writer.close(attributes) {
            self.lane.send(packet).await?;
        }
        self.lane.finish().await?;
        self.tell();
        Ok(())
    }

    /// Whoever cannot be told learns it when this participant leaves.
    pub(super) fn abort(&mut self, reason: &str) {
        if let Some(packet) = self.writer.abort(reason) {
            let _ = self.lane.try_send(packet, Urgency::Normal);
        }
    }

    fn tell(&self) {
        if let (Some(tell), Some(progress)) = (&self.progress, self.writer.progress()) {
            tell(progress);
        }
    }
}

impl Drop for OpenWriter {
    fn drop(&mut self) {
        self.abort(DROPPED);
    }
}
