//! The server API over HTTP: what backends ask for, and may (protocol §10).

mod access;
mod body;
mod counters;
mod failure;
mod method;
mod methods;
mod serve;

use std::sync::Arc;

use axum::Router;
use axum::routing::any;
use tokio::sync::Semaphore;

pub(crate) use counters::ApiCounters;

use crate::app::App;

/// Bodies that may be held at once, in KiB: each waits in memory for its end.
const BODIES_KIB_MAX: usize = 64 * 1024;

/// What is held of all requests of the API.
#[derive(Debug)]
pub(crate) struct Bodies(Semaphore);

impl Default for Bodies {
    fn default() -> Self {
        Self(Semaphore::new(BODIES_KIB_MAX))
    }
}

/// The paths of the API.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/twirp/{service}/{method}", any(serve::call))
}
