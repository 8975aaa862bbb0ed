//! `trackyard data send`: sends packets of an application's own.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use clap::Args;
use serde_json::json;
use tokio::time::Instant;
use trackyard::{DataPublishOptions, Room, RoomEvents};

use crate::connection::{Connection, Role, connect};
use crate::duration::duration;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::lines::Lines;
use crate::sending::{Recipients, data_refused};
use crate::session::while_joined;
use crate::{Outcome, output};

/// Send data packets: short payloads, each on its own
#[derive(Debug, Args)]
#[command(after_help = "\
Without TEXT and --file each line of standard input is a packet, without its end. What is too long for a
packet is sent by `trackyard text send` and `trackyard file send`.

Examples:
  trackyard data send dock --topic command --to robot-1
  trackyard data send --file pose.bin --topic pose --lossy
  joystick | trackyard data send --topic drive --to robot-1 --lossy --json")]
pub(crate) struct SendData {
    /// The payload
    #[arg(value_name = "TEXT", allow_hyphen_values = true)]
    text: Option<String>,
    /// File that is the payload
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    file: Option<PathBuf>,
    /// Topic, which receivers are told
    #[arg(long, value_name = "NAME")]
    topic: Option<String>,
    /// Send each packet once and at once, or not at all, instead of until it arrives
    #[arg(long)]
    lossy: bool,
    #[command(flatten)]
    recipients: Recipients,
    /// Stay so long after the last packet, so that it arrives
    #[arg(long, value_name = "DURATION", default_value = "300ms", value_parser = duration)]
    linger: Duration,
    /// Print what was sent as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Where payloads come from.
enum Source {
    Once(Option<Bytes>),
    Lines(Lines),
}

impl SendData {
    pub(crate) async fn run(self, mut interrupt: Interrupt) -> Outcome {
        let source = self.source()?;
        let (room, events) = interrupt.during(connect(&self.connection, Role::Publisher)).await?;
        let outcome = interrupt.during(self.send(&room, events, source)).await;
        room.close().await;
        outcome
    }

    fn source(&self) -> Result<Source, Failure> {
        if let Some(text) = &self.text {
            return Ok(Source::Once(Some(text.clone().into())));
        }
        if let Some(path) = &self.file {
            let bytes = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
            return Ok(Source::Once(Some(bytes.into())));
        }
        if std::io::stdin().is_terminal() {
            say!("note: each line is a packet; Ctrl-D ends");
        }
        Lines::of_standard_input().map(Source::Lines)
    }

    async fn send(&self, room: &Room, mut events: RoomEvents, mut source: Source) -> Outcome {
        self.recipients.wait(room, &mut events, self.connection.timeout).await?;
        let (began, participant, options) = (Instant::now(), room.local_participant(), self.options());
        let (mut packets, mut bytes) = (0_u64, 0);
        let sending = async {
            while let Some(payload) = source.next().await? {
                let length = payload.len();
                participant.publish_data(payload, options.clone()).await.map_err(data_refused)?;
                packets += 1;
                bytes += length;
            }
            Ok(())
        };
        while_joined(&mut events, sending).await?;
        let seconds = began.elapsed().as_secs_f64();
        tokio::time::sleep(self.linger).await;
        let stats = room.stats().data;
        let dropped = stats.lossy_dropped_full + stats.lossy_dropped_no_channel;
        if self.json {
            return output::write_json(&json!({
                "topic": self.topic,
                "kind": if self.lossy { "lossy" } else { "reliable" },
                "to": self.recipients.identities,
                "packets": packets,
                "bytes": bytes,
                "dropped": dropped,
                "seconds": seconds,
            }));
        }
        let lost = if dropped == 0 { String::new() } else { format!(", of which {dropped} found no room") };
        let to = self.recipients.text();
        let unit = if packets == 1 { "packet" } else { "packets" };
        output::write(format!("sent {packets} {unit} of {bytes} bytes in all to {to}{lost}\n").as_bytes())
    }

    fn options(&self) -> DataPublishOptions {
        let options = if self.lossy { DataPublishOptions::lossy() } else { DataPublishOptions::reliable() };
        let options = options.with_destinations(&self.recipients.identities);
        match &self.topic {
            Some(topic) => options.with_topic(topic),
            None => options,
        }
    }
}

impl Source {
    /// The next payload; nothing after the last.
    async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        match self {
            Self::Once(payload) => Ok(payload.take()),
            Self::Lines(lines) => lines.next().await,
        }
    }
}
