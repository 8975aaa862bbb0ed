//! `trackyard participant`: lists, changes and removes participants of a room.

mod describe;
mod list;
mod permission;
mod remove;
mod update;

use clap::Subcommand;

use crate::Outcome;
use crate::runtime::run_client;

/// List, change and remove participants of a room
#[derive(Debug, Subcommand)]
pub(crate) enum Participant {
    List(list::List),
    Update(Box<update::Update>),
    Remove(remove::Remove),
}

impl Participant {
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::List(verb) => run_client(|interrupt| verb.run(interrupt)),
            Self::Update(verb) => run_client(|interrupt| verb.run(interrupt)),
            Self::Remove(verb) => run_client(|interrupt| verb.run(interrupt)),
        }
    }
}
