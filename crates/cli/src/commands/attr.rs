//! `trackyard attr`: attributes of participants.

mod get;
mod set;
mod watch;

use clap::Subcommand;

use crate::Outcome;
use crate::runtime::run_client;

/// See, change and watch attributes of participants
#[derive(Debug, Subcommand)]
pub(crate) enum Attr {
    Get(get::Get),
    Set(Box<set::Set>),
    Watch(watch::Watch),
}

impl Attr {
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::Get(verb) => run_client(|interrupt| verb.run(interrupt)),
            Self::Set(verb) => run_client(|interrupt| verb.run(interrupt)),
            Self::Watch(verb) => run_client(|interrupt| verb.run(interrupt)),
        }
    }
}
