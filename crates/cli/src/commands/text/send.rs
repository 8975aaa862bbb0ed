//! `trackyard text send`: sends a text, or writes one as it comes.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use serde_json::json;
use tokio::time::Instant;
use trackyard::{LocalParticipant, Room, RoomEvents, StreamInfo, StreamTextOptions};

use crate::connection::{Connection, Role, connect};
use crate::duration::duration;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::lines::Lines;
use crate::pair::pair;
use crate::sending::{Recipients, stream_refused};
use crate::session::while_joined;
use crate::{Outcome, output};

/// Send a text of any length
#[derive(Debug, Args)]
#[command(after_help = "\
Without TEXT and --file standard input is the text: receivers get each line as it comes, in one stream.

Examples:
  trackyard text send 'docked at 3'
  trackyard text send --file report.md --topic reports --to operator --attribute language=en
  journalctl -f | trackyard text send --topic log --to operator")]
pub(crate) struct SendText {
    /// The text
    #[arg(value_name = "TEXT", allow_hyphen_values = true)]
    text: Option<String>,
    /// File that is the text
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    file: Option<PathBuf>,
    /// Topic, by which receivers tell what it is for; official chats use this one
    #[arg(long, value_name = "NAME", default_value = "lk.chat")]
    topic: String,
    #[command(flatten)]
    recipients: Recipients,
    /// Attribute, which receivers are told before the text; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    attribute: Vec<(String, String)>,
    /// The stream that this answers, by its id
    #[arg(long, value_name = "ID")]
    reply_to: Option<String>,
    /// Stay so long after the end, so that it arrives
    #[arg(long, value_name = "DURATION", default_value = "300ms", value_parser = duration)]
    linger: Duration,
    /// Print what was sent as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Where the text comes from.
enum Source {
    Whole(String),
    Lines(Lines),
}

impl SendText {
    pub(crate) async fn run(self, mut interrupt: Interrupt) -> Outcome {
        let source = self.source()?;
        let (room, events) = interrupt.during(connect(&self.connection, Role::Publisher)).await?;
        let outcome = interrupt.during(self.send(&room, events, source)).await;
        room.close().await;
        outcome
    }

    fn source(&self) -> Result<Source, Failure> {
        if let Some(text) = &self.text {
            return Ok(Source::Whole(text.clone()));
        }
        if let Some(path) = &self.file {
            let bytes = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
            let no_text = |_| Failure::Usage(format!("{} {NO_TEXT}", path.display()));
            return String::from_utf8(bytes).map(Source::Whole).map_err(no_text);
        }
        if std::io::stdin().is_terminal() {
            say!("note: each line is sent as it ends; Ctrl-D ends the text");
        }
        Lines::of_standard_input().map(Source::Lines)
    }

    async fn send(&self, room: &Room, mut events: RoomEvents, source: Source) -> Outcome {
        self.recipients.wait(room, &mut events, self.connection.timeout).await?;
        let (began, participant) = (Instant::now(), room.local_participant());
        let (info, bytes) = while_joined(&mut events, self.stream(&participant, source)).await?;
        let seconds = began.elapsed().as_secs_f64();
        tokio::time::sleep(self.linger).await;
        if self.json {
            return output::write_json(&json!({
                "id": info.id,
                "topic": info.topic,
                "to": self.recipients.identities,
                "bytes": bytes,
                "seconds": seconds,
            }));
        }
        let to = self.recipients.text();
        output::write(format!("sent {bytes} bytes to {to}, stream {}\n", info.id).as_bytes())
    }

    async fn stream(
        &self,
        participant: &LocalParticipant,
        source: Source,
    ) -> Result<(StreamInfo, usize), Failure> {
        match source {
            Source::Whole(text) => {
                let bytes = text.len();
                let info = participant.send_text(text, self.options()).await.map_err(stream_refused)?;
                Ok((info, bytes))
            }
            Source::Lines(lines) => self.write_lines(participant, lines).await,
        }
    }

    /// Each line goes out as soon as it is there. What ends the last one is not sent, as shells have it.
    async fn write_lines(
        &self,
        participant: &LocalParticipant,
        mut lines: Lines,
    ) -> Result<(StreamInfo, usize), Failure> {
        let mut writer = participant.stream_text(self.options()).await.map_err(stream_refused)?;
        let (info, mut bytes) = (writer.info().clone(), 0);
        let mut separator = "";
        while let Some(line) = lines.next().await? {
            let no_text = |_| Failure::Usage(format!("standard input {NO_TEXT}"));
            let line = std::str::from_utf8(&line).map_err(no_text)?;
            let piece = format!("{separator}{line}");
            bytes += piece.len();
            writer.write(piece).await.map_err(stream_refused)?;
            separator = "\n";
        }
        writer.close().await.map_err(stream_refused)?;
        Ok((info, bytes))
    }

    fn options(&self) -> StreamTextOptions {
        let options = StreamTextOptions::new(&self.topic)
            .with_destinations(&self.recipients.identities)
            .with_attributes(self.attribute.iter().cloned().collect());
        match &self.reply_to {
            Some(stream) => options.with_reply_to(stream),
            None => options,
        }
    }
}

const NO_TEXT: &str = "is no text in UTF-8; `trackyard file send` sends any bytes";
