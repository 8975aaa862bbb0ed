//! The outgoing queue of one signal connection, bounded in messages and in bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;
use trackyard_proto::{Encoding, Outbound};

use crate::http::Refusal;

/// Messages that may wait for a slow reader.
const MESSAGES_MAX: usize = 8_192;
/// Bytes that may wait for a slow reader, as protobuf; one message alone may be larger.
const BYTES_MAX: usize = 32 * 1024 * 1024;

/// What a room sends to a signal connection.
#[derive(Debug)]
pub(crate) enum SignalItem {
    /// A message of the session.
    Message(Outbound),
    /// There is no session: seen only as the first item.
    Refused(Refusal),
}

/// The room's end.
#[derive(Debug)]
pub(crate) struct SignalSink {
    items: mpsc::Sender<SignalItem>,
    waiting_bytes: Arc<AtomicUsize>,
}

/// The connection's end.
#[derive(Debug)]
pub(crate) struct SignalSource {
    items: mpsc::Receiver<SignalItem>,
    waiting_bytes: Arc<AtomicUsize>,
}

/// The reader is too slow: the queue is full, and the connection has to be given up.
#[derive(Debug)]
pub(crate) struct Overflow;

/// A queue for one signal connection.
pub(crate) fn signal_queue() -> (SignalSink, SignalSource) {
    let (sender, receiver) = mpsc::channel(MESSAGES_MAX);
    let waiting_bytes = Arc::new(AtomicUsize::new(0));
    let sink = SignalSink { items: sender, waiting_bytes: Arc::clone(&waiting_bytes) };
    (sink, SignalSource { items: receiver, waiting_bytes })
}

impl SignalSink {
    /// Queues an item. A connection that has already gone is not an error: its end is reported elsewhere.
    pub(crate) fn send(&self, item: SignalItem) -> Result<(), Overflow> {
        let bytes = item.bytes();
        let waiting = self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        if waiting > 0 && waiting + bytes > BYTES_MAX {
            return Err(Overflow);
        }
        match self.items.try_send(item) {
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
            Err(mpsc::error::TrySendError::Full(_)) => Err(Overflow),
        }
    }
}

impl SignalSource {
    /// The next item, or `None` once the room has let go of the connection.
    ///
    /// # Cancel safety
    /// Cancelling loses nothing.
    pub(crate) async fn recv(&mut self) -> Option<SignalItem> {
        let item = self.items.recv().await?;
        self.waiting_bytes.fetch_sub(item.bytes(), Ordering::Relaxed);
        Some(item)
    }
}

impl SignalItem {
    fn bytes(&self) -> usize {
        match self {
            Self::Message(message) => message.encode(Encoding::Binary).len(),
            Self::Refused(refusal) => refusal.text.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trackyard_proto::Response;

    fn message(bytes: usize) -> SignalItem {
        SignalItem::Message(Outbound::new(Response::RefreshToken("x".repeat(bytes))))
    }

    #[test]
    fn a_reader_that_never_reads_is_given_up() {
        let (sink, _source) = signal_queue();
        let sent = (0..=MESSAGES_MAX).take_while(|_| sink.send(message(1)).is_ok()).count();
        assert_eq!(sent, MESSAGES_MAX);
    }

    #[tokio::test]
    async fn bytes_are_bounded_but_one_large_message_passes() {
        let (sink, mut source) = signal_queue();
        sink.send(message(BYTES_MAX + 1)).unwrap();
        assert!(sink.send(message(1)).is_err());
        assert!(source.recv().await.is_some());
    }
}
