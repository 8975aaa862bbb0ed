//! One signal connection after the upgrade: frames in, messages out, liveness (protocol §1.5).

use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tracing::debug;
use trackyard_proto::{Encoding, Outbound, Request};

use super::upgrade::{SendError, Socket};
use crate::metrics::SignalCounters;
use crate::rooms::{SignalItem, SignalLink, SignalSource};

/// How often the WebSocket itself is pinged.
const PING_INTERVAL: Duration = Duration::from_secs(10);
/// A connection from which nothing at all has come for so long is given up.
const SILENCE_MAX: Duration = Duration::from_secs(40);
/// A reader that takes nothing for so long is given up.
const STALL_MAX: Duration = Duration::from_secs(10);
/// Frames that cannot be decoded before the connection is closed.
const UNDECODABLE_MAX: u32 = 16;

/// A signal connection that is served.
pub(crate) struct Session {
    socket: Socket,
    link: SignalLink,
    source: SignalSource,
    encoding: Encoding,
    counters: SignalCounters,
    farewell_max: Duration,
    heard: Instant,
    undecodable: u32,
}

/// On which terms a connection is served.
pub(crate) struct Terms {
    /// What the client speaks until it is heard to speak otherwise.
    pub(crate) encoding: Encoding,
    /// What it counts in.
    pub(crate) counters: SignalCounters,
    /// How long the other side's close frame is waited for.
    pub(crate) farewell_max: Duration,
}

/// Why serving has ended; decides the close frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The other side has closed, or the socket is broken.
    Gone,
    /// The room has let go.
    Released,
    /// What came cannot be understood.
    Undecodable,
    /// Nothing came for too long, or nothing was taken.
    Silent,
}

impl Session {
    /// A session whose first message is already known.
    pub(crate) fn new(socket: Socket, (link, source): (SignalLink, SignalSource), terms: Terms) -> Self {
        let Terms { encoding, counters, farewell_max } = terms;
        Self { socket, link, source, encoding, counters, farewell_max, heard: Instant::now(), undecodable: 0 }
    }

    /// Serves the connection to its end, beginning with `first`.
    pub(crate) async fn serve(mut self, first: Outbound) {
        let end = match self.write(&first).await {
            Ok(()) => self.run().await,
            Err(end) => end,
        };
        debug!(connection = self.link.connection().0, ?end, "signal connection ended");
        self.close(end).await;
    }

    async fn run(&mut self) -> End {
        let mut pings = interval_at(Instant::now() + PING_INTERVAL, PING_INTERVAL);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if let Err(end) = self.step(&mut pings).await {
                return end;
            }
        }
    }

    async fn step(&mut self, pings: &mut Interval) -> Result<(), End> {
        tokio::select! {
            frame = self.socket.recv() => match frame {
                Some(frame) => self.read(frame).await,
                None => Err(End::Gone),
            },
            item = self.source.recv() => match item {
                Some(SignalItem::Message(message)) => self.write(&message).await,
                Some(SignalItem::Refused(_)) | None => Err(End::Released),
            },
            _ = pings.tick() => self.ping().await,
        }
    }

    async fn read(&mut self, frame: Message) -> Result<(), End> {
        self.heard = Instant::now();
        let (bytes, encoding) = match frame {
            Message::Binary(bytes) => (bytes, Encoding::Binary),
            Message::Text(text) => (Bytes::from(text), Encoding::Json),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => return Ok(()),
            Message::Close(_) => return Err(End::Gone),
        };
        self.encoding = encoding;
        self.counters.received(bytes.len());
        match Request::decode(&bytes, encoding) {
            Ok(Some(request)) => self.link.send(request).await.map_err(|_| End::Released),
            Ok(None) => Ok(()),
            Err(_) => self.count_undecodable(),
        }
    }

    fn count_undecodable(&mut self) -> Result<(), End> {
        self.counters.undecodable();
        self.undecodable += 1;
        if self.undecodable < UNDECODABLE_MAX { Ok(()) } else { Err(End::Undecodable) }
    }

    async fn write(&mut self, message: &Outbound) -> Result<(), End> {
        let bytes = message.encode(self.encoding);
        self.counters.sent(bytes.len());
        let kind = match self.encoding {
            Encoding::Binary => Data::Binary,
            Encoding::Json => Data::Text,
        };
        Ok(self.socket.send_data(bytes, kind, STALL_MAX).await?)
    }

    async fn ping(&mut self) -> Result<(), End> {
        if self.heard.elapsed() > SILENCE_MAX {
            return Err(End::Silent);
        }
        self.deliver(Message::Ping(Bytes::new())).await
    }

    async fn deliver(&mut self, frame: Message) -> Result<(), End> {
        Ok(self.socket.send(frame, STALL_MAX).await?)
    }

    /// Code 1000 with an empty reason is the normal end; what the client should do was said by a leave.
    async fn close(mut self, end: End) {
        let (code, reason) = match end {
            End::Gone => return,
            End::Released => (CloseCode::Normal, ""),
            End::Undecodable => (CloseCode::Invalid, "signal messages could not be decoded"),
            End::Silent => (CloseCode::Away, "connection timed out"),
        };
        let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
        if self.deliver(Message::Close(Some(frame))).await.is_ok() {
            // The other side's close frame ends the exchange; its absence is no one's concern.
            let _ = timeout(self.farewell_max, async { while self.socket.recv().await.is_some() {} }).await;
        }
    }
}

impl From<SendError> for End {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Broken => Self::Gone,
            SendError::Stalled => Self::Silent,
        }
    }
}
