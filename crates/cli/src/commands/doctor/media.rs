//! The ways of data: candidates, relays, the connection, frames.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use serde_json::json;
use trackyard::Room;
use trackyard::diagnose::{Candidate, Echo, EchoPlan, ProbeOutcome, Relay, Signalling, TokenClaims, echo};

use super::course::{Course, Stop};
use super::report::{Line, Step, milliseconds};
use super::words::{self, Paths};

const CANDIDATES_MAX: Duration = Duration::from_millis(2_500);
const RELAYS_MAX: Duration = Duration::from_secs(4);
const CONNECTION_MAX: Duration = Duration::from_secs(6);
const ECHO_MAX: Duration = Duration::from_secs(5);
/// For the publication, the subscription, and each frame.
const ECHO_STEP_MAX: Duration = Duration::from_secs(3);
/// For leaving a room.
const CLOSE_MAX: Duration = Duration::from_secs(1);
const FRAME_SIZES: [usize; 2] = [100, 100_000];

impl Course {
    /// Looks at all candidates and relays at once. Answers what is wrong if none can be used; the connection
    /// is tried all the same, for it alone decides.
    pub(super) async fn paths(
        &mut self,
        signalling: &Signalling,
        reached: SocketAddr,
    ) -> Result<Option<String>, Stop> {
        let candidates = &signalling.report().candidates;
        let limit = self.budget.limit(CANDIDATES_MAX);
        let probes = candidates.iter().map(|candidate| async move {
            let begin = Instant::now();
            let outcome = signalling.probe(candidate, limit).await;
            (candidate.clone(), outcome, begin.elapsed())
        });
        let relays = signalling.probe_relays(self.budget.limit(RELAYS_MAX));
        let (probed, relays) = join(join_all(probes), relays).await;
        self.candidate_lines(&probed)?;
        self.relay_lines(&relays)?;
        let paths = Paths {
            reached: reached.ip(),
            candidates: probed.into_iter().map(|(candidate, outcome, _)| (candidate, outcome)).collect(),
            has_relay: relays.iter().any(|relay| relay.outcome.is_ok()),
        };
        words::path_warnings(&paths).into_iter().for_each(|warning| self.report.warn(warning));
        Ok(words::path_problem(&paths))
    }

    fn candidate_lines(&mut self, probed: &[(Candidate, ProbeOutcome, Duration)]) -> Result<(), Stop> {
        if probed.is_empty() {
            self.report.line(Line::failed(Step::Candidate, "the server names no address"))?;
        }
        for (candidate, outcome, took) in probed {
            let text = format!("{candidate} {}", words::probe(outcome));
            let facts = words::probe_facts(candidate, outcome);
            let line = if outcome.is_answered() {
                Line::ok(Step::Candidate, text)
            } else {
                Line::failed(Step::Candidate, text).took(*took)
            };
            self.report.line(line.facts(facts))?;
        }
        Ok(())
    }

    fn relay_lines(&mut self, relays: &[Relay]) -> Result<(), Stop> {
        if relays.is_empty() {
            self.report.line(Line::skipped(Step::Relay, "the server names no relay"))?;
        }
        for relay in relays {
            let facts = json!({ "url": relay.url });
            let line = match &relay.outcome {
                Ok(address) => Line::ok(Step::Relay, format!("{} gives {address}", relay.url)),
                Err(failure) => {
                    self.report.warn(words::relay(&relay.url, failure));
                    Line::failed(Step::Relay, format!("{}: {failure}", relay.url))
                }
            };
            self.report.line(line.took(relay.took).facts(facts))?;
        }
        Ok(())
    }

