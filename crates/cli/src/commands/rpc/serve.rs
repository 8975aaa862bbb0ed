//! `trackyard rpc serve`: answers calls of a method.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde_json::json;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::Instant;
use trackyard::{Room, RoomEvents, RpcError, RpcErrorCode, RpcInvocationData};

use super::answer::Answer;
use crate::connection::{Connection, Role, connect};
use crate::duration::{duration, positive_duration};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::session::while_joined;
use crate::text::printable;
use crate::{Outcome, output};

/// Calls that have been answered and wait to be told; then answering waits.
const TOLD_MAX: usize = 64;

/// Answer calls of a method
#[derive(Debug, Args)]
#[command(after_help = "\
A command after `--` is run for each call, without a shell. It reads the payload from standard input, and
what it prints is the result, without the end of its last line. If it fails, the caller gets code 1500
with what it has said on standard error. It finds TRACKYARD_METHOD, TRACKYARD_CALLER and
TRACKYARD_REQUEST_ID in its environment, and is killed when the caller waits no longer.

Without --count and --for it goes on until Ctrl-C.

Examples:
  trackyard rpc serve echo --identity robot-1 --echo
  trackyard rpc serve status --identity robot-1 --reply ok --json
  trackyard rpc serve disk --identity robot-1 -- df -h /
  trackyard rpc serve dock --identity robot-1 --from operator --concurrency 1 -- ./dock.sh")]
pub(crate) struct Serve {
    /// The method
    #[arg(value_name = "METHOD", value_parser = NonEmptyStringValueParser::new())]
    method: String,
    #[command(flatten)]
    with: With,
    /// Participant that may call; others are refused. May be repeated [default: everyone]
    #[arg(long, value_name = "IDENTITY", value_parser = NonEmptyStringValueParser::new())]
    from: Vec<String>,
    /// Calls that are answered at the same time; more wait
    #[arg(long, value_name = "NUMBER", default_value = "8", value_parser = clap::value_parser!(u16).range(1..=1000))]
    concurrency: u16,
    /// End after so many calls
    #[arg(long, short = 'n', value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// End after so long, such as 10s
    #[arg(long = "for", value_name = "DURATION", value_parser = positive_duration)]
    duration: Option<Duration>,
    /// Stay so long after the last call, so that its answer arrives
    #[arg(long, value_name = "DURATION", default_value = "300ms", value_parser = duration)]
    linger: Duration,
    /// Print each call as JSON on a line of its own
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// What calls are answered with.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct With {
    /// Answer with what the caller says
    #[arg(long)]
    echo: bool,
    /// Answer with this text
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    reply: Option<String>,
    /// Answer with what this command prints
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// A call that has been answered.
struct Served {
    call: RpcInvocationData,
    /// The caller is one of those who are served.
    is_allowed: bool,
    took: Duration,
    result: Result<usize, RpcError>,
}

impl Serve {
    pub(crate) async fn run(self, mut interrupt: Interrupt) -> Outcome {
        let (room, events) = interrupt.during(connect(&self.connection, Role::Publisher)).await?;
        let outcome = self.serve(&room, events, &mut interrupt).await;
        room.close().await;
        outcome
    }

    async fn serve(&self, room: &Room, mut events: RoomEvents, interrupt: &mut Interrupt) -> Outcome {
        let (stop, stopped) = watch::channel(());
        let served = self.register(room, stopped)?;
        let identity = room.local_participant().identity();
        say!("note: `{}` is served as `{}`", printable(&self.method), printable(&identity));
        let deadline = self.duration.map(|duration| Instant::now() + duration);
        let outcome = tokio::select! {
            biased;
            () = interrupt.wait() => self.interrupted(),
            () = at(deadline) => self.elapsed(),
            outcome = while_joined(&mut events, self.tell(served)) => outcome,
        };
        room.unregister_rpc_method(&self.method);
        // Commands that still run are killed, and their callers told.
        drop(stop);
        // The last answer leaves just after it was told.
        tokio::time::sleep(self.linger).await;
        outcome
    }

