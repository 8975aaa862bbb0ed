//! The client's side of a signal connection.

use anyhow::{Context, Result};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use trackyard_proto::join::JoinRequest;
use trackyard_proto::{Encoding, Request, Response};

/// What is read at once.
const READ_BYTES: usize = 16 * 1024;

/// A signal connection that asks in binary.
pub struct SignalSocket {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    received_bytes: u64,
    end: SignalEnd,
}

/// How a signal connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignalEnd {
    /// It has not ended.
    Open,
    /// The server has closed it with this code.
    Closed(u16),
    /// It broke without a close frame, or with one that gives no code.
    Broken,
}

impl SignalSocket {
    /// Connects with a join request (`single`) or with query parameters.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn connect(url: &str, token: &str, (request, single): (&JoinRequest, bool)) -> Result<Self> {
        let target = if single {
            format!("{url}/rtc/v1?join_request={}", request.encode_wrapped(true))
        } else if request.reconnect {
            format!("{url}/rtc?protocol=17&sdk=rust&reconnect=1&sid={}", request.participant_sid)
        } else {
            format!("{url}/rtc?protocol=17&sdk=rust&auto_subscribe=1")
        };
        let mut request = target.into_client_request()?;
        request.headers_mut().insert("Authorization", format!("Bearer {token}").parse()?);
        // Thousands of clients may share a process.
        let config = WebSocketConfig::default().read_buffer_size(READ_BYTES);
        let (socket, _) =
            connect_async_with_config(request, Some(config), true).await.context("the server refused")?;
        Ok(Self { socket, received_bytes: 0, end: SignalEnd::Open })
    }

    /// Sends a request.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn send(&mut self, request: &Request) -> Result<()> {
        self.send_frame(Message::Binary(request.encode(Encoding::Binary))).await
    }

    /// Sends a frame as it is.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn send_frame(&mut self, frame: Message) -> Result<()> {
        Ok(self.socket.send(frame).await?)
    }

    /// The next message, or `None` when the connection has ended.
    ///
    /// # Errors
    /// When the server says something that is no message.
    ///
    /// # Cancel safety
    /// Nothing is lost when it is dropped.
    pub async fn recv(&mut self) -> Result<Option<Response>> {
        while let Some(frame) = self.socket.next().await {
            let (bytes, encoding) = match frame {
                Ok(Message::Binary(bytes)) => (bytes, Encoding::Binary),
                Ok(Message::Text(text)) => (text.into(), Encoding::Json),
                Ok(Message::Close(frame)) => {
                    self.end = frame.map_or(SignalEnd::Broken, |frame| SignalEnd::Closed(frame.code.into()));
                    return Ok(None);
                }
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => continue,
                Err(_) => break,
            };
            self.received_bytes += bytes.len() as u64;
            // A message that nobody here knows is skipped, as clients do.
            if let Some(response) = Response::decode(&bytes, encoding)? {
                return Ok(Some(response));
            }
        }
        self.end = SignalEnd::Broken;
        Ok(None)
    }

    /// Bytes of messages received so far.
    #[must_use]
    pub fn received_bytes(&self) -> u64 {
        self.received_bytes
    }

    /// How it stands, as of the last [`Self::recv`].
    #[must_use]
    pub fn end(&self) -> SignalEnd {
        self.end
    }
}
