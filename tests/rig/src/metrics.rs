//! What a server has counted, as its `/metrics` say.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use tokio::time::{Instant, interval};

use crate::http;

/// How often a server is asked while something is waited for.
const ASK_INTERVAL: Duration = Duration::from_millis(50);

/// Values by name and labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Metrics(HashMap<String, f64>);

impl Metrics {
    /// Asks a server.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn read(server: SocketAddr) -> Result<Self> {
        let answer = http::get(server, "/metrics", "").await?;
        ensure!(answer.status == 200, "metrics: {} {}", answer.status, answer.text());
        Ok(Self::parse(&answer.text()))
    }

    /// Asks until something holds.
    ///
    /// # Errors
    /// When it does not hold within `limit`; the error says what was last seen.
    pub async fn wait(
        server: SocketAddr,
        (what, limit): (&str, Duration),
        mut holds: impl FnMut(&Self) -> bool,
    ) -> Result<Self> {
        let deadline = Instant::now() + limit;
        let mut asks = interval(ASK_INTERVAL);
        loop {
            asks.tick().await;
            let seen = Self::read(server).await?;
            if holds(&seen) {
                return Ok(seen);
            }
            if Instant::now() > deadline {
                bail!("not in time: {what}; {:?}", seen.non_zero());
            }
        }
    }

    /// A value; `labels` as they stand between the braces, or empty. What was never counted is 0.
    #[must_use]
    pub fn get(&self, name: &str, labels: &str) -> f64 {
        let key = if labels.is_empty() { name.to_owned() } else { format!("{name}{{{labels}}}") };
        self.0.get(&key).copied().unwrap_or(0.0)
    }

    /// A counter of a worker or its sockets, such as `worker_routed`.
    #[must_use]
    pub fn counter(&self, name: &str) -> f64 {
        self.get(&format!("trackyard_{name}_total"), "")
    }

    /// How often something has happened in rooms.
    #[must_use]
    pub fn room_event(&self, event: &str) -> f64 {
        self.get("trackyard_room_events_total", &format!("event=\"{event}\""))
    }

    /// Frames times subscriptions, `in` or `out`.
    #[must_use]
    pub fn frames(&self, direction: &str) -> f64 {
        self.get("trackyard_datatrack_frames_total", &format!("direction=\"{direction}\""))
    }

    /// Frames dropped, by reason.
    #[must_use]
    pub fn drops(&self) -> Vec<(String, f64)> {
        let prefix = "trackyard_datatrack_dropped_frames_total{reason=\"";
        let mut drops: Vec<_> = self
            .0
            .iter()
            .filter_map(|(key, value)| Some((key.strip_prefix(prefix)?.trim_end_matches("\"}"), *value)))
            .map(|(reason, value)| (reason.to_owned(), value))
            .collect();
        drops.sort_by(|a, b| a.0.cmp(&b.0));
        drops
    }

    /// Everything that is not 0.
    #[must_use]
    pub fn non_zero(&self) -> Vec<(&str, f64)> {
        let mut seen: Vec<_> = self
            .0
            .iter()
            .map(|(key, value)| (key.as_str(), *value))
            .filter(|(_, value)| *value != 0.0)
            .collect();
        seen.sort_by(|a, b| a.0.cmp(b.0));
        seen
    }

    fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let values = lines.filter_map(|line| {
            let (key, value) = line.rsplit_once(' ')?;
            Some((key.to_owned(), value.parse().ok()?))
        });
        Self(values.collect())
    }
}