    /// Connects as applications do, with what is wrong with the ways there.
    pub(super) async fn connection(&mut self, no_path: Option<String>) -> Result<Room, Stop> {
        let begin = Instant::now();
        match self.join(self.patient.token.expose()).await {
            Ok(room) => {
                if let Some(problem) = no_path {
                    self.report.warn(format!("It connects all the same, perhaps not always. {problem}"));
                }
                let took = begin.elapsed();
                let count = if room.is_single_peer_connection() {
                    "one peer connection"
                } else {
                    "two peer connections"
                };
                let route = room.route();
                let over = route.map(|route| words::route(&route)).unwrap_or_default();
                let line = Line::ok(Step::Connection, format!("up with {count}{over}"));
                self.report.line(line.took(took).facts(words::route_facts(route.as_ref())))?;
                let text = "_reliable, _lossy and _data_track are open";
                self.report.line(Line::ok(Step::Channels, text))?;
                Ok(room)
            }
            Err(error) => {
                let line = Line::failed(Step::Connection, error.to_string()).took(begin.elapsed());
                self.report.line(line)?;
                match no_path {
                    Some(problem) => self.report.problem(Step::Candidate, problem),
                    None => self.report.problem(Step::Connection, words::connection(&error)),
                }
                Err(Stop::Failed)
            }
        }
    }

    async fn join(&self, token: &str) -> Result<Room, trackyard::ConnectError> {
        let options = self.patient.options.clone();
        let limit = self.budget.limit(CONNECTION_MAX.min(options.connect_timeout));
        let options = options.with_connect_timeout(limit).with_close_timeout(CLOSE_MAX);
        Room::connect(&self.patient.url, token, options).await.map(|(room, _)| room)
    }

    pub(super) async fn echo(&mut self, room: &Room) -> Result<(), Stop> {
        if let Some(reason) = self.no_echo() {
            return Ok(self.report.line(Line::skipped(Step::Echo, reason))?);
        }
        let Some(second) = self.patient.second_token.clone() else { return Ok(()) };
        let other = match self.join(second.expose()).await {
            Ok(other) => other,
            Err(error) => {
                let line = format!("a second participant cannot join: {error}");
                return self.fail(Step::Echo, &line, words::connection(&error));
            }
        };
        let plan = EchoPlan::new(FRAME_SIZES, self.budget.limit(ECHO_STEP_MAX));
        let limit = self.budget.limit(ECHO_MAX);
        let echoed = tokio::time::timeout(limit, echo(room, &other, &plan)).await;
        other.close().await;
        match echoed {
            Ok(Ok(echoes)) => echoes.iter().try_for_each(|echo| self.echo_line(echo)),
            Ok(Err(error)) => self.fail(Step::Echo, &error.to_string(), words::echo_error(&error)),
            Err(_) => {
                let line = format!("nothing within {} s", limit.as_secs());
                self.fail(Step::Echo, &line, words::echo_lost(FRAME_SIZES[0]))
            }
        }
    }

    fn echo_line(&mut self, echo: &Echo) -> Result<(), Stop> {
        let Echo { bytes, sent, round_trip, .. } = echo;
        let line = match round_trip {
            Some(round_trip) => {
                words::echo_repeated(echo).into_iter().for_each(|warning| self.report.warn(warning));
                Line::ok(Step::Echo, format!("a frame of {bytes} bytes comes back")).took(*round_trip)
            }
            None => {
                self.report.problem(Step::Echo, words::echo_lost(*bytes));
                let text = format!("a frame of {bytes} bytes, sent {sent} times, does not arrive");
                Line::failed(Step::Echo, text)
            }
        };
        let facts = json!({ "bytes": bytes, "sent": sent, "round_trip_ms": round_trip.map(milliseconds) });
        Ok(self.report.line(line.facts(facts))?)
    }

    /// Why frames cannot be sent. What cannot be read is for the server to judge.
    fn no_echo(&self) -> Option<&'static str> {
        let Some(second) = &self.patient.second_token else {
            return Some("frames need a second participant: give a key, or --second-token");
        };
        let first = TokenClaims::read(self.patient.token.expose())?;
        let second = TokenClaims::read(second.expose())?;
        if first.identity == second.identity {
            return Some("both tokens are of the same participant");
        }
        if first.room != second.room {
            return Some("the tokens are for different rooms");
        }
        if !first.can_publish_data {
            return Some("the token does not allow publishing data");
        }
        (!second.can_subscribe).then_some("the second token does not allow subscribing")
    }
}
