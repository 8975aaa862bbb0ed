//! Many clients that join one room at once, until each of them is active and knows that all others are.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::{timeout, timeout_at};
use trackyard_proto::{ParticipantInfo, ParticipantState};
use trackyard_sim::client::ClientEvent;

use crate::live::{LiveClient, LiveConfig};

/// Others come all the time; a client that hears of nobody for so long is lost.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Clients of one room.
pub struct Crowd {
    /// All of them, active.
    pub clients: Vec<LiveClient>,
    /// How it went.
    pub times: CrowdTimes,
}

/// When the last of a crowd had come so far, from when the first set out.
#[derive(Debug, Clone, Copy, Default)]
pub struct CrowdTimes {
    /// The join response had come.
    pub joined: Duration,
    /// It was active by its own account.
    pub active: Duration,
    /// It knew that all others were active.
    pub known: Duration,
    /// Bytes of signalling to all of them.
    pub signal_bytes: u64,
}

/// How far one of them had come, and when.
#[derive(Debug, Clone, Copy, Default)]
struct Milestones {
    joined: Option<Instant>,
    active: Option<Instant>,
    known: Option<Instant>,
}

struct Newcomer {
    client: LiveClient,
    identity: String,
    active: HashSet<String>,
}

impl Crowd {
    /// Has all of them join at once, when each has made its request.
    ///
    /// # Errors
    /// When one fails, or is not done within `limit`.
    pub async fn join(configs: Vec<(String, LiveConfig)>, limit: Duration) -> Result<Self> {
        let count = configs.len();
        let gate = Arc::new(Barrier::new(count + 1));
        let mut joining = JoinSet::new();
        for (identity, config) in configs {
            let config = LiveConfig { gate: Some(Arc::clone(&gate)), ..config };
            joining.spawn(Newcomer::join(identity, config, count));
        }
        let gate = timeout(limit, gate.wait()).await;
        gate.context("some could not even set out")?;
        let begun = Instant::now();
        let deadline = begun + limit;
        let (mut clients, mut times) = (Vec::new(), CrowdTimes::default());
        while let Some(joined) = timeout_at(deadline.into(), joining.join_next()).await.context("joining")? {
            let (client, own) = joined??;
            let later =
                |so_far: Duration, at: Option<Instant>| at.map_or(so_far, |at| so_far.max(at - begun));
            times.joined = later(times.joined, own.joined);
            times.active = later(times.active, own.active);
            times.known = later(times.known, own.known);
            times.signal_bytes += client.signal_bytes();
            clients.push(client);
        }
        Ok(Self { clients, times })
    }
}

impl Newcomer {
    async fn join(identity: String, config: LiveConfig, count: usize) -> Result<(LiveClient, Milestones)> {
        let client = LiveClient::start(config).await.with_context(|| format!("{identity} is refused"))?;
        let mut newcomer = Self { client, identity, active: HashSet::new() };
        let mut milestones = Milestones::default();
        while newcomer.active.len() < count {
            let (at, event) =
                newcomer.client.event(SILENCE_MAX).await.with_context(|| newcomer.state(count))?;
            match event {
                ClientEvent::Joined(join) => {
                    milestones.joined = Some(at);
                    newcomer.hear(&join.other_participants);
                }
                ClientEvent::Update(participants) => newcomer.hear(&participants),
                _ => {}
            }
            if milestones.active.is_none() && newcomer.active.contains(&newcomer.identity) {
                milestones.active = Some(at);
            }
            milestones.known = Some(at);
        }
        Ok((newcomer.client, milestones))
    }

    fn hear(&mut self, participants: &[Arc<ParticipantInfo>]) {
        let active = participants.iter().filter(|info| info.state == ParticipantState::Active);
        self.active.extend(active.map(|info| info.identity.clone()));
    }

    fn state(&self, count: usize) -> String {
        format!("{} knows of {} active ones of {count}", self.identity, self.active.len())
    }
}
