//! Whether the process lives, whether it takes new clients, and what it has counted.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Refusal;
use crate::app::App;

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

/// Metrics for whoever reaches the port for metrics.
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], app.metrics().await).into_response()
}

/// Metrics on the main port, which strangers reach: only for this machine.
pub(super) async fn metrics_for_loopback(
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    State(app): State<Arc<App>>,
) -> Response {
    if address.ip().to_canonical().is_loopback() {
        return metrics(State(app)).await;
    }
    let text =
        "metrics are for this machine only; set `prometheus_port` to serve them on a port of their own";
    Refusal::new(StatusCode::FORBIDDEN, text).into_response()
}