    /// Calls are answered until nobody holds the other end of `stopped`.
    fn register(&self, room: &Room, stopped: watch::Receiver<()>) -> Result<mpsc::Receiver<Served>, Failure> {
        let (sender, receiver) = mpsc::channel(TOLD_MAX);
        let answer = Arc::new(self.answer());
        let places = Arc::new(Semaphore::new(self.concurrency.into()));
        let allowed: Arc<[String]> = self.from.as_slice().into();
        let registered = room.register_rpc_method(&self.method, move |call| {
            let (answer, places) = (Arc::clone(&answer), Arc::clone(&places));
            let (allowed, sender, mut stopped) = (Arc::clone(&allowed), sender.clone(), stopped.clone());
            async move {
                let began = Instant::now();
                let is_allowed = is_allowed(&allowed, &call.caller_identity);
                let result = if is_allowed {
                    tokio::select! {
                        result = one_of(&places, &answer, &call) => result,
                        _ = stopped.changed() => Err(RpcErrorCode::ApplicationError.with_data("it is served no longer")),
                    }
                } else {
                    Err(RpcErrorCode::ApplicationError.with_data("this caller is not served"))
                };
                let told = result.as_ref().map(String::len).map_err(Clone::clone);
                // Nobody is told any more when the command ends.
                let _ = sender.send(Served { call, is_allowed, took: began.elapsed(), result: told }).await;
                result
            }
        });
        registered.map_err(anyhow::Error::new)?;
        Ok(receiver)
    }

    fn answer(&self) -> Answer {
        match &self.with {
            With { echo: true, .. } => Answer::Echo,
            With { reply: Some(text), .. } => Answer::Text(text.clone()),
            With { command, .. } => Answer::Command { line: command.clone(), method: self.method.clone() },
        }
    }

    /// Tells of calls until it is enough.
    async fn tell(&self, mut served: mpsc::Receiver<Served>) -> Outcome {
        let mut number = 0;
        while self.count.is_none_or(|count| number < count) {
            let Some(served) = served.recv().await else { return Ok(()) };
            self.say(&served)?;
            // Whoever may not call at all does not use up the calls of those who may.
            number += u64::from(served.is_allowed);
        }
        Ok(())
    }

    fn say(&self, Served { call, took, result, .. }: &Served) -> Result<(), Failure> {
        let milliseconds = took.as_secs_f64() * 1e3;
        if self.json {
            let error = result.as_ref().err();
            let error = error.map(
                |error| json!({ "code": error.code(), "message": error.message(), "data": error.data() }),
            );
            return output::write_json(&json!({
                "method": self.method,
                "caller": call.caller_identity,
                "request_id": call.request_id,
                "payload_bytes": call.payload.len(),
                "result_bytes": result.as_ref().ok(),
                "error": error,
                "ms": milliseconds,
            }));
        }
        let answered = match result {
            Ok(bytes) => format!("{bytes} bytes"),
            Err(error) => printable(&error.to_string()).into_owned(),
        };
        let caller = printable(&call.caller_identity);
        let asked = call.payload.len();
        output::write(
            format!("{caller}: {asked} bytes, answered in {milliseconds:.1} ms: {answered}\n").as_bytes(),
        )
    }

    /// Without a bound, being interrupted is how it ends.
    fn interrupted(&self) -> Outcome {
        if self.count.is_some() || self.duration.is_some() { Err(Failure::Interrupted) } else { Ok(()) }
    }

    fn elapsed(&self) -> Outcome {
        let missing = |_| Err(Failure::TimedOut("fewer calls have come in the time given".to_owned()));
        self.count.map_or(Ok(()), missing)
    }
}

fn is_allowed(allowed: &[String], caller: &str) -> bool {
    allowed.is_empty() || allowed.iter().any(|identity| identity == caller)
}

/// Answers once there is a place, for as long as the caller waits.
async fn one_of(places: &Semaphore, answer: &Answer, call: &RpcInvocationData) -> Result<String, RpcError> {
    let answering = async {
        // It is never closed.
        let _place = places.acquire().await.map_err(|_| RpcErrorCode::ApplicationError)?;
        answer.to(call).await
    };
    let late = |_| Err(RpcErrorCode::ResponseTimeout.into());
    tokio::time::timeout(call.response_timeout, answering).await.unwrap_or_else(late)
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
