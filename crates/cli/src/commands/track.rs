//! `trackyard track`: looks at data tracks, receives them and publishes them.

mod bw;
mod delay;
mod delivery;
mod echo;
mod encoding;
mod hz;
mod info;
mod list;
mod meter;
mod publish;
mod target;
mod watch;
mod window;

use clap::Subcommand;

use crate::Outcome;
use crate::runtime::run_client;

/// See, receive and publish data tracks
#[derive(Debug, Subcommand)]
pub(crate) enum Track {
    List(list::List),
    Info(info::Info),
    Pub(Box<publish::Publish>),
    Echo(echo::Echo),
    Hz(hz::Hz),
    Bw(bw::Bw),
    Delay(delay::Delay),
}

impl Track {
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::List(verb) => run_client(|interrupt| verb.run(interrupt)),
            Self::Info(verb) => run_client(|interrupt| verb.run(interrupt)),
            Self::Pub(verb) => run_client(|interrupt| verb.run(interrupt)),
            Self::Echo(verb) => run_client(|interrupt| verb.run(interrupt)),
            Self::Hz(verb) => run_client(|interrupt| verb.run(interrupt)),
            Self::Bw(verb) => run_client(|interrupt| verb.run(interrupt)),
            Self::Delay(verb) => run_client(|interrupt| verb.run(interrupt)),
        }
    }
}
