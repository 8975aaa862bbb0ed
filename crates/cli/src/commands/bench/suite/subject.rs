//! A server while it is measured.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use trackyard_bench::suite::ServerFacts;

use super::pin::Pinned;
use super::process::Started;
use super::spec::ServerSpec;
use crate::commands::bench::links::Server;
use crate::commands::bench::watch::Watch;
use crate::connection::{Entrance, Role, url};
use crate::failure::Failure;
use crate::sensitive::Sensitive;

/// A server that was started answers within this.
const START_MAX: Duration = Duration::from_secs(20);
/// How often it is asked.
const ASK: Duration = Duration::from_millis(25);

/// What lets clients in.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    pub(super) key: String,
    pub(super) secret: Sensitive,
}

/// A server while it is measured.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) spec: ServerSpec,
    keys: Keys,
    core: Option<u32>,
    version: Option<String>,
    /// Where it says what it has to say.
    log: Option<PathBuf>,
    // Let go before the process ends.
    pinned: Option<Pinned>,
    started: Option<Started>,
}

impl Subject {
    /// Starts it if need be, and sees that it lets clients in.
    ///
    /// # Errors
    /// When it does not.
    pub(super) async fn open(
        spec: ServerSpec,
        (keys, core): (Keys, Option<u32>),
        log: Option<PathBuf>,
    ) -> Result<Self, Failure> {
        let mut subject = Self { spec, keys, core, version: None, log, pinned: None, started: None };
        if subject.is_startable() {
            subject.renew().await?;
        } else {
            subject.pin()?;
        }
        let joined = subject.entrance().join(Role::Observer, "-hello").await;
        let (room, _events) = joined.map_err(|failure| subject.said(failure))?;
        subject.version = Some(room.server_version()).filter(|version| !version.is_empty());
        room.close().await;
        Ok(subject)
    }

    /// Starts it anew, if it is ours to start.
    ///
    /// # Errors
    /// When it does not start or does not answer.
    pub(super) async fn renew(&mut self) -> Result<(), Failure> {
        if !self.is_startable() {
            return Ok(());
        }
        self.pinned = None;
        if let Some(started) = self.started.take() {
            started.end().await;
        }
        let server = Server::parse(&self.spec.url)?;
        self.ensure_alone(&server).await?;
        self.started = Some(Started::start(&self.spec.command, self.log.as_deref())?);
        self.answers(&server).await.map_err(|error| {
            let log = self.log.as_ref().map(|path| format!("see {}", path.display()));
            let log = log.unwrap_or_else(|| "with --out it keeps its log".to_owned());
            Failure::Connect(anyhow!("{}: {error:#}; {log}", self.spec.name))
        })?;
        self.pin()
    }

    /// Whoever answers there already would be measured in its stead.
    async fn ensure_alone(&self, server: &Server) -> Result<(), Failure> {
        match tokio::time::timeout(START_MAX, server.reach()).await {
            Ok(Ok(address)) => Err(Failure::Connect(anyhow!(
                "{}: another server listens at {address} already: end it, or name its process by pid= instead of run=",
                self.spec.name
            ))),
            _ => Ok(()),
        }
    }

    /// Whether it is the suite that starts it.
    pub(super) fn is_startable(&self) -> bool {
        !self.spec.command.is_empty()
    }

    /// Whether its process is gone, as far as that is known.
    pub(super) fn has_ended(&mut self) -> bool {
        match &mut self.started {
            Some(started) => started.end_reason().is_some(),
            None => self.spec.pid.is_some_and(|pid| !PathBuf::from(format!("/proc/{pid}")).exists()),
        }
    }

    /// What is said of a server that is gone for good.
    pub(super) fn gone(&self) -> Failure {
        Failure::Connect(anyhow!(
            "{}: its process is gone, and only one that is started by run= is started anew",
            self.spec.name
        ))
    }

    /// What looks at its process.
    ///
    /// # Errors
    /// When it cannot be seen.
    pub(super) fn watch(&self) -> Result<Watch, Failure> {
        Watch::new(self.started.as_ref().map(Started::pid).or(self.spec.pid))
    }

    /// A room that nobody has been in.
    pub(super) fn entrance(&self) -> Entrance {
        let room = format!("suite-{:016x}", fastrand::u64(..));
        Entrance::by_key((&self.spec.url, &room), (&self.keys.key, &self.keys.secret))
    }

    /// The core it is kept to.
    pub(super) fn core(&self) -> Option<u32> {
        self.core
    }

    /// What is said of it.
    pub(super) fn facts(&self) -> ServerFacts {
        ServerFacts {
            name: self.spec.name.clone(),
            url: url::without_credentials(&self.spec.url),
            version: self.version.clone(),
            started_by: self.is_startable().then(|| self.spec.command.join(" ")),
            core: self.core,
        }
    }

    fn pin(&mut self) -> Result<(), Failure> {
        let process = self.started.as_ref().map(Started::pid).or(self.spec.pid);
        self.pinned = match (process, self.core) {
            (Some(process), Some(core)) => Some(Pinned::to_core(process, core)?),
            _ => None,
        };
        Ok(())
    }

    async fn answers(&mut self, server: &Server) -> anyhow::Result<()> {
        let asking = async {
            loop {
                let has_answered = server.reach().await.is_ok();
                // Looked at last: what has answered may be another, in whose way it could not start.
                if let Some(reason) = self.started.as_mut().and_then(Started::end_reason) {
                    return Err(reason);
                }
                if has_answered {
                    return Ok(());
                }
                tokio::time::sleep(ASK).await;
            }
        };
        let answer = tokio::time::timeout(START_MAX, asking).await;
        answer.unwrap_or_else(|_| Err(anyhow!("nothing answers at its URL after {START_MAX:?}")))
    }

    fn said(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Connect(error) => {
                Failure::Connect(error.context(format!("{} does not let clients in", self.spec.name)))
            }
            other => other,
        }
    }
}
