//! The upgrade of a request to a WebSocket (RFC 6455 §4.2), and the socket: it holds little, however long the
//! messages are that it has carried, because participants are many and their connections last.

use axum::extract::FromRequestParts;
use axum::http::header::{self, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::time::{Duration, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

/// What is read at once. The buffer is each connection's own for as long as it lasts, and overwritten before each read.
const READ_BYTES: usize = 4 * 1024;
/// A longer message goes in frames of this length, so that no connection holds a copy of it.
const FRAME_BYTES: usize = 16 * 1024;

/// A request that asks for a WebSocket.
pub(super) struct Upgrade {
    accept: String,
    on_upgrade: OnUpgrade,
}

/// The server's end of a WebSocket.
pub(crate) struct Socket(WebSocketStream<TokioIo<Upgraded>>);

/// Why nothing more can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SendError {
    /// The socket is broken.
    Broken,
    /// The other side takes nothing.
    Stalled,
}

impl<S: Sync> FromRequestParts<S> for Upgrade {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        if parts.method != Method::GET || !asks_for_websocket(&parts.headers) {
            return Err(StatusCode::BAD_REQUEST);
        }
        let key = parts.headers.get(header::SEC_WEBSOCKET_KEY).ok_or(StatusCode::BAD_REQUEST)?;
        let accept = derive_accept_key(key.as_bytes());
        let on_upgrade = parts.extensions.remove::<OnUpgrade>().ok_or(StatusCode::UPGRADE_REQUIRED)?;
        Ok(Self { accept, on_upgrade })
    }
}

impl Upgrade {
    /// The answer that switches protocols, and the socket once it has.
    pub(super) fn accept(self, message_bytes_max: usize) -> (Response, impl Future<Output = Option<Socket>>) {
        let Self { accept, on_upgrade } = self;
        let headers = [
            (header::CONNECTION, "upgrade"),
            (header::UPGRADE, "websocket"),
            (header::SEC_WEBSOCKET_ACCEPT, accept.as_str()),
        ];
        let answer = (StatusCode::SWITCHING_PROTOCOLS, headers).into_response();
        let socket = async move {
            // The client may be gone before it has the answer.
            let upgraded = on_upgrade.await.ok()?;
            let config = WebSocketConfig::default()
                .read_buffer_size(READ_BYTES)
                .write_buffer_size(0)
                .max_message_size(Some(message_bytes_max))
                .max_frame_size(Some(message_bytes_max));
            let stream = TokioIo::new(upgraded);
            Some(Socket(WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await))
        };
        (answer, socket)
    }
}

impl Socket {
    /// What comes next; `None` when the connection has ended or is broken.
    ///
    /// # Cancel safety
    /// Cancelling loses nothing.
    pub(crate) async fn recv(&mut self) -> Option<Message> {
        self.0.next().await?.ok()
    }

    /// Sends a frame, or a message that is one; gives up if the other side takes nothing for so long.
    pub(crate) async fn send(&mut self, message: Message, stall_max: Duration) -> Result<(), SendError> {
        in_time(self.0.send(message), stall_max).await
    }

    /// Sends a text (`Data::Text`) or bytes (`Data::Binary`), in frames if it is long.
    pub(crate) async fn send_data(
        &mut self,
        mut bytes: Bytes,
        mut kind: Data,
        stall_max: Duration,
    ) -> Result<(), SendError> {
        while bytes.len() > FRAME_BYTES {
            let frame = Frame::message(bytes.split_to(FRAME_BYTES), OpCode::Data(kind), false);
            in_time(self.0.feed(Message::Frame(frame)), stall_max).await?;
            kind = Data::Continue;
        }
        let last = Frame::message(bytes, OpCode::Data(kind), true);
        in_time(self.0.send(Message::Frame(last)), stall_max).await
    }
}

async fn in_time(
    sending: impl Future<Output = Result<(), Error>>,
    stall_max: Duration,
) -> Result<(), SendError> {
    match timeout(stall_max, sending).await {
        Ok(sent) => sent.map_err(|_| SendError::Broken),
        Err(_) => Err(SendError::Stalled),
    }
}

fn asks_for_websocket(headers: &HeaderMap) -> bool {
    says(headers, &header::CONNECTION, "upgrade")
        && says(headers, &header::UPGRADE, "websocket")
        && says(headers, &header::SEC_WEBSOCKET_VERSION, "13")
}

/// Whether one of a header's comma-separated words is this one.
fn says(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|said| said.trim().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_request_asks_for_a_websocket_by_its_headers() {
        let check = |connection: &'static str, upgrade: &'static str, version: &'static str, asks: bool| {
            let headers = HeaderMap::from_iter([
                (header::CONNECTION, HeaderValue::from_static(connection)),
                (header::UPGRADE, HeaderValue::from_static(upgrade)),
                (header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static(version)),
            ]);
            assert_eq!(asks_for_websocket(&headers), asks, "{connection} {upgrade} {version}");
        };
        check("Upgrade", "websocket", "13", true);
        check("keep-alive, Upgrade", "WebSocket", "13", true);
        check("keep-alive", "websocket", "13", false);
        check("Upgrade", "h2c", "13", false);
        check("Upgrade", "websocket", "8", false);
        assert!(!asks_for_websocket(&HeaderMap::new()));
    }
}
