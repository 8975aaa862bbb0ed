//! Whether the process lives, whether it takes new clients, and what it has counted.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::Refusal;
use crate::app::App;
use crate::config::Login;

/// What proxies put on requests that they pass on.
const FORWARDED: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];

/// What official clients probe before they connect.
pub(super) async fn root() -> &'static str {
    "OK"
}

/// The process answers.
pub(super) async fn alive() -> &'static str {
    "ok"
}

/// New clients are welcome.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    match app.not_ready() {
        None => "ready".into_response(),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, why).into_response(),
    }
}

/// Metrics on a port of their own, for whoever has the login if there is one.
pub(super) async fn metrics(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    if let Some(login) = &app.surface.metrics_login
        && !is_login(&headers, login)
    {
        let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"metrics\"")];
        return (challenge, Refusal::unauthorized("metrics need the login of `prometheus`")).into_response();
    }
    page(&app).await
}

/// Takes as long whatever the password is.
fn is_login(headers: &HeaderMap, login: &Login) -> bool {
    let expected = BASE64.encode(format!("{}:{}", login.username, login.password));
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Basic "));
    given.is_some_and(|given| given.len() == expected.len() && differences(given, expected.as_bytes()) == 0)
}

/// Looks at every byte whatever the first ones are.
fn differences(a: &[u8], b: &[u8]) -> u8 {
    a.iter().zip(b).fold(0, |differences, (a, b)| differences | (a ^ b))
}

async fn page(app: &App) -> Response {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], app.metrics().await).into_response()
}

/// Metrics on the main port, which strangers reach: only for this machine, and not for whom a proxy on
/// it asks.
pub(super) async fn metrics_for_loopback(
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Response {
    let is_forwarded = FORWARDED.iter().any(|name| headers.contains_key(*name));
    if address.ip().to_canonical().is_loopback() && !is_forwarded {
        return page(&app).await;
    }
    let text =
        "metrics are for this machine only; set `prometheus_port` to serve them on a port of their own";
    Refusal::new(StatusCode::FORBIDDEN, text).into_response()
}
