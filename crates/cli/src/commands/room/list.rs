//! `trackyard room list`: which rooms there are.

use clap::Args;
use serde_json::Value;

use super::describe;
use crate::connection::{Service, refusal};
use crate::interrupt::Interrupt;
use crate::{Outcome, output};

/// List rooms
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trackyard room list
  trackyard room list yard shed
  trackyard room list --json")]
pub(crate) struct List {
    /// Names of rooms to look for [default: all]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Print JSON: an array of rooms
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    service: Service,
}

impl List {
    pub(crate) async fn run(self, mut interrupt: Interrupt) -> Outcome {
        let client = self.service.client()?;
        let asked = async { client.list_rooms(&self.names).await.map_err(refusal) };
        let mut rooms = interrupt.during(asked).await?;
        rooms.sort_by(|a, b| a.name.cmp(&b.name));
        if self.json {
            let rooms = rooms.iter().map(|room| describe::json(room)).collect();
            return Ok(output::print_json(&Value::Array(rooms))?);
        }
        if rooms.is_empty() {
            say!("note: there is no such room");
        }
        let lines: String = rooms.iter().map(|room| describe::line(room)).collect();
        Ok(output::print(&lines)?)
    }
}
