//! Signalling: the checks of a connecting client, then the upgrade (protocol §1.3, §1.5).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use trackyard_proto::Encoding;
use trackyard_proto::join::{JoinDecodeError, JoinQuery, JoinRequest};
use trackyard_sfu::room::admission::{self, Checks};

use super::session::{Session, Terms};
use super::upgrade;
use super::{Refusal, access};
use crate::app::App;
use crate::rooms::{Arrival, Entered};

/// Query parameters in order; a later one of the same name wins.
type Parameters = Query<Vec<(String, String)>>;
type Upgrade = Result<upgrade::Upgrade, StatusCode>;

/// What a request to connect or to validate consists of.
struct Asked<'a> {
    address: SocketAddr,
    headers: &'a HeaderMap,
    parameters: &'a [(String, String)],
    version: Version,
    /// Nothing invalid is passed over.
    strict: bool,
}

/// Which path was asked for. A join request selects the single connection on either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    V0,
    V1,
}

/// `GET /rtc`
pub(super) async fn v0(
    State(app): State<Arc<App>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Query(parameters): Parameters,
    upgrade: Upgrade,
) -> Response {
    let asked =
        Asked { address, headers: &headers, parameters: &parameters, version: Version::V0, strict: false };
    connect(&app, asked, upgrade).await
}

/// `GET /rtc/v1`
pub(super) async fn v1(
    State(app): State<Arc<App>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Query(parameters): Parameters,
    upgrade: Upgrade,
) -> Response {
    let asked =
        Asked { address, headers: &headers, parameters: &parameters, version: Version::V1, strict: false };
    connect(&app, asked, upgrade).await
}

/// `GET /rtc/validate`
pub(super) async fn validate_v0(
    State(app): State<Arc<App>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Query(parameters): Parameters,
) -> Response {
    validate(
        &app,
        &Asked { address, headers: &headers, parameters: &parameters, version: Version::V0, strict: true },
    )
}

/// `GET /rtc/v1/validate`
pub(super) async fn validate_v1(
    State(app): State<Arc<App>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Query(parameters): Parameters,
) -> Response {
    validate(
        &app,
        &Asked { address, headers: &headers, parameters: &parameters, version: Version::V1, strict: true },
    )
}

async fn connect(app: &Arc<App>, asked: Asked<'_>, upgrade: Upgrade) -> Response {
    let Ok(upgrade) = upgrade else { return StatusCode::NOT_FOUND.into_response() };
    let encoding = asked.encoding();
    match enter(app, &asked).await {
        Ok(entered) => serve(app, upgrade, encoding, entered),
        Err(refusal) => {
            app.counters.refused(refusal.status);
            if refusal.is_for_overload {
                app.counters.overload_refusals.inc();
            }
            refusal.into_response()
        }
    }
}

fn validate(app: &App, asked: &Asked<'_>) -> Response {
    match arrival(app, asked) {
        Ok(_) => "success".into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn enter(app: &App, asked: &Asked<'_>) -> Result<Entered, Refusal> {
    if app.is_stopping() {
        return Err(Refusal::unavailable("the server is shutting down"));
    }
    if !app.joins.admit(asked.address.ip(), Instant::now()) {
        return Err(Refusal::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too many joins from this address; slow down",
        ));
    }
    app.rooms.enter(arrival(app, asked)?).await
}

fn serve(app: &Arc<App>, upgrade: upgrade::Upgrade, encoding: Encoding, entered: Entered) -> Response {
    let Entered { link, source, first } = entered;
    let counters = app.counters.signal();
    let terms = Terms { encoding, counters, farewell_max: app.surface.farewell_max };
    let (answer, socket) = upgrade.accept(app.surface.signal_message_bytes_max);
    app.sessions.spawn(async move {
        // Boxed, so that a session that is being served does not hold what its beginning took.
        if let Some(socket) = Box::pin(socket).await {
            Session::new(socket, (link, source), terms).serve(first).await;
        }
    });
    answer
}

/// The checks that connecting and validating share, in the protocol's order.
fn arrival(app: &App, asked: &Asked<'_>) -> Result<Arrival, Refusal> {
    let verified = access::authenticate(
        asked.headers,
        asked.value("access_token"),
        &app.keys,
        app.rooms.clock().unix_s(),
    )?;
    if verified.is_none() {
        // Before anything else is looked at: who shows nothing has nothing decoded for it.
        return Err(Refusal::unauthorized("no permissions to access the room"));
    }
    let (request, single) = asked.join_request()?;
    let room_exists = |room: &str| app.rooms.admits(room);
    let checks = Checks {
        verified: verified.as_ref(),
        room_parameter: asked.value("room").unwrap_or_default(),
        publish_parameter: asked.value("publish"),
        request: &request,
        room_exists: &room_exists,
        capacity: app.rooms.capacity(),
        limits: app.rooms.limits(),
    };
    let admitted = admission::check(&checks)?;
    Ok(Arrival { verified: admitted.verified, room: admitted.room, request, single, address: asked.address })
}

impl Asked<'_> {
    /// A parameter's value; the last one of that name.
    fn value(&self, name: &str) -> Option<&str> {
        self.parameters.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// What the client asks for, and whether for a single connection: a join request selects it on
    /// either path.
    fn join_request(&self) -> Result<(JoinRequest, bool), Refusal> {
        let bad_request = |error: JoinDecodeError| Refusal::bad_request(error.to_string());
        match self.value("join_request").filter(|wrapped| !wrapped.is_empty()) {
            Some(wrapped) => Ok((JoinRequest::decode_wrapped(wrapped).map_err(bad_request)?, true)),
            None if self.version == Version::V1 => Err(Refusal::bad_request("join_request is required")),
            None => Ok((self.query()?, false)),
        }
    }

    /// Invalid attributes are an error when validating and are ignored when connecting, as clients expect.
    fn query(&self) -> Result<JoinRequest, Refusal> {
        let query =
            JoinQuery::parse(self.parameters.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        if self.strict {
            return query.strict().map_err(|error| Refusal::bad_request(error.to_string()));
        }
        Ok(query.request)
    }

    /// Binary, as official clients speak; JSON for whoever asks for it.
    fn encoding(&self) -> Encoding {
        match self.value("encoding") {
            Some("json") => Encoding::Json,
            _ => Encoding::Binary,
        }
    }
}
