//! A signal connection as messages.

use std::sync::Arc;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::Response as HttpResponse;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use trackyard_proto::{Encoding, Request, Response};
use trackyard_session::SignalRequest;

use super::dial;
use crate::endpoint::Endpoint;
use crate::error::SignalError;

/// What is read at once. Robots have little memory, and the buffer is overwritten before each read.
const READ_BYTES: usize = 8 * 1024;
/// The longest message of a server that is read: an update of a very large room.
const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// Of a refusal's text, this much is shown.
const REFUSAL_BYTES_MAX: usize = 1_024;

type Socket = WebSocketStream<Box<dyn Stream>>;

/// A signal connection.
pub(crate) struct SignalSocket {
    socket: Socket,
    is_local: bool,
}

/// TCP, or TLS over it.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// What a server says or does.
#[derive(Debug)]
pub(crate) enum SignalEvent {
    /// It says this.
    Response(Box<Response>),
    /// Something that is no message of the protocol.
    Unreadable(String),
    /// It has closed the connection, or that broke.
    Closed,
}

/// The way of what is said.
pub(crate) struct SignalSender(SplitSink<Socket, Message>);

/// The way of what is heard.
pub(crate) struct SignalReceiver {
    messages: SplitStream<Socket>,
    /// Of messages that were heard since somebody asked.
    bytes: u64,
}

impl SignalSocket {
    /// Opens a connection and shows the token.
    pub(crate) async fn open(
        endpoint: &Endpoint,
        tls: &Arc<ClientConfig>,
        (request, token): (&SignalRequest, &str),
    ) -> Result<Self, SignalError> {
        let mut upgrade = endpoint.signal_url(request).into_client_request().map_err(protocol_error)?;
        let value = format!("Bearer {token}").parse().map_err(|_| SignalError::Refused {
            status: 401,
            message: "the token has characters that no token has".to_owned(),
        })?;
        upgrade.headers_mut().insert("Authorization", value);
        let stream = dial::connect(endpoint).await?;
        let is_local = stream.peer_addr().is_ok_and(|address| address.ip().is_loopback());
        let stream: Box<dyn Stream> =
            if endpoint.is_tls { Box::new(secure(endpoint, tls, stream).await?) } else { Box::new(stream) };
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        let opened = client_async_with_config(upgrade, stream, Some(config)).await;
        opened.map(|(socket, _)| Self { socket, is_local }).map_err(refusal)
    }

    /// Whether the server is on this machine.
    pub(crate) fn is_local(&self) -> bool {
        self.is_local
    }

    /// Both ways: a server that does not listen may still be heard.
    pub(crate) fn split(self) -> (SignalSender, SignalReceiver) {
        let (sender, receiver) = self.socket.split();
        (SignalSender(sender), SignalReceiver { messages: receiver, bytes: 0 })
    }
}

impl SignalSender {
    /// Says something; `false` if the connection is broken.
    pub(crate) async fn send(&mut self, request: &Request) -> bool {
        self.0.send(Message::Binary(request.encode(Encoding::Binary))).await.is_ok()
    }

    /// Says that nothing more comes.
    pub(crate) async fn close(&mut self) {
        // Whether the other side still hears it makes no difference any more.
        let _ = self.0.close().await;
    }
}

impl SignalReceiver {
    /// Bytes of messages that were heard since this was last asked.
    pub(crate) fn take_bytes(&mut self) -> u64 {
        std::mem::take(&mut self.bytes)
    }

    /// What the server says next. Nothing is lost when it is dropped.
    pub(crate) async fn recv(&mut self) -> SignalEvent {
        loop {
            let (bytes, encoding) = match self.messages.next().await {
                Some(Ok(Message::Binary(bytes))) => (bytes, Encoding::Binary),
                Some(Ok(Message::Text(text))) => (text.into(), Encoding::Json),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return SignalEvent::Closed,
            };
            self.bytes += bytes.len() as u64;
            match Response::decode(&bytes, encoding) {
                Ok(Some(response)) => return SignalEvent::Response(Box::new(response)),
                // A message that nobody here knows is skipped, as every client does.
                Ok(None) => {}
                Err(error) => return SignalEvent::Unreadable(error.to_string()),
            }
        }
    }

    /// Waits until the server has closed as well; whoever calls sets a limit to the time.
    pub(crate) async fn closed(&mut self) {
        while let Some(Ok(_)) = self.messages.next().await {}
    }
}

async fn secure(
    endpoint: &Endpoint,
    tls: &Arc<ClientConfig>,
    stream: TcpStream,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, SignalError> {
    let fail = |message: String| SignalError::Tls { host: endpoint.host.clone(), message };
    let name = ServerName::try_from(endpoint.host.clone()).map_err(|error| fail(error.to_string()))?;
    let secured = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await;
    secured.map_err(|error| fail(error.to_string()))
}

fn refusal(error: tungstenite::Error) -> SignalError {
    match error {
        tungstenite::Error::Http(response) => refused(&response),
        other => protocol_error(other),
    }
}

fn refused(response: &HttpResponse<Option<Vec<u8>>>) -> SignalError {
    let body = response.body().as_deref().unwrap_or_default();
    let text = String::from_utf8_lossy(&body[..body.len().min(REFUSAL_BYTES_MAX)]);
    // Nothing that could disturb who shows it.
    let message = text.trim().chars().filter(|c| !c.is_control()).collect();
    SignalError::Refused { status: response.status().as_u16(), message }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
fn protocol_error(error: tungstenite::Error) -> SignalError {
    SignalError::Protocol { message: error.to_string() }
}
