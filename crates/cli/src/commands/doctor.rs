//! `trackyard doctor`: what is wrong with a connection, step by step, and how to mend it.

mod budget;
mod course;
mod entry;
mod media;
mod network;
mod report;
mod words;

use clap::Args;
use serde_json::json;

use self::course::{Course, Patient};
use self::report::Report;
use crate::connection::{Connection, Role};
use crate::failure::Failure;
use crate::runtime::run_client;
use crate::sensitive::Sensitive;
use crate::{Outcome, output};

/// Joined unless another one is asked for, so that nobody is disturbed.
const ROOM_PREFIX: &str = "trackyard-doctor-";

/// Find out what is wrong with a connection, step by step
#[derive(Debug, Args)]
#[command(after_help = "\
Looks at the URL, the name, TCP, TLS, the token, signalling, each address that the server names for data (UDP and
TCP), its relays (TURN), the connection as clients make it, and frames from one participant to another. Says what
failed first and how to mend it. It works with every LiveKit-compatible server and ends within 20 seconds.

With a key it joins a room of its own unless --room is given. With a token it joins as the token's identity:
whoever is connected under it is put out. Frames need two participants: a key, or two tokens.

  ✓ works   ✗ does not   – skipped

Exit codes: 0 it works, perhaps with warnings; 2 wrong usage; 3 something that is needed does not work.

Examples:
  trackyard doctor ws://localhost:7880
  trackyard doctor wss://yard.example.org --api-key KEY --room yard   with LIVEKIT_API_SECRET in the environment
  trackyard doctor wss://yard.example.org --token \"$TOKEN\" --second-token \"$OTHER_TOKEN\"
  trackyard doctor wss://10.0.0.5 --root-certificate our-ca.pem
  trackyard doctor --json | jq -r .verdict.text")]
pub(crate) struct Doctor {
    /// The server; comes before --url
    #[arg(value_name = "URL")]
    server: Option<String>,
    #[command(flatten)]
    connection: Connection,
    /// Token of a second participant of the same room, which receives the frames of the first
    #[arg(long, value_name = "TOKEN")]
    second_token: Option<Sensitive>,
    /// Print what was found as one JSON document at the end
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(crate) fn run(self) -> Outcome {
        let is_json = self.json;
        let patient = self.patient()?;
        run_client(async |mut interrupt| {
            let mut course = Course::new(patient, Report::new(is_json));
            interrupt.during(async { Ok(course.run().await) }).await??;
            let (report, url) = course.end();
            let verdict = report.verdict();
            let text = if is_json {
                let document = json!({
                    "url": url,
                    "steps": report.steps(),
                    "warnings": report.warnings(),
                    "verdict": verdict,
                });
                format!("{}\n", report.scrub(&format!("{document:#}")))
            } else {
                report.closing(&verdict)
            };
            output::print(&text)?;
            if verdict.is_well() { Ok(()) } else { Err(Failure::Diagnosed) }
        })
    }

    /// Who is examined, with what to show.
    fn patient(mut self) -> Result<Patient, Failure> {
        if let Some(server) = self.server.take() {
            self.connection.url = server;
        }
        if self.connection.room.is_none() {
            self.connection.room = Some(format!("{ROOM_PREFIX}{:08x}", fastrand::u32(..)));
        }
        let entrance = match self.connection.entrance() {
            Ok(entrance) => entrance,
            Err(Failure::Usage(why)) => return self.without_token(why),
            Err(other) => return Err(other),
        };
        let second = match self.second_token {
            Some(token) => Some(token),
            None if !entrance.is_for_one() => Some(entrance.token_text(Role::Publisher, "-echo")?),
            None => None,
        };
        Ok(Patient {
            token: entrance.token_text(Role::Publisher, "")?,
            lacks_token: None,
            second_token: second,
            has_key: !entrance.is_for_one(),
            options: entrance.options().clone(),
            url: self.connection.url,
        })
    }

    /// Name, port and certificate need no token.
    fn without_token(self, why: String) -> Result<Patient, Failure> {
        Ok(Patient {
            token: Sensitive::from(String::new()),
            lacks_token: Some(why),
            second_token: None,
            has_key: false,
            options: self.connection.options()?,
            url: self.connection.url,
        })
    }
}
