//! `trackyard attr get`: the attributes of participants.

use std::collections::BTreeMap;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde_json::{Value, json};
use tokio::time::Instant;
use trackyard::{Room, RoomEvents};

use crate::connection::{Connection, Role, connect};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::sending::present;
use crate::text::{printable, printable_lines};
use crate::{Outcome, output};

/// Print the attributes of participants
#[derive(Debug, Args)]
#[command(after_help = "\
With KEY the value alone is printed; ends with 4 if there is none, or no such participant.

Examples:
  trackyard attr get
  trackyard attr get robot-1
  trackyard attr get robot-1 battery
  trackyard attr get --json | jq '.[].attributes.battery'")]
pub(crate) struct Get {
    /// Whose; waited for if it is not there yet [default: everyone's]
    #[arg(value_name = "IDENTITY", value_parser = NonEmptyStringValueParser::new())]
    participant: Option<String>,
    /// Which one [default: all]
    #[arg(value_name = "KEY", value_parser = NonEmptyStringValueParser::new())]
    key: Option<String>,
    /// Print JSON: an array of participants; one object with IDENTITY, one value with KEY
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

type Attributes = BTreeMap<String, String>;

impl Get {
    pub(crate) async fn run(self, mut interrupt: Interrupt) -> Outcome {
        let (room, events) = interrupt.during(connect(&self.connection, Role::Observer)).await?;
        let outcome = interrupt.during(self.get(&room, events)).await;
        room.close().await;
        outcome
    }

    async fn get(&self, room: &Room, mut events: RoomEvents) -> Outcome {
        let Some(identity) = &self.participant else { return self.print_all(room) };
        let attributes = self.of(room, &mut events, identity).await?;
        match &self.key {
            Some(key) => self.print_value(identity, (key, &attributes)),
            None if self.json => Ok(output::print_json(&object(identity, &attributes))?),
            None => output::write(lines("", &attributes).as_bytes()),
        }
    }

    /// Those of this client are its own: a token may say who that is.
    async fn of(&self, room: &Room, events: &mut RoomEvents, identity: &str) -> Result<Attributes, Failure> {
        let local = room.local_participant();
        if local.identity() == identity {
            return Ok(local.attributes());
        }
        let deadline = Instant::now() + self.connection.timeout;
        Ok(present(room, events, (identity, deadline)).await?.attributes().clone())
    }

    fn print_all(&self, room: &Room) -> Outcome {
        let people = room.remote_participants();
        if self.json {
            let people = people.iter().map(|other| object(other.identity(), other.attributes())).collect();
            return Ok(output::print_json(&Value::Array(people))?);
        }
        if people.is_empty() {
            say!("note: nobody is in the room");
        }
        let text: String = people
            .iter()
            .map(|other| format!("{}\n{}", printable(other.identity()), lines("  ", other.attributes())))
            .collect();
        output::write(text.as_bytes())
    }

    fn print_value(&self, identity: &str, (key, attributes): (&str, &Attributes)) -> Outcome {
        let Some(value) = attributes.get(key) else {
            let (key, identity) = (printable(key), printable(identity));
            let there: Vec<_> = attributes.keys().map(|key| printable(key)).collect();
            let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
            return Err(Failure::NotFound(format!("`{identity}` has no attribute `{key}`; it has {there}")));
        };
        if self.json {
            return Ok(output::print_json(&value.as_str().into())?);
        }
        output::write(format!("{}\n", printable_lines(value)).as_bytes())
    }
}

fn object(identity: &str, attributes: &Attributes) -> Value {
    json!({ "identity": identity, "attributes": attributes })
}

/// One attribute on each line.
fn lines(indent: &str, attributes: &Attributes) -> String {
    attributes
        .iter()
        .map(|(key, value)| format!("{indent}{}={}\n", printable(key), printable(value)))
        .collect()
}
