//! `trackyard room`: lists, makes and ends rooms.

mod create;
mod delete;
mod describe;
mod list;

use clap::Subcommand;

use crate::Outcome;
use crate::runtime::run_client;

/// List, make and end rooms
#[derive(Debug, Subcommand)]
pub(crate) enum Room {
    List(list::List),
    Create(Box<create::Create>),
    Delete(delete::Delete),
}

impl Room {
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::List(verb) => run_client(|interrupt| verb.run(interrupt)),
            Self::Create(verb) => run_client(|interrupt| verb.run(interrupt)),
            Self::Delete(verb) => run_client(|interrupt| verb.run(interrupt)),
        }
    }
}
