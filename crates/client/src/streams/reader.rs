//! Streams that are received.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_util::StreamExt;
use trackyard_stream::{Content, StreamError, StreamInfo, StreamKey, Taken};

use crate::shared::Shared;

/// What [`TextStreamReader::read_all`] and [`ByteStreamReader::read_all`] put together at most; longer streams are read
/// piece by piece.
pub const READ_ALL_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// A text on its way, as a [`Stream`] of pieces. It ends with the text; an error ends it as well. Dropping it drops the
/// rest.
///
/// What is not read waits, within bounds: of a text that is left unread for long, the sender is not told and the
/// receiver gets [`StreamError::Overflow`].
pub struct TextStreamReader {
    open: OpenReader,
}

/// Bytes on their way, as a [`Stream`] of pieces, which ends as [`TextStreamReader`] does.
pub struct ByteStreamReader {
    open: OpenReader,
}

impl TextStreamReader {
    pub(super) fn new(open: OpenReader) -> Self {
        Self { open }
    }

    /// What the sender has told of it; attributes that it adds at the end are there then.
    #[must_use]
    pub fn info(&self) -> &StreamInfo {
        &self.open.info
    }

    /// Between 0 and 1; nothing where the sender does not know the length.
    #[must_use]
    pub fn progress(&self) -> Option<f64> {
        self.open.content.progress()
    }

    /// Bytes of the text so far.
    #[must_use]
    pub fn bytes_received(&self) -> u64 {
        self.open.content.received()
    }

    /// The whole text.
    ///
    /// # Errors
    /// [`StreamError`]: it is not complete, not text, or longer than [`READ_ALL_BYTES_MAX`].
    ///
    /// # Cancel safety
    /// The text is lost when it is dropped.
    pub async fn read_all(mut self) -> Result<String, StreamError> {
        self.open.content.set_limit(READ_ALL_BYTES_MAX);
        let mut text = String::new();
        while let Some(piece) = self.next().await {
            text.push_str(&piece?);
        }
        Ok(text)
    }
}

impl ByteStreamReader {
    pub(super) fn new(open: OpenReader) -> Self {
        Self { open }
    }

    /// What the sender has told of it; attributes that it adds at the end are there then.
    #[must_use]
    pub fn info(&self) -> &StreamInfo {
        &self.open.info
    }

    /// Between 0 and 1; nothing where the sender does not know the length.
    #[must_use]
    pub fn progress(&self) -> Option<f64> {
        self.open.content.progress()
    }

    /// Bytes so far.
    #[must_use]
    pub fn bytes_received(&self) -> u64 {
        self.open.content.received()
    }

    /// All of it.
    ///
    /// # Errors
    /// [`StreamError`]: it is not complete, or longer than [`READ_ALL_BYTES_MAX`].
    ///
    /// # Cancel safety
    /// The stream is lost when it is dropped.
    pub async fn read_all(mut self) -> Result<Bytes, StreamError> {
        self.open.content.set_limit(READ_ALL_BYTES_MAX);
        let mut bytes = BytesMut::new();
        while let Some(piece) = self.next().await {
            bytes.extend_from_slice(&piece?);
        }
        Ok(bytes.freeze())
    }
}

impl Stream for TextStreamReader {
    type Item = Result<String, StreamError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let open = &mut self.open;
        loop {
            match open.content.next_text() {
                // A character that has not come to its end.
                Ok(Some(text)) if text.is_empty() => {}
                Ok(Some(text)) if !open.is_over => return Poll::Ready(Some(Ok(text))),
                Ok(_) => match open.poll_more(context) {
                    Poll::Ready(More::Content) => {}
                    Poll::Ready(More::End(end)) => return Poll::Ready(end.map(Err)),
                    Poll::Pending => return Poll::Pending,
                },
                Err(error) => return Poll::Ready(open.fail(error).map(Err)),
            }
        }
    }
}

impl Stream for ByteStreamReader {
    type Item = Result<Bytes, StreamError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let open = &mut self.open;
        loop {
            match open.content.next_bytes() {
                Ok(Some(bytes)) if !open.is_over => return Poll::Ready(Some(Ok(bytes))),
                Ok(_) => match open.poll_more(context) {
                    Poll::Ready(More::Content) => {}
                    Poll::Ready(More::End(end)) => return Poll::Ready(end.map(Err)),
                    Poll::Pending => return Poll::Pending,
                },
                Err(error) => return Poll::Ready(open.fail(error).map(Err)),
            }
        }
    }
}

impl fmt::Debug for TextStreamReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextStreamReader").field("info", self.info()).finish_non_exhaustive()
    }
}

impl fmt::Debug for ByteStreamReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteStreamReader").field("info", self.info()).finish_non_exhaustive()
    }
}

/// A stream that is being read.
pub(super) struct OpenReader {
    shared: Arc<Shared>,
    stream: StreamKey,
    info: StreamInfo,
    content: Content,
    /// Its end was told, or an error.
    is_over: bool,
}

/// What has come.
enum More {
    Content,
    /// Its end, or why it failed.
    End(Option<StreamError>),
}

impl OpenReader {
    pub(super) fn new(
        shared: &Arc<Shared>,
        (stream, info, content): (StreamKey, StreamInfo, Content),
    ) -> Self {
        Self { shared: Arc::clone(shared), stream, info, content, is_over: false }
    }

    /// Gets what comes next, once what had come is read.
    fn poll_more(&mut self, context: &Context<'_>) -> Poll<More> {
        if self.is_over {
            return Poll::Ready(More::End(None));
        }
        match self.shared.with(|core, _| core.streams.take(self.stream, context.waker())) {
            Taken::Waiting => Poll::Pending,
            Taken::Chunk(chunk) => {
                self.content.push(chunk);
                Poll::Ready(More::Content)
            }
            Taken::Ended(Ok(attributes)) => {
                self.info.attributes.extend(attributes);
                self.is_over = true;
                Poll::Ready(More::End(self.content.finish().err()))
            }
            Taken::Ended(Err(error)) => Poll::Ready(More::End(self.fail(error))),
        }
    }

    /// An error is told once.
    fn fail(&mut self, error: StreamError) -> Option<StreamError> {
        self.shared.with(|core, _| core.streams.close(self.stream));
        (!std::mem::replace(&mut self.is_over, true)).then_some(error)
    }
}

impl Drop for OpenReader {
    fn drop(&mut self) {
        if !self.is_over {
            self.shared.with(|core, _| core.streams.close(self.stream));
        }
    }
}
