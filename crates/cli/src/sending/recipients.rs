//! Who gets what is sent.

use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use tokio::time::Instant;
use trackyard::{RemoteParticipant, Room, RoomEvents};

use crate::failure::Failure;
use crate::session::heard;
use crate::text::printable;

/// Who gets what is sent.
#[derive(Debug, Clone, Args)]
pub(crate) struct Recipients {
    /// Participant that gets it, and no others than those named so; waited for if it is not there yet. May be
    /// repeated [default: everyone in the room]
    #[arg(long = "to", value_name = "IDENTITY", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) identities: Vec<String>,
}

impl Recipients {
    /// Waits until all that are named can receive.
    ///
    /// # Errors
    /// [`Failure::NotFound`] with those who are there instead.
    pub(crate) async fn wait(
        &self,
        room: &Room,
        events: &mut RoomEvents,
        timeout: Duration,
    ) -> Result<(), Failure> {
        if self.identities.is_empty() && room.remote_participants().is_empty() {
            say!("note: nobody else is in the room; what is sent now reaches nobody");
        }
        let deadline = Instant::now() + timeout;
        for identity in &self.identities {
            active(room, events, (identity, deadline)).await?;
        }
        Ok(())
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        match self.identities.as_slice() {
            [] => "everyone".to_owned(),
            identities => printable(&identities.join(", ")).into_owned(),
        }
    }
}

/// Waits until the participant is there.
///
/// # Errors
/// [`Failure::NotFound`] with those who are there instead.
pub(crate) async fn present(
    room: &Room,
    events: &mut RoomEvents,
    wanted: (&str, Instant),
) -> Result<RemoteParticipant, Failure> {
    find(room, events, wanted, |_| true).await
}

/// Waits until the participant is there and can receive what is sent to it.
///
/// # Errors
/// As [`present`].
pub(crate) async fn active(
    room: &Room,
    events: &mut RoomEvents,
    wanted: (&str, Instant),
) -> Result<RemoteParticipant, Failure> {
    find(room, events, wanted, RemoteParticipant::is_active).await
}

async fn find(
    room: &Room,
    events: &mut RoomEvents,
    (identity, deadline): (&str, Instant),
    is_ready: impl Fn(&RemoteParticipant) -> bool,
) -> Result<RemoteParticipant, Failure> {
    loop {
        if let Some(participant) = room.remote_participant(identity).filter(&is_ready) {
            return Ok(participant);
        }
        match tokio::time::timeout_at(deadline, events.recv()).await {
            Err(_) => return Err(Failure::NotFound(missing(room, identity))),
            // Whatever it is, or was, the room itself is looked at.
            Ok(event) => drop(heard(event)?),
        }
    }
}

/// That somebody is not there, and who is.
fn missing(room: &Room, identity: &str) -> String {
    let wanted = printable(identity);
    if identity == room.local_participant().identity() {
        return format!("`{wanted}` is this client itself; give --identity another name");
    }
    let name = room.name();
    let name = printable(&name);
    if room.remote_participant(identity).is_some() {
        return format!(
            "`{wanted}` is in room `{name}` and cannot receive yet; try again, or give --timeout"
        );
    }
    let others = room.remote_participants();
    let listed: String = others.iter().map(|other| format!("\n  {}", printable(other.identity()))).collect();
    let there =
        if listed.is_empty() { "; nobody else is".to_owned() } else { format!("; there is:{listed}") };
    format!("`{wanted}` is not in room `{name}`{there}")
}
