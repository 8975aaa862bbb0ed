//! `trackyard participant list`: who is in a room, without joining it.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde_json::Value;

use super::describe;
use crate::connection::{Service, refusal};
use crate::interrupt::Interrupt;
use crate::{Outcome, output};

/// List who is in a room, hidden participants included
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trackyard participant list --room yard
  trackyard participant list --room yard --json | jq -r '.[].identity'")]
pub(crate) struct List {
    /// The room
    #[arg(long, short, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    room: String,
    /// Print JSON: an array of participants
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    service: Service,
}

impl List {
    pub(crate) async fn run(self, mut interrupt: Interrupt) -> Outcome {
        let client = self.service.client()?;
        let asked = async { client.list_participants(&self.room).await.map_err(refusal) };
        let mut people = interrupt.during(asked).await?;
        people.sort_by(|a, b| a.identity.cmp(&b.identity));
        if self.json {
            let people = people.iter().map(|info| describe::json(info)).collect();
            return Ok(output::print_json(&Value::Array(people))?);
        }
        if people.is_empty() {
            say!("note: nobody is in the room");
        }
        let lines: String = people.iter().map(|info| describe::lines(info)).collect();
        Ok(output::print(&lines)?)
    }
}
