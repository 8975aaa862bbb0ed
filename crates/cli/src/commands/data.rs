//! `trackyard data`: packets of an application's own.

mod send;

use clap::Subcommand;

use crate::Outcome;
use crate::runtime::run_client;

/// Send data packets
#[derive(Debug, Subcommand)]
pub(crate) enum Data {
    Send(send::SendData),
}

impl Data {
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::Send(verb) => run_client(|interrupt| verb.run(interrupt)),
        }
    }
}
