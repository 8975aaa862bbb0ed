//! `trackyard room create`: makes a room before anyone joins it.

use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use trackyard_api::CreateRoom;

use super::describe;
use crate::connection::{Service, refusal};
use crate::duration::positive_duration;
use crate::interrupt::Interrupt;
use crate::{Outcome, output};

/// Make a room, or change one that is there
#[derive(Debug, Args)]
#[command(after_help = "\
What is not given is as the server has it configured. Rooms are also made by whoever joins first, unless the
server is configured otherwise.

Examples:
  trackyard room create yard
  trackyard room create yard --empty-timeout 1h --max-participants 20
  trackyard room create yard --metadata '{\"site\":\"north\"}' --json")]
pub(crate) struct Create {
    /// Its name
    #[arg(value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    name: String,
    /// How long it stays before anyone has joined, such as 10m
    #[arg(long, value_name = "DURATION", value_parser = positive_duration)]
    empty_timeout: Option<Duration>,
    /// How long it stays after everybody has left, such as 20s
    #[arg(long, value_name = "DURATION", value_parser = positive_duration)]
    departure_timeout: Option<Duration>,
    /// How many may be in it
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    max_participants: Option<u32>,
    /// Its metadata
    #[arg(long, value_name = "TEXT")]
    metadata: Option<String>,
    /// Print the room in JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    service: Service,
}

impl Create {
    pub(crate) async fn run(self, mut interrupt: Interrupt) -> Outcome {
        let client = self.service.client()?;
        let request = CreateRoom {
            name: self.name.clone(),
            empty_timeout_s: seconds(self.empty_timeout),
            departure_timeout_s: seconds(self.departure_timeout),
            max_participants: self.max_participants.unwrap_or_default(),
            metadata: self.metadata.clone().unwrap_or_default(),
            ..CreateRoom::default()
        };
        let asked = async { client.create_room(&request).await.map_err(refusal) };
        let room = interrupt.during(asked).await?;
        if self.json {
            return Ok(output::print_json(&describe::json(&room))?);
        }
        Ok(output::print(&describe::line(&room))?)
    }
}

/// What the API takes: whole seconds, of which 0 is the server's default. A part of one counts as one.
fn seconds(duration: Option<Duration>) -> u32 {
    let seconds = duration.map_or(0, |duration| duration.as_millis().div_ceil(1_000));
    u32::try_from(seconds).unwrap_or(u32::MAX)
}
