//! Requests to the server that is tested, and what its metrics say.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// An answer takes no longer, even from a server that has just stood still.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// An answer is no longer.
const ANSWER_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What a server has counted, by series.
#[derive(Debug, Default)]
pub(super) struct Metrics(HashMap<String, f64>);

/// `GET`: the status, and what follows the head.
///
/// # Errors
/// When there is no answer in time.
pub(super) async fn get(server: SocketAddr, path: &str) -> anyhow::Result<(u16, String)> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n");
    let answer = async {
        let mut stream = TcpStream::connect(server).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await?;
        anyhow::Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    let answer = timeout(ANSWER_MAX, answer).await.context("the server does not answer")??;
    let (head, body) = answer.split_once("\r\n\r\n").context("the server's answer has no head")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.context("the server's answer has no status")?, body.to_owned()))
}

impl Metrics {
    /// Asks a server.
    ///
    /// # Errors
    /// When it does not say.
    pub(super) async fn read(server: SocketAddr) -> anyhow::Result<Self> {
        let (status, page) = get(server, "/metrics").await?;
        ensure!(status == 200, "the server answers {status} instead of metrics");
        let series = page.lines().filter(|line| !line.starts_with('#'));
        let values = series.filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        });
        Ok(Self(values.collect()))
    }

    /// The value of a series; 0 if there is none.
    pub(super) fn get(&self, series: &str) -> f64 {
        self.0.get(series).copied().unwrap_or_default()
    }

    /// A gauge that counts things.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a count")]
    pub(super) fn count(&self, series: &str) -> u64 {
        self.get(series).max(0.0) as u64
    }

    /// How often something has happened in rooms.
    pub(super) fn room_event(&self, event: &str) -> f64 {
        self.get(&format!("trackyard_room_events_total{{event=\"{event}\"}}"))
    }

    /// The sum of all series whose names begin so.
    pub(super) fn sum(&self, begin: &str) -> f64 {
        self.0.iter().filter(|(name, _)| name.starts_with(begin)).map(|(_, value)| value).sum()
    }
}
