//! The HTTP surface: signalling, validation, health, metrics and the demo (protocol §1.1).

mod access;
mod connect;
mod health;
mod limiter;
mod places;
mod refusal;
mod serve;
mod session;
mod upgrade;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Method;
use axum::routing::get;
use tower_http::cors::{Any, CorsLayer};

pub(crate) use access::authenticate;
pub(crate) use limiter::JoinLimiter;
pub(crate) use refusal::Refusal;
pub(crate) use serve::serve;

use crate::api;
use crate::app::App;
use crate::demo;

/// The service behind the main port.
pub(crate) fn router(app: Arc<App>) -> Router {
    let mut router = Router::new()
        .route("/rtc", get(connect::v0))
        .route("/rtc/v1", get(connect::v1))
        .route("/rtc/validate", get(connect::validate_v0))
        .route("/rtc/v1/validate", get(connect::validate_v1))
        .route("/", get(health::root))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .merge(api::routes())
        .layer(cors());
    // What is not for the pages of others comes behind that layer.
    if app.surface.metrics_on_main_port {
        router = router.route("/metrics", get(health::metrics_for_loopback));
    }
    if app.surface.demo {
        router = router.merge(demo::routes());
    }
    router.with_state(app)
}

/// The service behind the port for metrics.
pub(crate) fn metrics_router(app: Arc<App>) -> Router {
    Router::new().route("/metrics", get(health::metrics)).with_state(app)
}

/// Any page may join: access is decided by tokens, and clients must be able to read refusals.
fn cors() -> CorsLayer {
    let methods = [Method::OPTIONS, Method::HEAD, Method::GET, Method::POST, Method::PATCH, Method::DELETE];
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods(methods)
        .allow_headers(Any)
        .expose_headers(Any)
        .max_age(Duration::from_secs(86_400))
}

#[cfg(test)]
mod tests;
