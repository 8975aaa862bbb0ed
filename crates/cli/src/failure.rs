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
}

impl Failure {
    /// Says why on standard error.
    pub(crate) fn report(self) -> ExitCode {
        match self {
            Self::Usage(text) => {
                eprintln!("error: {text}");
                ExitCode::from(2)
            }
            Self::Reported => ExitCode::from(2),
            Self::Failed(error) => {
                eprintln!("error: {error:#}");
                ExitCode::from(1)
            }
        }
    }
}

impl From<ConfigErrors> for Failure {
    /// Every problem on a line of its own, warnings first so that errors stay in sight.
    fn from(errors: ConfigErrors) -> Self {
        for warning in &errors.warnings {
            eprintln!("warning: {warning}");
        }
        for error in &errors.errors {
            eprintln!("error: {error}");
        }
        Self::Reported
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}
