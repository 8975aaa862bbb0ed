//! `trackyard track list`: who is there, and what they publish.

mod table;

use clap::Args;
use serde_json::{Value, json};
use trackyard::{EventsError, RemoteDataTrack, RemoteParticipant, Room, RoomEvent, RoomEvents};

use super::encoding::{frame_name, language_name};
use super::target;
use crate::connection::{Connection, Role, connect};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::text::printable;
use crate::{Outcome, output};

/// List participants and their data tracks
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trackyard track list
  trackyard track list --room yard --json
  trackyard track list --watch")]
pub(crate) struct List {
    /// Go on, and tell who comes and goes and what is published and ends
    #[arg(long, short)]
    watch: bool,
    /// Print JSON: an array of participants; with --watch one object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

impl List {
    pub(crate) async fn run(self, mut interrupt: Interrupt) -> Outcome {
        let (room, events) = interrupt.during(connect(&self.connection, Role::Observer)).await?;
        let outcome = self.list(&room, events, interrupt).await;
        room.close().await;
        outcome
    }

    async fn list(&self, room: &Room, events: RoomEvents, interrupt: Interrupt) -> Outcome {
        let people = room.remote_participants();
        if !self.watch {
            return self.print(&people);
        }
        // What is published is told by events, those that were there before included.
        for participant in &people {
            self.say(&joined(participant))?;
        }
        self.follow(events, interrupt).await
    }

    fn print(&self, people: &[RemoteParticipant]) -> Outcome {
        if self.json {
            let people = people.iter().map(described).collect();
            return Ok(output::print_json(&Value::Array(people))?);
        }
        if people.is_empty() {
            say!("note: nobody is in the room");
        }
        output::write(table::rows(people).as_bytes())
    }

    async fn follow(&self, mut events: RoomEvents, mut interrupt: Interrupt) -> Outcome {
        loop {
            let event = tokio::select! {
                () = interrupt.wait() => return Ok(()),
                event = events.recv() => event,
            };
            match event {
                Ok(RoomEvent::Disconnected(reason)) => {
                    return Err(anyhow::anyhow!("the room has been left: {reason:?}").into());
                }
                Ok(event) => self.tell(&event)?,
                Err(EventsError::Overflowed { missed }) => say!("warning: {missed} events are lost"),
                Err(EventsError::Closed) => return Ok(()),
            }
        }
    }

    fn tell(&self, event: &RoomEvent) -> Result<(), Failure> {
        change(event).map_or(Ok(()), |change| self.say(&change))
    }

    fn say(&self, change: &Change) -> Result<(), Failure> {
        if self.json { output::write_json(&change.json) } else { output::write(change.text.as_bytes()) }
    }
}

/// Something that has changed in the room.
struct Change {
    text: String,
    json: Value,
}

fn change(event: &RoomEvent) -> Option<Change> {
    match event {
        RoomEvent::ParticipantConnected(participant) => Some(joined(participant)),
        RoomEvent::ParticipantDisconnected(participant) => Some(Change {
            text: format!("- {}\n", printable(participant.identity())),
            json: json!({ "event": "participant_left", "identity": participant.identity(), "track": null }),
        }),
        RoomEvent::DataTrackPublished(track) | RoomEvent::DataTrackRepublished(track) => {
            Some(of_track('+', "track_published", track))
        }
        RoomEvent::DataTrackUnpublished(track) => Some(of_track('-', "track_unpublished", track)),
        _ => None,
    }
}

fn joined(participant: &RemoteParticipant) -> Change {
    let identity = participant.identity();
    Change {
        text: format!("+ {}\n", printable(identity)),
        json: json!({ "event": "participant_joined", "identity": identity, "track": null }),
    }
}

fn of_track(sign: char, event: &str, track: &RemoteDataTrack) -> Change {
    let identity = track.publisher_identity();
    Change {
        text: format!("{sign} {}{}\n", target::label(track), table::details(track)),
        json: json!({ "event": event, "identity": identity, "track": track_json(track) }),
    }
}

fn described(participant: &RemoteParticipant) -> Value {
    let tracks: Vec<Value> = participant.data_tracks().all().iter().map(track_json).collect();
    json!({
        "identity": participant.identity(),
        "sid": participant.sid(),
        "name": participant.name(),
        "metadata": participant.metadata(),
        "attributes": participant.attributes(),
        "tracks": tracks,
    })
}

/// A track for programs, always with the same keys.
pub(super) fn track_json(track: &RemoteDataTrack) -> Value {
    json!({
        "name": track.name(),
        "sid": track.sid(),
        "encrypted": track.is_encrypted(),
        "encoding": track.frame_encoding().map(frame_name),
        "schema": track.schema().map(|schema| json!({ "name": schema.name, "language": language_name(schema) })),
    })
}
