//! `trackyard attr watch`: attributes of participants as they change.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde_json::json;
use tokio::time::Instant;
use trackyard::{Room, RoomEvent, RoomEvents};

use crate::connection::{Connection, Role, connect};
use crate::duration::positive_duration;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::session::heard;
use crate::text::printable;
use crate::{Outcome, output};

/// Print attributes of participants as they change
#[derive(Debug, Args)]
#[command(after_help = "\
Begins with what there is. An attribute that is deleted is shown without a value, and as null in JSON.
Without --count and --for it goes on until Ctrl-C.

Examples:
  trackyard attr watch
  trackyard attr watch robot-1 --key battery
  trackyard attr watch --json --for 10s")]
pub(crate) struct Watch {
    /// Whose, whether it is there yet or not [default: everyone's]
    #[arg(value_name = "IDENTITY", value_parser = NonEmptyStringValueParser::new())]
    participant: Option<String>,
    /// Which one; may be repeated [default: all]
    #[arg(long, value_name = "KEY", value_parser = NonEmptyStringValueParser::new())]
    key: Vec<String>,
    /// End after so many changes
    #[arg(long, short = 'n', value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// End after so long, such as 10s; with 124 if fewer than --count have come
    #[arg(long = "for", value_name = "DURATION", value_parser = positive_duration)]
    duration: Option<Duration>,
    /// Print one JSON object per change on a line of its own
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

type Attributes = BTreeMap<String, String>;

impl Watch {
    pub(crate) async fn run(self, mut interrupt: Interrupt) -> Outcome {
        let (room, events) = interrupt.during(connect(&self.connection, Role::Observer)).await?;
        let outcome = self.watch(&room, events, interrupt).await;
        room.close().await;
        outcome
    }

    async fn watch(&self, room: &Room, mut events: RoomEvents, mut interrupt: Interrupt) -> Outcome {
        for participant in room.remote_participants() {
            self.say((participant.identity(), "present"), participant.attributes())?;
        }
        let deadline = self.duration.map(|duration| Instant::now() + duration);
        let mut changes = 0;
        while self.count.is_none_or(|count| changes < count) {
            let event = tokio::select! {
                biased;
                () = interrupt.wait() => return self.interrupted(),
                () = at(deadline) => return self.elapsed(changes),
                event = events.recv() => event,
            };
            if let Some(event) = heard(event)? {
                changes += u64::from(self.tell(&event)?);
            }
        }
        Ok(())
    }

    /// Whether it was a change that is asked for.
    fn tell(&self, event: &RoomEvent) -> Result<bool, Failure> {
        match event {
            RoomEvent::ParticipantConnected(other) => {
                self.say((other.identity(), "joined"), other.attributes())
            }
            RoomEvent::ParticipantDisconnected(other) => {
                self.say((other.identity(), "left"), &Attributes::new())
            }
            RoomEvent::ParticipantAttributesChanged { participant, changed } if !participant.is_local() => {
                self.say((&participant.identity(), "changed"), changed)
            }
            _ => Ok(false),
        }
    }

    /// Whether there was something to say. That somebody comes, goes or is there counts for whoever is asked for.
    fn say(&self, (identity, what): (&str, &str), changed: &Attributes) -> Result<bool, Failure> {
        let is_other = self.participant.as_deref().is_some_and(|wanted| wanted != identity);
        let is_wanted = |key: &String| self.key.is_empty() || self.key.contains(key);
        let changed: Attributes = changed
            .iter()
            .filter(|(key, _)| is_wanted(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if is_other || (what == "changed" && changed.is_empty()) {
            return Ok(false);
        }
        if self.json {
            let value = |value: &String| (!value.is_empty()).then(|| value.clone());
            let changed: BTreeMap<_, _> = changed.iter().map(|(key, text)| (key, value(text))).collect();
            output::write_json(&json!({ "event": what, "identity": identity, "attributes": changed }))?;
        } else {
            let pairs: String = changed
                .iter()
                .map(|(key, value)| format!("  {}={}", printable(key), printable(value)))
                .collect();
            output::write(format!("{} {what}{pairs}\n", printable(identity)).as_bytes())?;
        }
        Ok(what == "changed")
    }

    /// Without a bound, being interrupted is how it ends.
    fn interrupted(&self) -> Outcome {
        if self.count.is_some() || self.duration.is_some() { Err(Failure::Interrupted) } else { Ok(()) }
    }

    fn elapsed(&self, changes: u64) -> Outcome {
        let missing = |count| {
            let text = format!("{changes} of {count} changes have come in the time given");
            Err(Failure::TimedOut(text))
        };
        self.count.map_or(Ok(()), missing)
    }
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
