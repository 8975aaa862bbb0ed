//! The outgoing queue of one signal connection, bounded in messages and in bytes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

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
    address: SocketAddr,
    items: mpsc::Sender<SignalItem>,
    waiting: Arc<Waiting>,
}

/// The connection's end.
#[derive(Debug)]
pub(crate) struct SignalSource {
    items: mpsc::Receiver<SignalItem>,
    waiting: Arc<Waiting>,
}

/// What both ends know of the queue.
#[derive(Debug, Default)]
struct Waiting {
    bytes: AtomicUsize,
    /// Something did not fit: what is left is stale, and reading it would only keep the client from coming back.
    is_given_up: AtomicBool,
}

/// The reader is too slow: the queue is full, and the connection has to be given up.
#[derive(Debug)]
pub(crate) struct Overflow;

/// A queue for the signal connection of a client at `address`.
pub(crate) fn signal_queue(address: SocketAddr) -> (SignalSink, SignalSource) {
    let (sender, receiver) = mpsc::channel(MESSAGES_MAX);
    let waiting = Arc::<Waiting>::default();
    let sink = SignalSink { address, items: sender, waiting: Arc::clone(&waiting) };
    (sink, SignalSource { items: receiver, waiting })
}

impl SignalSink {
    /// Where its client is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Queues an item. A connection that has already gone is not an error: its end is reported elsewhere.
    pub(crate) fn send(&self, item: SignalItem) -> Result<(), Overflow> {
        let bytes = item.bytes();
        let waiting = self.waiting.bytes.fetch_add(bytes, Ordering::Relaxed);
        let has_room = waiting == 0 || waiting + bytes <= BYTES_MAX;
        if has_room && !matches!(self.items.try_send(item), Err(mpsc::error::TrySendError::Full(_))) {
            return Ok(());
        }
        self.waiting.is_given_up.store(true, Ordering::Relaxed);
        Err(Overflow)
    }
}

impl SignalSource {
    /// The next item, or `None` once the room has let go of the connection: at once if it was given up,
    /// else after all that waits.
    ///
    /// # Cancel safety
    /// Cancelling loses nothing.
    pub(crate) async fn recv(&mut self) -> Option<SignalItem> {
        let item = self.items.recv().await?;
        self.waiting.bytes.fetch_sub(item.bytes(), Ordering::Relaxed);
        (!self.waiting.is_given_up.load(Ordering::Relaxed)).then_some(item)
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

    fn queue() -> (SignalSink, SignalSource) {
        signal_queue(SocketAddr::from(([127, 0, 0, 1], 1)))
    }

    fn message(bytes: usize) -> SignalItem {
        SignalItem::Message(Outbound::new(Response::RefreshToken("x".repeat(bytes))))
    }

    #[test]
    fn a_reader_that_never_reads_is_given_up() {
        let (sink, _source) = queue();
        let sent = (0..=MESSAGES_MAX).take_while(|_| sink.send(message(1)).is_ok()).count();
        assert_eq!(sent, MESSAGES_MAX);
    }

    #[tokio::test]
    async fn what_waits_for_a_reader_that_was_given_up_is_thrown_away() {
        let (sink, mut source) = queue();
        while sink.send(message(1)).is_ok() {}
        drop(sink);
        assert!(source.recv().await.is_none(), "it is told at once, and not after all that is stale");
        let (sink, mut source) = queue();
        sink.send(message(1)).unwrap();
        drop(sink);
        assert!(source.recv().await.is_some(), "last words are heard");
    }

    #[tokio::test]
    async fn bytes_are_bounded_but_one_large_message_passes() {
        let (sink, mut source) = queue();
        sink.send(message(BYTES_MAX + 1)).unwrap();
        assert!(source.recv().await.is_some());
        sink.send(message(BYTES_MAX + 1)).unwrap();
        assert!(sink.send(message(1)).is_err());
    }
}
