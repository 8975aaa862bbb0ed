//! The steps up to TLS.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use trackyard::ConnectError;
use trackyard::diagnose::Server;

use super::course::{Course, Stop, shown_url};
use super::report::{Line, Step};
use super::words;

const DNS_MAX: Duration = Duration::from_secs(4);
const TCP_MAX: Duration = Duration::from_secs(4);
const TLS_MAX: Duration = Duration::from_secs(4);

impl Course {
    pub(super) fn url(&mut self) -> Result<Server, Stop> {
        match self.server() {
            Ok(server) => {
                let tls = if server.is_tls() { "with TLS" } else { "without TLS" };
                self.report.line(Line::ok(Step::Url, format!("{}, {tls}", shown_url(&server))))?;
                Ok(server)
            }
            Err(error) => {
                // The URL itself is not repeated: people write passwords into them.
                let why = match error {
                    ConnectError::Url { message, .. } => {
                        format!(
                            "The URL cannot be used: {message}. It looks like wss://host or ws://host:7880."
                        )
                    }
                    other => format!("{other}."),
                };
                self.fail(Step::Url, "cannot be used", why)
            }
        }
    }

    pub(super) async fn dns(&mut self, server: &Server) -> Result<Vec<SocketAddr>, Stop> {
        let begin = Instant::now();
        let is_name = server.host().parse::<IpAddr>().is_err();
        match server.resolve(self.budget.limit(DNS_MAX)).await {
            Ok(addresses) if !is_name => {
                self.report.line(Line::skipped(Step::Dns, "the URL has an address"))?;
                Ok(addresses)
            }
            Ok(addresses) => {
                let ips: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
                let line = Line::ok(Step::Dns, format!("{} is {}", server.host(), ips.join(", ")));
                self.report.line(line.took(begin.elapsed()).facts(json!({ "addresses": ips })))?;
                Ok(addresses)
            }
            Err(error) => {
                let host = server.host();
                let line = Line::failed(Step::Dns, format!("{host}: {error}")).took(begin.elapsed());
                self.report.line(line)?;
                self.report.problem(Step::Dns, words::dns(host, &error));
                Err(Stop::Failed)
            }
        }
    }

    /// Answers the first address that is connected to, in the system's order.
    pub(super) async fn tcp(
        &mut self,
        server: &Server,
        addresses: &[SocketAddr],
    ) -> Result<SocketAddr, Stop> {
        let limit = self.budget.limit(TCP_MAX);
        let attempts = addresses.iter().map(|address| async move {
            let begin = Instant::now();
            (*address, server.reach(*address, limit).await, begin.elapsed())
        });
        let mut reached = None;
        let mut failures = Vec::new();
        for (address, attempt, took) in join_all(attempts).await {
            let facts = json!({ "address": address });
            let line = match attempt {
                Ok(_) => {
                    reached = reached.or(Some(address));
                    Line::ok(Step::Tcp, format!("{address} connected"))
                }
                Err(error) => {
                    let line = Line::failed(Step::Tcp, format!("{address}: {error}"));
                    failures.push((address, error));
                    line
                }
            };
            self.report.line(line.took(took).facts(facts))?;
        }
        match reached {
            Some(address) => {
                if let Some(warning) = words::tcp_in_part(&failures) {
                    self.report.warn(warning);
                }
                Ok(address)
            }
            None => {
                self.report.problem(Step::Tcp, words::tcp(&failures));
                Err(Stop::Failed)
            }
        }
    }

    pub(super) async fn tls(&mut self, server: &Server, address: SocketAddr) -> Result<(), Stop> {
        if !server.is_tls() {
            self.report.line(Line::skipped(Step::Tls, "the URL asks for none"))?;
            return Ok(());
        }
        let begin = Instant::now();
        let report = server.check_tls(address, self.budget.limit(TLS_MAX)).await;
        let (text, facts) = (words::tls_line(&report), words::tls_facts(&report));
        let line =
            if report.problem.is_none() { Line::ok(Step::Tls, text) } else { Line::failed(Step::Tls, text) };
        self.report.line(line.took(begin.elapsed()).facts(facts))?;
        if let Some(warning) = words::tls_warning(&report) {
            self.report.warn(warning);
        }
        match words::tls_problem(server.host(), &report) {
            Some(problem) => {
                self.report.problem(Step::Tls, problem);
                Err(Stop::Failed)
            }
            None => Ok(()),
        }
    }

    /// A step without which the others make no sense has failed.
    pub(super) fn fail<T>(&mut self, step: Step, line: &str, problem: String) -> Result<T, Stop> {
        self.report.line(Line::failed(step, line))?;
        self.report.problem(step, problem);
        Err(Stop::Failed)
    }
}
