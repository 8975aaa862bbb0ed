//! `trackyard file receive`: stores the files that others send.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use trackyard::{ByteStreamReader, LocalParticipant, Room, RoomEvents};

use super::part::{Existing, check_directory};
use super::receipt::{self, Receipts};
use super::transfer::{Place, Report, Transfer};
use crate::connection::{Connection, Role, connect};
use crate::duration::positive_duration;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::quantity::file_bytes;
use crate::session::while_joined;
use crate::text::printable;
use crate::{Outcome, output};

/// Files that have begun and wait to be taken; more are not.
const BEGUN_MAX: usize = 64;
/// Files that are taken at the same time; more wait.
const TRANSFERS_MAX: usize = 16;

/// Receive files
#[derive(Debug, Args)]
#[command(after_help = "\
A file gets its name once it has come whole and, where the sender has said its hash, is what was sent;
until then it is a hidden file beside. Only the last part of the name that is sent counts, and what is
there already is kept unless told otherwise. `trackyard file send` is told what has become of its file.

Without --count and --for it goes on until Ctrl-C. Ends with 1 if a file was not taken.

Examples:
  trackyard file receive --identity operator
  trackyard file receive maps --identity operator --from robot-1 --count 1
  trackyard file receive --size-max 100MB --overwrite --json")]
pub(crate) struct Receive {
    /// Directory to store files in
    #[arg(value_name = "DIR", default_value = ".")]
    directory: PathBuf,
    /// Topic of the files; official clients send under an empty one unless told otherwise
    #[arg(long, value_name = "NAME", default_value = super::TOPIC)]
    topic: String,
    /// Participant whose files are taken; may be repeated [default: everyone's]
    #[arg(long, value_name = "IDENTITY", value_parser = NonEmptyStringValueParser::new())]
    from: Vec<String>,
    /// End after so many files
    #[arg(long, short = 'n', value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// End after so long, such as 10s; with 124 if fewer than --count have come
    #[arg(long = "for", value_name = "DURATION", value_parser = positive_duration)]
    duration: Option<Duration>,
    /// Replace files that are there already
    #[arg(long)]
    overwrite: bool,
    /// Take no file that is larger, such as 500kB, 100MB or 2GiB
    #[arg(long, value_name = "SIZE", default_value = "4GiB", value_parser = file_bytes)]
    size_max: u64,
    /// Print one JSON object per file on a line of its own
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Files on their way.
struct Incoming {
    begun: mpsc::Receiver<(ByteStreamReader, String)>,
    transfers: JoinSet<Report>,
    participant: LocalParticipant,
    place: Arc<Place>,
    ended: u64,
    failed: u64,
}

impl Receive {
    pub(crate) async fn run(self, mut interrupt: Interrupt) -> Outcome {
        check_directory(&self.directory)?;
        let (room, events) = interrupt.during(connect(&self.connection, Role::Publisher)).await?;
        let outcome = self.receive(&room, events, &mut interrupt).await;
        room.close().await;
        outcome
    }

    async fn receive(&self, room: &Room, mut events: RoomEvents, interrupt: &mut Interrupt) -> Outcome {
        let mut incoming = self.register(room)?;
        let identity = room.local_participant().identity();
        say!("note: receiving files as `{}` into {}", printable(&identity), self.directory.display());
        let deadline = self.duration.map(|duration| Instant::now() + duration);
        let outcome = tokio::select! {
            biased;
            () = interrupt.wait() => self.interrupted(&incoming),
            () = at(deadline) => self.elapsed(&incoming),
            outcome = while_joined(&mut events, self.take_all(&mut incoming)) => outcome,
        };
        room.unregister_byte_stream_handler(&self.topic);
        // Parts go away with what writes them.
        incoming.transfers.shutdown().await;
        outcome?;
        match incoming.failed {
            0 => Ok(()),
            failed => Err(anyhow!("{failed} of {} files were not received", incoming.ended).into()),
        }
    }

    fn register(&self, room: &Room) -> Result<Incoming, Failure> {
        let (sender, begun) = mpsc::channel(BEGUN_MAX);
        let allowed: Arc<[String]> = self.from.as_slice().into();
        let registered = room.register_byte_stream_handler(&self.topic, move |reader, from| {
            let is_allowed = allowed.is_empty() || allowed.contains(&from);
            // What is not taken is dropped, and with it the rest of the stream.
            let taken = if is_allowed { sender.try_send((reader, from)).map_err(drop) } else { Ok(()) };
            async move {
                if taken.is_err() {
                    say!("warning: a file is not taken: {BEGUN_MAX} others wait");
                }
            }
        });
        registered.map_err(anyhow::Error::new)?;
        let place = Place {
            directory: self.directory.clone(),
            existing: if self.overwrite { Existing::Replace } else { Existing::Keep },
            bytes_max: self.size_max,
            progress: Progress::new(self.json),
        };
        Ok(Incoming {
            begun,
            transfers: JoinSet::new(),
            participant: room.local_participant(),
            place: Arc::new(place),
            ended: 0,
            failed: 0,
        })
    }

    /// Takes files until it is enough.
    async fn take_all(&self, incoming: &mut Incoming) -> Outcome {
        while self.count.is_none_or(|count| incoming.ended < count) {
            let report = incoming.next(self.count).await?;
            self.say(incoming, &report)?;
        }
        Ok(())
    }

    fn say(&self, incoming: &mut Incoming, report: &Report) -> Result<(), Failure> {
        incoming.place.progress.clear();
        incoming.ended += 1;
        incoming.failed += u64::from(report.result.is_err());
        match &report.result {
            _ if self.json => output::write_json(&report.json()),
            Ok(_) => output::write(report.text().as_bytes()),
            Err(_) => {
                say!("warning: {}", report.text());
                Ok(())
            }
        }
    }

    /// Without a bound, being interrupted is how it ends, unless a file was on its way.
    fn interrupted(&self, incoming: &Incoming) -> Outcome {
        let is_bounded = self.count.is_some() || self.duration.is_some();
        if is_bounded || !incoming.transfers.is_empty() { Err(Failure::Interrupted) } else { Ok(()) }
    }

    fn elapsed(&self, incoming: &Incoming) -> Outcome {
        let (ended, coming) = (incoming.ended, incoming.transfers.len());
        match self.count {
            Some(count) => {
                Err(Failure::TimedOut(format!("{ended} of {count} files have come in the time given")))
            }
            None if coming > 0 => {
                Err(Failure::TimedOut(format!("{coming} files have not come whole in the time given")))
            }
            None => Ok(()),
        }
    }
}

impl Incoming {
    /// The next that has ended; meanwhile those that begin are taken, as many as are asked for.
    async fn next(&mut self, count: Option<u64>) -> Result<Report, Failure> {
        loop {
            let asked = count.map_or(u64::MAX, |count| count - self.ended);
            let places = usize::try_from(asked).unwrap_or(usize::MAX).min(TRANSFERS_MAX);
            tokio::select! {
                Some(ended) = self.transfers.join_next() => {
                    return ended.map_err(|error| anyhow::Error::new(error).into());
                }
                Some((reader, sender)) = self.begun.recv(), if self.transfers.len() < places => {
                    let wish = reader.info().attributes.get(receipt::ATTRIBUTE);
                    let receipts = Receipts::new(&self.participant, &sender, wish);
                    self.transfers.spawn(Transfer::new(&self.place, (reader, sender), receipts).run());
                }
                else => return Err(anyhow!("the room has been left").into()),
            }
        }
    }
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
