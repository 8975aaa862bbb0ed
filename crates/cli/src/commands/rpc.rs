//! `trackyard rpc`: calls methods of participants, and answers calls.

mod answer;
mod call;
mod serve;

use clap::Subcommand;

use crate::Outcome;
use crate::runtime::run_client;

/// Call methods of participants, and answer calls
#[derive(Debug, Subcommand)]
pub(crate) enum Rpc {
    Call(Box<call::Call>),
    Serve(Box<serve::Serve>),
}

impl Rpc {
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::Call(verb) => run_client(|interrupt| verb.run(interrupt)),
            Self::Serve(verb) => run_client(|interrupt| verb.run(interrupt)),
        }
    }
}
