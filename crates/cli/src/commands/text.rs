//! `trackyard text`: texts of any length.

mod send;

use clap::Subcommand;

use crate::Outcome;
use crate::runtime::run_client;

/// Send texts
#[derive(Debug, Subcommand)]
pub(crate) enum Text {
    Send(Box<send::SendText>),
}

impl Text {
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::Send(verb) => run_client(|interrupt| verb.run(interrupt)),
        }
    }
}
