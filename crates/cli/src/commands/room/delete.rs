//! `trackyard room delete`: ends a room for everyone in it.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde_json::json;

use crate::connection::{Service, refusal};
use crate::interrupt::Interrupt;
use crate::{Outcome, output};

/// End a room for everyone in it
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing keeps anyone from joining a new room of that name.

Examples:
  trackyard room delete yard")]
pub(crate) struct Delete {
    /// Its name
    #[arg(value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    name: String,
    /// Print what was done in JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    service: Service,
}

impl Delete {
    pub(crate) async fn run(self, mut interrupt: Interrupt) -> Outcome {
        let client = self.service.client()?;
        let asked = async { client.delete_room(&self.name).await.map_err(refusal) };
        interrupt.during(asked).await?;
        if self.json {
            output::print_json(&json!({ "room": self.name, "deleted": true }))?;
        }
        Ok(())
    }
}
