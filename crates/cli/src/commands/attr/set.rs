//! `trackyard attr set`: changes attributes, one's own or those of others.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde_json::json;
use trackyard::{ProfileError, Room, RoomEvents};
use trackyard_api::UpdateParticipant;

use crate::connection::{Connection, Role, connect, refusal};
use crate::duration::duration;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::pair::pair;
use crate::session::while_joined;
use crate::text::printable;
use crate::{Outcome, output};

/// Change attributes, of this client or of another participant
#[derive(Debug, Args)]
#[command(after_help = "\
`KEY=` deletes an attribute; those that are not named stay. Without --of this client joins, sets its own,
and stays until Ctrl-C or for --for: attributes go with their participant. With --of nobody joins; the
server is asked to change another participant's, which a key can, and a token that grants `roomAdmin`.

Examples:
  trackyard attr set battery=71 --identity robot-1
  trackyard attr set battery=71 alarm= --identity robot-1 --for 10s
  trackyard attr set site=north --of robot-1 --room yard --json")]
pub(crate) struct Set {
    /// Attribute; without a value it is deleted
    #[arg(value_name = "KEY=VALUE", required = true, value_parser = pair)]
    attributes: Vec<(String, String)>,
    /// Participant whose attributes are changed [default: this client]
    #[arg(long, value_name = "IDENTITY", value_parser = NonEmptyStringValueParser::new(), conflicts_with = "duration")]
    of: Option<String>,
    /// Stay so long, such as 10s; 0 leaves at once [default: until Ctrl-C]
    #[arg(long = "for", id = "duration", value_name = "DURATION", value_parser = duration)]
    duration: Option<Duration>,
    /// Print the attributes as they are then as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Set {
    pub(crate) async fn run(self, mut interrupt: Interrupt) -> Outcome {
        if let Some(identity) = &self.of {
            return interrupt.during(self.set_of(identity)).await;
        }
        let (room, events) = interrupt.during(connect(&self.connection, Role::Editor)).await?;
        let outcome = self.set_own(&room, events, &mut interrupt).await;
        room.close().await;
        outcome
    }

    /// Has the server change those of another participant.
    async fn set_of(&self, identity: &str) -> Outcome {
        let (client, room) = self.connection.administration()?;
        let change = UpdateParticipant {
            room,
            identity: identity.to_owned(),
            attributes: self.attributes.iter().cloned().collect(),
            ..UpdateParticipant::default()
        };
        let info = client.update_participant(&change).await.map_err(refusal)?;
        self.print(identity, &info.attributes.into_iter().collect())
    }

    async fn set_own(&self, room: &Room, mut events: RoomEvents, interrupt: &mut Interrupt) -> Outcome {
        let local = room.local_participant();
        let set = async { local.set_attributes(self.attributes.clone()).await.map_err(refused) };
        interrupt.during(while_joined(&mut events, set)).await?;
        self.print(&local.identity(), &local.attributes())?;
        let stay = async {
            match self.duration {
                Some(duration) => tokio::time::sleep(duration).await,
                None => std::future::pending().await,
            }
            Ok(())
        };
        tokio::select! {
            biased;
            // What was asked for is done.
            () = interrupt.wait() => Ok(()),
            outcome = while_joined(&mut events, stay) => outcome,
        }
    }

    fn print(&self, identity: &str, attributes: &BTreeMap<String, String>) -> Outcome {
        if self.json {
            return output::write_json(&json!({ "identity": identity, "attributes": attributes }));
        }
        let pairs: String = attributes
            .iter()
            .map(|(key, value)| format!("  {}={}", printable(key), printable(value)))
            .collect();
        output::write(format!("{}{pairs}\n", printable(identity)).as_bytes())
    }
}

fn refused(error: ProfileError) -> Failure {
    match error {
        ProfileError::Timeout => Failure::TimedOut(error.to_string()),
        ProfileError::NotAllowed { message } => Failure::Failed(anyhow!(
            "this participant may not change its attributes ({}); give a token that grants `canUpdateOwnMetadata`, \
             or change them with --of and a key",
            printable(&message)
        )),
        error => Failure::Failed(anyhow::Error::new(error)),
    }
}
