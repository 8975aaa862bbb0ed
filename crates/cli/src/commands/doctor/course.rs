//! The order of an examination, and where it ends early.

use trackyard::RoomOptions;
use trackyard::diagnose::Server;

use super::budget::Budget;
use super::report::{Line, Report, Step};
use crate::failure::Failure;
use crate::sensitive::Sensitive;

/// Who is examined, with what to show.
pub(super) struct Patient {
    pub(super) url: String,
    pub(super) token: Sensitive,
    /// There is no token to show: why. What needs none is examined all the same.
    pub(super) lacks_token: Option<String>,
    pub(super) second_token: Option<Sensitive>,
    /// Tokens are made here and now.
    pub(super) has_key: bool,
    pub(super) options: RoomOptions,
}

/// An examination.
pub(super) struct Course {
    pub(super) patient: Patient,
    pub(super) report: Report,
    pub(super) budget: Budget,
}

/// Why an examination does not go on.
pub(super) enum Stop {
    /// Without this step, those after it make no sense.
    Failed,
    /// What was found cannot be printed.
    Output(anyhow::Error),
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Self::Output(error)
    }
}

impl Course {
    pub(super) fn new(patient: Patient, mut report: Report) -> Self {
        if patient.lacks_token.is_none() {
            report.hide(patient.token.expose());
        }
        if let Some(token) = &patient.second_token {
            report.hide(token.expose());
        }
        Self { patient, report, budget: Budget::begin() }
    }

    /// Takes all steps, or those up to one without which the others make no sense.
    ///
    /// # Errors
    /// Only if what is found cannot be printed.
    pub(super) async fn run(&mut self) -> Result<(), Failure> {
        match self.steps().await {
            Ok(()) => Ok(()),
            Err(Stop::Failed) => Ok(self.skip_the_rest()?),
            Err(Stop::Output(error)) => Err(error.into()),
        }
    }

    /// What was found, and where: without what people hide in URLs.
    pub(super) fn end(self) -> (Report, Option<String>) {
        let url = self.server().ok().map(|server| shown_url(&server));
        (self.report, url)
    }

    async fn steps(&mut self) -> Result<(), Stop> {
        let server = self.url()?;
        let addresses = self.dns(&server).await?;
        let address = self.tcp(&server, &addresses).await?;
        self.tls(&server, address).await?;
        self.token(&server, address).await?;
        let signalling = self.signalling(&server).await?;
        let found = self.paths(&signalling, address).await;
        signalling.close().await;
        let room = self.connection(found?).await?;
        let echoed = self.echo(&room).await;
        room.close().await;
        echoed
    }

    fn skip_the_rest(&mut self) -> anyhow::Result<()> {
        for step in Step::ALL {
            if !self.report.has(step) {
                self.report.line(Line::skipped(step, "not looked at"))?;
            }
        }
        Ok(())
    }

    /// Where it is, and whom to trust for it.
    pub(super) fn server(&self) -> Result<Server, trackyard::ConnectError> {
        Server::new(&self.patient.url, &self.patient.options.root_certificates)
    }
}

/// A URL holds no more than this that may be shown.
pub(super) fn shown_url(server: &Server) -> String {
    let scheme = if server.is_tls() { "wss" } else { "ws" };
    let host = server.host();
    if host.contains(':') {
        format!("{scheme}://[{host}]:{}", server.port())
    } else {
        format!("{scheme}://{host}:{}", server.port())
    }
}
