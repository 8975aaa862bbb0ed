//! `trackyard rpc call`: calls a method of a participant and prints its result.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde_json::{Value, json};
use tokio::time::Instant;
use trackyard::{PerformRpc, Room, RoomEvents, RpcError, RpcErrorCode};

use crate::connection::{Connection, Role, connect};
use crate::duration::positive_duration;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::sending::active;
use crate::session::while_joined;
use crate::text::{printable, printable_lines};
use crate::{Outcome, output};

/// Call a method of a participant and print its result
#[derive(Debug, Args)]
#[command(after_help = "\
A participant that is not there yet is waited for. Ends with 4 if it does not come or has no such
method, and with 124 if it does not answer in time.

Examples:
  trackyard rpc call robot-1 dock 3
  trackyard rpc call robot-1 plan --file route.json --response-timeout 1m
  date | trackyard rpc call robot-1 echo --file -
  trackyard rpc call robot-1 status --json | jq -r .result")]
pub(crate) struct Call {
    /// Participant that is called
    #[arg(value_name = "IDENTITY", value_parser = NonEmptyStringValueParser::new())]
    participant: String,
    /// Its method
    #[arg(value_name = "METHOD", value_parser = NonEmptyStringValueParser::new())]
    method: String,
    /// What the method is told [default: nothing]
    #[arg(value_name = "PAYLOAD", allow_hyphen_values = true)]
    payload: Option<String>,
    /// File with what the method is told, or - for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "payload")]
    file: Option<PathBuf>,
    /// How long to wait for the result, such as 500ms or 1m
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = positive_duration)]
    response_timeout: Duration,
    /// Print the result, or the error, as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Call {
    pub(crate) async fn run(self, mut interrupt: Interrupt) -> Outcome {
        let payload = self.payload()?;
        let (room, events) = interrupt.during(connect(&self.connection, Role::Publisher)).await?;
        let outcome = interrupt.during(self.call(&room, events, payload)).await;
        room.close().await;
        outcome
    }

    fn payload(&self) -> Result<String, Failure> {
        match (&self.payload, &self.file) {
            (Some(text), _) => Ok(text.clone()),
            (None, None) => Ok(String::new()),
            (None, Some(path)) => {
                let bytes = read(path).with_context(|| format!("{} cannot be read", path.display()))?;
                let no_text = |_| Failure::Usage(format!("{}: a payload is text in UTF-8", path.display()));
                String::from_utf8(bytes).map_err(no_text)
            }
        }
    }

    async fn call(&self, room: &Room, mut events: RoomEvents, payload: String) -> Outcome {
        let deadline = Instant::now() + self.connection.timeout;
        match active(room, &mut events, (&self.participant, deadline)).await {
            Ok(_) => {}
            Err(Failure::NotFound(there)) => {
                return self.failed(&RpcErrorCode::RecipientNotFound.with_data(there));
            }
            Err(failure) => return Err(failure),
        }
        let call = PerformRpc::new(&self.participant, &self.method)
            .with_payload(payload)
            .with_response_timeout(self.response_timeout);
        let participant = room.local_participant();
        let began = Instant::now();
        match while_joined(&mut events, async { Ok(participant.perform_rpc(call).await) }).await? {
            Ok(result) => self.answered(&result, began.elapsed()),
            Err(error) => self.failed(&error),
        }
    }

    fn answered(&self, result: &str, round_trip: Duration) -> Outcome {
        if self.json {
            return output::write_json(&self.object(&json!({
                "result": result,
                "error": null,
                "round_trip_ms": round_trip.as_secs_f64() * 1e3,
            })));
        }
        // Programs get it as it is.
        let shown = if std::io::stdout().is_terminal() { printable_lines(result) } else { result.into() };
        output::write(format!("{shown}\n").as_bytes())
    }

    fn failed(&self, error: &RpcError) -> Outcome {
        if self.json {
            output::write_json(&self.object(&json!({
                "result": null,
                "error": { "code": error.code(), "message": error.message(), "data": error.data() },
                "round_trip_ms": null,
            })))?;
        }
        Err(failure(&self.method, error))
    }

    /// With what is the same in each answer.
    fn object(&self, answer: &Value) -> Value {
        let mut object = answer.clone();
        object["destination"] = self.participant.clone().into();
        object["method"] = self.method.clone().into();
        object
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    if path != Path::new("-") {
        return std::fs::read(path);
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What an error means to a shell. Its data may be several lines, such as what a command has said.
fn failure(method: &str, error: &RpcError) -> Failure {
    let data = match error.data() {
        "" => String::new(),
        data => format!(": {}", printable_lines(data)),
    };
    let text = format!("{} (code {}){data}", printable(error.message()), error.code());
    match error.kind() {
        Some(RpcErrorCode::UnsupportedMethod) => {
            Failure::NotFound(format!("{text}; nobody serves `{}` there", printable(method)))
        }
        Some(RpcErrorCode::RecipientNotFound) => Failure::NotFound(text),
        Some(RpcErrorCode::ResponseTimeout) => {
            Failure::TimedOut(format!("{text}; give --response-timeout if it needs longer"))
        }
        Some(RpcErrorCode::ConnectionTimeout) => Failure::TimedOut(text),
        Some(RpcErrorCode::RequestPayloadTooLarge) => Failure::Usage(text),
        _ => Failure::Failed(anyhow!(text)),
    }
}
