//! Signal connections as sockets see them: encodings, liveness, limits, closing (protocol §1.5, §1.7).

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, connect_async_with_config};
use trackyard_proto::{Encoding, Request, Response};
use trackyard_rig::{LiveClient, SignalEnd, Site, token};

use crate::machine::shared;

const PATIENCE: Duration = Duration::from_secs(20);

struct Frames(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Frames {
    async fn connect(site: &Site, parameters: &str) -> Self {
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let token = token("robot", "yard");
        let url = format!("ws://{}/rtc?protocol=17&access_token={token}{parameters}", site.http());
        Self(connect_async_with_config(url, Some(config), true).await.unwrap().0)
    }

    /// The next frame, whatever it is; `None` once the connection has ended.
    async fn next(&mut self) -> Option<Message> {
        timeout(PATIENCE, self.0.next()).await.expect("a frame in time").and_then(Result::ok)
    }

    /// The next message, and how it came.
    async fn message(&mut self) -> (Response, Encoding) {
        loop {
            let (bytes, encoding) = match self.next().await.expect("a message") {
                Message::Binary(bytes) => (bytes, Encoding::Binary),
                Message::Text(text) => (text.into(), Encoding::Json),
                Message::Ping(_) | Message::Pong(_) => continue,
                other => panic!("{other:?}"),
            };
            if let Some(response) = Response::decode(&bytes, encoding).unwrap() {
                return (response, encoding);
            }
        }
    }

    /// Asks for a pong, and answers how it came.
    async fn ping(&mut self, encoding: Encoding) -> Encoding {
        let bytes = Request::Ping(1).encode(encoding);
        let frame = match encoding {
            Encoding::Binary => Message::Binary(bytes),
            Encoding::Json => Message::Text(bytes.try_into().unwrap()),
        };
        self.0.send(frame).await.unwrap();
        loop {
            if let (Response::Pong(_), encoding) = self.message().await {
                return encoding;
            }
        }
    }
}

#[tokio::test]
async fn answers_follow_the_encoding_of_the_last_frame() {
    let _machine = shared().await;
    let site = Site::start("").await.unwrap();
    let mut frames = Frames::connect(&site, "").await;
    let (first, encoding) = frames.message().await;
    assert!(matches!(first, Response::Join(_)), "{first:?}");
    assert_eq!(encoding, Encoding::Binary, "it begins in binary");
    for encoding in [Encoding::Json, Encoding::Binary, Encoding::Json] {
        assert_eq!(frames.ping(encoding).await, encoding);
    }
}

#[tokio::test]
async fn who_asks_for_json_gets_it_from_the_first_message_on() {
    let _machine = shared().await;
    let site = Site::start("").await.unwrap();
    let mut frames = Frames::connect(&site, "&encoding=json").await;
    let (first, encoding) = frames.message().await;
    assert!(matches!(first, Response::Join(_)), "{first:?}");
    assert_eq!(encoding, Encoding::Json);
}

#[tokio::test]
async fn the_server_pings_the_connection_itself() {
    let _machine = shared().await;
    let site = Site::start("").await.unwrap();
    let mut frames = Frames::connect(&site, "").await;
    loop {
        if let Message::Ping(_) = frames.next().await.expect("it stays open") {
            break;
        }
    }
}

#[tokio::test]
async fn a_message_of_2_mib_is_read_and_a_longer_one_ends_the_connection() {
    let _machine = shared().await;
    let site = Site::start("").await.unwrap();
    let mut frames = Frames::connect(&site, "").await;
    let limit = 2 * 1024 * 1024;
    // Field 1000 as bytes: unknown, and skipped.
    let message = |bytes: usize| {
        let mut message = vec![0xc2, 0x3e];
        let mut length = bytes - 6;
        while length >= 0x80 {
            message.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        message.push(length as u8);
        message.resize(bytes, 0);
        message
    };
    frames.0.send(Message::Binary(message(limit).into())).await.unwrap();
    assert_eq!(frames.ping(Encoding::Binary).await, Encoding::Binary, "it is still served");
    // The server may close before it has taken everything.
    let _ = frames.0.send(Message::Binary(message(limit + 1).into())).await;
    let ended = async { while !matches!(frames.next().await, Some(Message::Close(_)) | None) {} };
    timeout(PATIENCE, ended).await.expect("pings alone do not show that it goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_leave_the_connection_is_closed_with_1000() {
    let _machine = shared().await;
    let site = Site::start("").await.unwrap();
    let (client, _) = LiveClient::join(site.client("robot", "yard")).await.unwrap();
    assert_eq!(client.leave().await.unwrap(), SignalEnd::Closed(1000));
    let (mut former, join) = LiveClient::join(site.client("robot", "yard")).await.unwrap();
    let (_latter, again) = LiveClient::join(site.client("robot", "yard")).await.unwrap();
    assert_ne!(join.participant.sid, again.participant.sid);
    let leave = former.message(|response| matches!(response, Response::Leave { .. }).then_some(response));
    leave.await.expect("a leave goes before the end");
    assert_eq!(former.signal_end(PATIENCE).await.unwrap(), SignalEnd::Closed(1000));
}

#[tokio::test]
async fn a_refused_upgrade_is_an_http_answer() {
    let _machine = shared().await;
    let site = Site::start("").await.unwrap();
    let refused = connect_async(format!("ws://{}/rtc?access_token=garbage", site.http())).await;
    let Err(tokio_tungstenite::tungstenite::Error::Http(answer)) = refused else { panic!("{refused:?}") };
    assert_eq!(answer.status(), 401);
}
