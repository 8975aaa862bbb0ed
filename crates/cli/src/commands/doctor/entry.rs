//! Token and signalling.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;
use trackyard::diagnose::{Server, Signalling, SignallingRoute, TokenClaims};

use super::course::{Course, Stop};
use super::report::{Line, Step, milliseconds};
use super::words;

const TOKEN_MAX: Duration = Duration::from_secs(4);
const SIGNALLING_MAX: Duration = Duration::from_secs(5);

impl Course {
    pub(super) async fn token(&mut self, server: &Server, address: SocketAddr) -> Result<(), Stop> {
        if let Some(why) = self.patient.lacks_token.clone() {
            self.report.line(Line::failed(Step::Token, "there is none to show"))?;
            self.report
                .problem(Step::Token, format!("So far all is well. For the rest a token is needed: {why}"));
            return Err(Stop::Failed);
        }
        let begin = Instant::now();
        let token = self.patient.token.clone();
        let limit = self.budget.limit(TOKEN_MAX);
        let validated = server.validate(address, token.expose(), limit).await;
        let took = begin.elapsed();
        let claims = TokenClaims::read(token.expose());
        match validated {
            Ok(validation) if validation.is_accepted() => {
                let line = Line::ok(Step::Token, words::token_accepted(claims.as_ref()));
                self.report.line(line.took(took).facts(words::token_facts(&validation)))?;
                if let Some(warning) = words::clock_warning(&validation) {
                    self.report.warn(warning);
                }
                Ok(())
            }
            Ok(validation) => {
                let text = format!("refused with status {}: {}", validation.status, words::said(&validation));
                let line = Line::failed(Step::Token, text);
                self.report.line(line.took(took).facts(words::token_facts(&validation)))?;
                let advice = words::token_refused(&validation, claims.as_ref(), self.patient.has_key);
                self.report.problem(Step::Token, advice);
                Err(Stop::Failed)
            }
            Err(error) => {
                self.report.line(Line::failed(Step::Token, error.to_string()).took(took))?;
                self.report.problem(Step::Token, words::token_unanswered(&error, server.is_tls()));
                Err(Stop::Failed)
            }
        }
    }

    pub(super) async fn signalling(&mut self, server: &Server) -> Result<Signalling, Stop> {
        let begin = Instant::now();
        let token = self.patient.token.clone();
        let opened = server.signal(token.expose(), self.budget.limit(SIGNALLING_MAX)).await;
        let took = begin.elapsed();
        let signalling = match opened {
            Ok(signalling) => signalling,
            Err(error) => {
                self.report.line(Line::failed(Step::Signalling, error.to_string()).took(took))?;
                self.report.problem(Step::Signalling, words::signalling(&error));
                return Err(Stop::Failed);
            }
        };
        let report = signalling.report();
        let route = match report.route {
            SignallingRoute::V1 => "v1",
            SignallingRoute::V0 => "v0",
        };
        let ping = match report.ping {
            Some(ping) => format!("ping {:.1} ms", milliseconds(ping)),
            None => "pings are not answered".to_owned(),
        };
        let text = format!(
            "{route}, server {} with protocol {}, {ping}",
            report.server_version, report.server_protocol
        );
        let facts = json!({
            "route": route,
            "server_version": report.server_version,
            "server_protocol": report.server_protocol,
            "region": report.region,
            "room": report.room,
            "identity": report.identity,
            "ping_ms": report.ping.map(milliseconds),
        });
        if report.ping.is_none() {
            self.report.warn(
                "The server joins and does not answer pings: clients take that for a broken connection after \
                 a while. Look for a proxy that holds messages back.",
            );
        }
        let joined = report.joined;
        self.report.line(Line::ok(Step::Signalling, text).took(joined).facts(facts))?;
        Ok(signalling)
    }
}
