//! Why a command ends without having done its work, and the exit code that says so.

use std::process::ExitCode;

use trackyard_server::config::ConfigErrors;

/// Why a command ends without having done its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was asked for something that makes no sense.
    Usage(String),
    /// All has been said already.
    Reported,
    /// It could not be done.
    Failed(anyhow::Error),
    /// What is wrong was found, and has been said.
    Diagnosed,
    /// The room could not be joined.
    Connect(anyhow::Error),
    /// What was asked for is not there, or not only once.
    NotFound(String),
    /// What was asked for did not come in the time given.
    TimedOut(String),
    /// It was interrupted before it had done its work.
    Interrupted,
    /// Nobody reads what it prints any more: what `head` does is no failure.
    OutputClosed,
}

impl Failure {
    /// Says why on standard error.
    pub(crate) fn report(self) -> ExitCode {
        match &self {
            Self::Usage(text) | Self::NotFound(text) | Self::TimedOut(text) => say!("error: {text}"),
            Self::Failed(error) | Self::Connect(error) => say!("error: {error:#}"),
            Self::Reported | Self::Diagnosed | Self::Interrupted | Self::OutputClosed => {}
        }
        ExitCode::from(self.exit_code())
    }

    /// Why, for whoever goes on without it.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Usage(text) | Self::NotFound(text) | Self::TimedOut(text) => text.clone(),
            Self::Failed(error) | Self::Connect(error) => format!("{error:#}"),
            Self::Reported | Self::Diagnosed => "it was said above".to_owned(),
            Self::Interrupted => "interrupted".to_owned(),
            Self::OutputClosed => "nobody reads the output".to_owned(),
        }
    }

    /// What the shell gets.
    fn exit_code(&self) -> u8 {
        match self {
            Self::OutputClosed => 0,
            Self::Failed(_) => 1,
            Self::Usage(_) | Self::Reported => 2,
            Self::Connect(_) | Self::Diagnosed => 3,
            Self::NotFound(_) => 4,
            // What `timeout` and shells end with.
            Self::TimedOut(_) => 124,
            Self::Interrupted => 130,
        }
    }
}

impl From<ConfigErrors> for Failure {
    /// Every problem on a line of its own, warnings first so that errors stay in sight.
    fn from(errors: ConfigErrors) -> Self {
        for warning in &errors.warnings {
            say!("warning: {warning}");
        }
        for error in &errors.errors {
            say!("error: {error}");
        }
        Self::Reported
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}
