//! A session as far as its signalling, to look at what the server says.

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};
use trackyard_peer::{Connection, ConnectionFactory, Role, Str0mFactory};
use trackyard_proto::join::JoinRequest;
use trackyard_proto::signal::{
    IceServer, JoinResponse, LeaveRequest, SessionDescription, SignalTarget, Trickle,
};
use trackyard_proto::{ConnectionSettings, DisconnectReason, Request, Response};
use trackyard_session::{SessionConfig, SignalRequest, SignalVersion};

use super::stun::Credentials;
use super::validate::{printable, without};
use super::{Candidate, ProbeOutcome, Relay, Server, probe, relay};
use crate::clock;
use crate::error::{ConnectError, SignalError};
use crate::signal::{SignalEvent, SignalReceiver, SignalSender, SignalSocket};

/// Candidates that are looked at.
const CANDIDATES_MAX: usize = 16;
/// After the server's answer, candidates may still trickle in for this long after the last one.
const TRICKLE_PAUSE_MAX: Duration = Duration::from_millis(500);
/// How long closing may take.
const FAREWELL_MAX: Duration = Duration::from_millis(500);

/// The route of signalling (protocol §1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignallingRoute {
    /// `/rtc/v1`: one peer connection for both directions.
    V1,
    /// `/rtc`: a peer connection for each.
    V0,
}

/// A session as far as its signalling. Dropping it leaves the room without a word.
pub struct Signalling {
    report: SignallingReport,
    credentials: Option<Credentials>,
    relays: Vec<IceServer>,
    tls: std::sync::Arc<rustls::ClientConfig>,
    sender: SignalSender,
    receiver: SignalReceiver,
}

/// What the server has said.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignallingReport {
    /// The route that it knows.
    pub route: SignallingRoute,
    /// Its version.
    pub server_version: String,
    /// The version of its signalling protocol.
    pub server_protocol: i32,
    /// Its region, if it has one.
    pub region: String,
    /// The room that was joined.
    pub room: String,
    /// Who this client is there.
    pub identity: String,
    /// The participants that were there before.
    pub others: usize,
    /// From the attempt to the server's first message.
    pub joined: Duration,
    /// From a ping to its answer; nothing if it came to none.
    pub ping: Option<Duration>,
    /// Where it says that it is reached.
    pub candidates: Vec<Candidate>,
    /// URLs of the relays that it names.
    pub relays: Vec<String>,
}

/// What has been heard so far.
struct Heard {
    begun: Instant,
    joined: Duration,
    join: Option<Box<JoinResponse>>,
    answer: Option<String>,
    candidates: Vec<Candidate>,
    is_last: bool,
    pinged: Option<Instant>,
    ping: Option<Duration>,
}

impl Server {
    /// Joins the room as far as signalling goes: by the newer route, or by the older one if the server does
    /// not know that. Whoever is there under the token's identity is put out.
    ///
    /// # Errors
    /// [`ConnectError`], as [`Room::connect`](crate::Room::connect) would fail.
    pub async fn signal(&self, token: &str, limit: Duration) -> Result<Signalling, ConnectError> {
        let until = Instant::now() + limit;
        match self.signal_by(SignallingRoute::V1, (token, until)).await {
            Err(ConnectError::Signal(SignalError::Refused { status: 404, message }))
                if !message.contains("room does not exist") =>
            {
                self.signal_by(SignallingRoute::V0, (token, until)).await
            }
            other => other,
        }
    }

