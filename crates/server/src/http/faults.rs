//! Faults on demand, for tests of what becomes of clients then. Served only where `fault_injection` is set.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Path, State};
use axum::http::StatusCode;
use trackyard_sfu::control::WorkerId;

use super::Refusal;
use crate::app::App;

/// Has a worker die as of a defect. It begins anew with nothing.
pub(super) async fn fail_worker(
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    State(app): State<Arc<App>>,
    Path(worker): Path<u16>,
) -> Result<StatusCode, Refusal> {
    if !address.ip().to_canonical().is_loopback() {
        return Err(Refusal::new(StatusCode::FORBIDDEN, "faults are for this machine only"));
    }
    if usize::from(worker) >= app.rooms.workers().count() {
        return Err(Refusal::new(StatusCode::NOT_FOUND, "there is no such worker"));
    }
    app.rooms.workers().fail(WorkerId(worker));
    Ok(StatusCode::ACCEPTED)
}
