//! Packets, streams, RPC and shared state.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use trackyard::{DataPublishOptions, Participant, Room};

use crate::call::Frame;
use crate::failure::Failure;
use crate::payload;
use crate::rpc::Rpc;
use crate::streams::{self, About};

/// What a participant is to do besides data tracks.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum Talk {
    SendPackets(Packets),
    SendText {
        text: String,
        #[serde(flatten)]
        about: About,
    },
    StreamText {
        pieces: Vec<String>,
        #[serde(flatten)]
        about: About,
    },
    SendFile {
        size: usize,
        #[serde(flatten)]
        about: About,
    },
    Rpc(Rpc),
    SetAttributes {
        attributes: BTreeMap<String, String>,
    },
    SetMetadata {
        metadata: String,
    },
    SetName {
        name: String,
    },
    SetRoomMetadata {
        metadata: String,
    },
    PatchRoomMetadata {
        patch: Value,
        if_revision: Option<u64>,
    },
    /// What is known of a participant, oneself too.
    Profile {
        identity: String,
    },
}

/// Packets to send one after the other, numbered from `first`.
#[derive(Debug, Deserialize)]
pub(crate) struct Packets {
    count: u32,
    size: usize,
    first: u32,
    reliable: bool,
    topic: String,
    to: Vec<String>,
    /// Milliseconds after each.
    pace: u64,
}

impl Talk {
    /// Does it.
    pub(crate) async fn with(self, room: &Room) -> Result<Value, Failure> {
        let own = room.local_participant();
        match self {
            Self::SendPackets(packets) => packets.send(room).await?,
            Self::SendText { text, about } => drop(own.send_text(text, about.text()).await?),
            Self::StreamText { pieces, about } => streams::stream_text(room, pieces, about).await?,
            Self::SendFile { size, about } => return streams::send_file(room, size, about).await,
            Self::Rpc(rpc) => return Ok(rpc.perform(room).await),
            Self::SetAttributes { attributes } => own.set_attributes(attributes).await?,
            Self::SetMetadata { metadata } => own.set_metadata(metadata).await?,
            Self::SetName { name } => own.set_name(name).await?,
            Self::SetRoomMetadata { metadata } => room.update_metadata(metadata).await?,
            Self::PatchRoomMetadata { patch, if_revision } => {
                return Ok(json!(room.patch_metadata(patch, if_revision).await?));
            }
            Self::Profile { identity } => return profile(room, &identity),
        }
        Ok(Value::Null)
    }
}

impl Packets {
    async fn send(self, room: &Room) -> Result<(), Failure> {
        for sequence in self.first..self.first + self.count {
            let bytes = payload::make(Frame { sequence, size: self.size, timestamp: None })?;
            room.local_participant().publish_data(bytes, self.options()).await?;
            if self.pace > 0 {
                tokio::time::sleep(Duration::from_millis(self.pace)).await;
            }
        }
        Ok(())
    }

    fn options(&self) -> DataPublishOptions {
        let options =
            if self.reliable { DataPublishOptions::reliable() } else { DataPublishOptions::lossy() };
        options.with_topic(&self.topic).with_destinations(&self.to)
    }
}

fn profile(room: &Room, identity: &str) -> Result<Value, Failure> {
    let own = room.local_participant();
    if own.identity() == identity {
        return Ok(described(&Participant::Local(own)));
    }
    let other = room.remote_participant(identity);
    let other = other.ok_or_else(|| Failure::misuse(format!("{identity} is not in the room")))?;
    Ok(described(&Participant::Remote(other)))
}

/// What a participant says about itself, and whether it may publish data.
pub(crate) fn described(who: &Participant) -> Value {
    json!({
        "name": who.name(),
        "metadata": who.metadata(),
        "attributes": who.attributes(),
        "publishes": who.permissions().map(|permission| permission.can_publish_data),
    })
}
