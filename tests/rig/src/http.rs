//! HTTP as bytes, so that what is not HTTP can be sent too.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// An answer takes no longer.
const ANSWER_MAX: Duration = Duration::from_secs(15);
/// What makes a request ask for a WebSocket.
pub const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Names are in lower case.
    pub headers: Vec<(String, String)>,
    /// What follows them.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One request; `headers` are whole lines.
///
/// # Errors
/// When there is no answer in time.
pub async fn request(server: SocketAddr, line: &str, headers: &str) -> Result<Answer> {
    exchange(server, format!("{line} HTTP/1.1\r\nHost: {server}\r\n{headers}\r\n").as_bytes()).await
}

/// `GET`, with whole lines of headers.
///
/// # Errors
/// When there is no answer in time.
pub async fn get(server: SocketAddr, path: &str, headers: &str) -> Result<Answer> {
    request(server, &format!("GET {path}"), headers).await
}

/// Sends bytes and reads one answer to them.
///
/// # Errors
/// When there is no answer in time.
pub async fn exchange(server: SocketAddr, bytes: &[u8]) -> Result<Answer> {
    let answer = async {
        let mut stream = TcpStream::connect(server).await?;
        stream.write_all(bytes).await?;
        read_answer(&mut stream, !bytes.starts_with(b"HEAD ")).await
    };
    timeout(ANSWER_MAX, answer).await.context("no answer in time")?
}

/// One connection on which request follows request, each after the answer to the last.
#[derive(Debug)]
pub struct KeptAlive(TcpStream);

impl KeptAlive {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn connect(server: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        Ok(Self(stream))
    }

    /// Sends a whole request and reads the answer.
    ///
    /// # Errors
    /// When there is no answer in time.
    pub async fn ask(&mut self, request: &[u8]) -> Result<Answer> {
        let Self(stream) = self;
        let answer = async {
            stream.write_all(request).await?;
            read_answer(stream, true).await
        };
        timeout(ANSWER_MAX, answer).await.context("no answer in time")?
    }
}

async fn read_answer(stream: &mut TcpStream, has_body: bool) -> Result<Answer> {
    let mut read = Vec::new();
    let end = loop {
        if let Some(at) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        anyhow::ensure!(stream.read_buf(&mut read).await? > 0, "closed without an answer");
    };
    let mut body = read.split_off(end + 4);
    let mut answer = head(&String::from_utf8_lossy(&read))?;
    let length: usize = answer.header("content-length").unwrap_or("0").parse()?;
    while has_body && body.len() < length {
        anyhow::ensure!(stream.read_buf(&mut body).await? > 0, "closed within an answer");
    }
    answer.body = body;
    Ok(answer)
}

fn head(text: &str) -> Result<Answer> {
    let mut lines = text.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("no status line")?.parse()?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Ok(Answer { status, headers, body: Vec::new() })
}