    async fn signal_by(
        &self,
        route: SignallingRoute,
        (token, until): (&str, Instant),
    ) -> Result<Signalling, ConnectError> {
        let begun = Instant::now();
        let (offer, local_ufrag) = offer()?;
        let request = request(route, &offer);
        let opened =
            timeout_at(until, SignalSocket::open(&self.endpoint, &self.tls, (&request, token))).await;
        let socket = opened.map_err(|_| SignalError::Timeout)?.map_err(|error| redacted(error, token))?;
        let (mut sender, mut receiver) = socket.split();
        let mut heard = Heard {
            begun,
            joined: Duration::ZERO,
            join: None,
            answer: None,
            candidates: Vec::new(),
            is_last: false,
            pinged: None,
            ping: None,
        };
        while let Some(until) = heard.wait_until(until) {
            let Ok(event) = timeout_at(until, receiver.recv()).await else { break };
            let is_join = heard.hear(event)?;
            if is_join {
                heard.begin(&mut sender, (route, &offer)).await;
            }
        }
        let join = heard.join.take().ok_or(SignalError::Timeout)?;
        Ok(Signalling {
            credentials: heard.answer.as_deref().and_then(|sdp| credentials(sdp, local_ufrag)),
            report: report(route, &join, &heard),
            relays: join.ice_servers,
            tls: std::sync::Arc::clone(&self.tls),
            sender,
            receiver,
        })
    }
}

impl Signalling {
    /// What the server has said.
    #[must_use]
    pub fn report(&self) -> &SignallingReport {
        &self.report
    }

    /// Asks the server at one of its candidates, with this session's credentials. It changes nothing in the
    /// session, and may be done with all candidates at once.
    pub async fn probe(&self, candidate: &Candidate, limit: Duration) -> ProbeOutcome {
        match &self.credentials {
            Some(credentials) => probe::probe(candidate, credentials, limit).await,
            None => ProbeOutcome::Failed { message: "the server has given no credentials".to_owned() },
        }
    }

    /// Asks each relay that the server names for an address, and gives it back.
    pub async fn probe_relays(&self, limit: Duration) -> Vec<Relay> {
        relay::probe(&self.relays, &self.tls, limit).await
    }

    /// Leaves the room.
    pub async fn close(mut self) {
        let leave = Request::Leave(LeaveRequest { reason: DisconnectReason::ClientInitiated });
        let farewell = async {
            if self.sender.send(&leave).await {
                self.sender.close().await;
                self.receiver.closed().await;
            }
        };
        // Whoever does not answer by then is left without an answer.
        let _ = timeout(FAREWELL_MAX, farewell).await;
    }
}

/// Shows no credentials.
impl fmt::Debug for Signalling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signalling").field("report", &self.report).finish_non_exhaustive()
    }
}

impl Heard {
    /// How long to go on listening; not at all once everything has been said.
    fn wait_until(&self, until: Instant) -> Option<Instant> {
        match (&self.join, &self.answer) {
            (Some(_), Some(_)) if self.is_last && self.ping.is_some() => None,
            (Some(_), Some(_)) => Some(until.min(Instant::now() + TRICKLE_PAUSE_MAX)),
            _ => Some(until),
        }
    }

    /// Hears; `true` if this was the first message of the session.
    fn hear(&mut self, event: SignalEvent) -> Result<bool, ConnectError> {
        let response = match event {
            SignalEvent::Response(response) => *response,
            SignalEvent::Unreadable(message) => return Err(SignalError::Protocol { message }.into()),
            SignalEvent::Closed => {
                let message = "the server has closed the signal connection".to_owned();
                return Err(SignalError::Protocol { message }.into());
            }
        };
        match response {
            Response::Join(join) => {
                self.join = Some(join);
                self.joined = self.begun.elapsed();
                return Ok(true);
            }
            Response::Answer(answer) => self.answered(answer.sdp),
            Response::Trickle(trickle) if trickle.target == SignalTarget::Publisher => {
                self.trickled(&trickle)
            }
            Response::Pong(_) | Response::PongResp { .. } => {
                self.ping = self.ping.or(self.pinged.map(|sent| sent.elapsed()));
            }
            Response::Leave { reason, .. } => return Err(ConnectError::Ended { reason }),
            _ => {}
        }
        Ok(false)
    }

