//! `trackyard participant remove`: sends a participant away.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde_json::json;

use crate::connection::{Service, refusal};
use crate::interrupt::Interrupt;
use crate::{Outcome, output};

/// Send a participant away
#[derive(Debug, Args)]
#[command(after_help = "\
Its token lets it in again for as long as that is valid.

Examples:
  trackyard participant remove robot-1 --room yard")]
pub(crate) struct Remove {
    /// Who
    #[arg(value_name = "IDENTITY", value_parser = NonEmptyStringValueParser::new())]
    identity: String,
    /// The room
    #[arg(long, short, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    room: String,
    /// Print what was done in JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    service: Service,
}

impl Remove {
    pub(crate) async fn run(self, mut interrupt: Interrupt) -> Outcome {
        let client = self.service.client()?;
        let asked = async { client.remove_participant(&self.room, &self.identity).await.map_err(refusal) };
        interrupt.during(asked).await?;
        if self.json {
            let done = json!({ "room": self.room, "identity": self.identity, "removed": true });
            output::print_json(&done)?;
        }
        Ok(())
    }
}
