//! `trackyard file`: sends files to participants, and receives them.

mod digest;
mod name;
mod part;
mod receipt;
mod receive;
mod recipient;
mod send;
mod transfer;

use clap::Subcommand;

use crate::Outcome;
use crate::runtime::run_client;

/// The topic of files unless told otherwise.
const TOPIC: &str = "files";

/// Send and receive files
#[derive(Debug, Subcommand)]
pub(crate) enum File {
    Send(Box<send::SendFile>),
    Receive(Box<receive::Receive>),
}

impl File {
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::Send(verb) => run_client(|interrupt| verb.run(interrupt)),
            Self::Receive(verb) => run_client(|interrupt| verb.run(interrupt)),
        }
    }
}