    /// Pings, and offers a connection where that has not been done with the join.
    async fn begin(&mut self, sender: &mut SignalSender, (route, offer): (SignallingRoute, &str)) {
        let timestamp = i64::try_from(clock::unix_ms()).unwrap_or(i64::MAX);
        self.pinged = Some(Instant::now());
        // Whoever listens notices that the connection broke.
        let mut is_heard = sender.send(&Request::PingReq { timestamp, rtt: 0 }).await;
        if route == SignallingRoute::V0 {
            is_heard = is_heard && sender.send(&Request::Offer(description(offer))).await;
        }
        if !is_heard {
            self.pinged = None;
        }
    }

    fn answered(&mut self, sdp: String) {
        for line in sdp.lines() {
            if line.trim_end() == "a=end-of-candidates" {
                self.is_last = true;
            } else if line.starts_with("a=candidate:") {
                self.add(line);
            }
        }
        self.answer = Some(sdp);
    }

    fn trickled(&mut self, trickle: &Trickle) {
        match trickle.candidate() {
            Ok(Some(candidate)) => self.add(&candidate),
            Ok(None) => self.is_last = true,
            Err(_) => {}
        }
        self.is_last |= trickle.last;
    }

    fn add(&mut self, line: &str) {
        let Some(candidate) = Candidate::parse(line) else { return };
        if self.candidates.len() < CANDIDATES_MAX && !self.candidates.contains(&candidate) {
            self.candidates.push(candidate);
        }
    }
}

/// An offer with the three channels, and the name that the server is to know us by.
fn offer() -> Result<(String, String), ConnectError> {
    let factory = Str0mFactory { candidates: Vec::new(), mtu: 1_200, buffered_bytes_max: 64 * 1024 };
    let now = std::time::Instant::now();
    let mut connection = factory.open(Role::ClientOffering, now);
    let fail = |message: String| ConnectError::Description { message };
    let offer = connection.create_offer(false, now).map_err(|error| fail(error.to_string()))?;
    let offer = offer.ok_or_else(|| fail("there is nothing to offer".to_owned()))?;
    Ok((offer, connection.local_ufrag()))
}

fn request(route: SignallingRoute, offer: &str) -> SignalRequest {
    let mut client = SessionConfig::default().client;
    std::env::consts::OS.clone_into(&mut client.os);
    let settings = ConnectionSettings { auto_subscribe: true, ..ConnectionSettings::default() };
    let join = JoinRequest { client, settings, ..JoinRequest::default() };
    match route {
        SignallingRoute::V1 => {
            let join = JoinRequest { publisher_offer: Some(description(offer)), ..join };
            SignalRequest { version: SignalVersion::V1, join }
        }
        SignallingRoute::V0 => SignalRequest { version: SignalVersion::V0, join },
    }
}

fn description(sdp: &str) -> SessionDescription {
    SessionDescription { id: 1, sdp: sdp.to_owned(), ..SessionDescription::default() }
}

fn report(route: SignallingRoute, join: &JoinResponse, heard: &Heard) -> SignallingReport {
    let relays = join.ice_servers.iter().flat_map(|server| &server.urls);
    SignallingReport {
        route,
        server_version: printable(&join.server_version),
        server_protocol: join.server_protocol,
        region: printable(&join.region),
        room: join.room.name.clone(),
        identity: join.participant.identity.clone(),
        others: join.other_participants.len(),
        joined: heard.joined,
        ping: heard.ping,
        candidates: heard.candidates.clone(),
        relays: relays.filter(|url| relay::is_relay(url)).map(|url| printable(url)).collect(),
    }
}

/// What the server's description gives (RFC 8839 §5.4); a session has one set for all sections.
fn credentials(sdp: &str, local_ufrag: String) -> Option<Credentials> {
    let value = |key: &str| sdp.lines().find_map(|line| line.trim_end().strip_prefix(key)).map(str::to_owned);
    let (remote_ufrag, remote_password) = value("a=ice-ufrag:").zip(value("a=ice-pwd:"))?;
    Some(Credentials { remote_ufrag, remote_password, local_ufrag })
}

fn redacted(error: SignalError, token: &str) -> SignalError {
    match error {
        SignalError::Refused { status, message } => {
            SignalError::Refused { status, message: printable(&without(&message, token)) }
        }
        other => other,
    }
}
