//! `trackyard participant update`: changes what a participant is and may do.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use trackyard_api::{ParticipantInfo, RequestError, RoomServiceClient, UpdateParticipant};

use super::describe;
use super::permission::Changes;
use crate::connection::{Service, refusal};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::{Outcome, output};

/// Change a participant's name, metadata, attributes or permission
#[derive(Debug, Args)]
#[command(after_help = "\
What is not given stays as it is. An attribute without a value is deleted.

Examples:
  trackyard participant update robot-1 --room yard --name 'Robot 1' --attribute site=north
  trackyard participant update robot-1 --room yard --attribute site=
  trackyard participant update robot-1 --room yard --can-publish-data=false --json")]
pub(crate) struct Update {
    /// Who
    #[arg(value_name = "IDENTITY", value_parser = NonEmptyStringValueParser::new())]
    identity: String,
    /// The room
    #[arg(long, short, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    room: String,
    /// Name to show to others
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    name: Option<String>,
    /// Metadata
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    metadata: Option<String>,
    /// Attribute; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = attribute)]
    attribute: Vec<(String, String)>,
    /// Print the participant as it is then in JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    permission: Changes,
    #[command(flatten)]
    service: Service,
}

impl Update {
    pub(crate) async fn run(self, mut interrupt: Interrupt) -> Outcome {
        let says_nothing = self.name.is_none() && self.metadata.is_none() && self.attribute.is_empty();
        if says_nothing && self.permission.is_empty() {
            let text = "nothing to change; give --name, --metadata, --attribute or a permission";
            return Err(Failure::Usage(text.to_owned()));
        }
        let client = self.service.client()?;
        let asked = async { self.change(&client).await.map_err(refusal) };
        let info = interrupt.during(asked).await?;
        if self.json {
            return Ok(output::print_json(&describe::json(&info))?);
        }
        Ok(output::print(&describe::lines(&info))?)
    }

    async fn change(&self, client: &RoomServiceClient) -> Result<ParticipantInfo, RequestError> {
        let permission = if self.permission.is_empty() {
            None
        } else {
            let now = client.get_participant(&self.room, &self.identity).await?;
            Some(self.permission.apply(&now.permission))
        };
        let change = UpdateParticipant {
            room: self.room.clone(),
            identity: self.identity.clone(),
            name: self.name.clone().unwrap_or_default(),
            metadata: self.metadata.clone().unwrap_or_default(),
            attributes: self.attribute.iter().cloned().collect(),
            permission,
        };
        client.update_participant(&change).await
    }
}

fn attribute(text: &str) -> Result<(String, String), String> {
    let split = text.split_once('=').filter(|(key, _)| !key.is_empty());
    split
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .ok_or_else(|| "it takes KEY=VALUE, such as site=north, or KEY= to delete it".to_owned())
}
