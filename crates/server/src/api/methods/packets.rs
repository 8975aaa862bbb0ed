//! Methods that say something to participants, or ask them.

use std::time::Duration;

use trackyard_proto::api::{ApiError, Code, Empty, PerformRpc, PerformRpcAnswer, SendData};
use trackyard_sfu::room::{Admin, AdminReply, Call, ServerData};

use super::{Body, Task, unexpected};
use crate::api::failure::failure;

/// How long a call may take unless its caller says otherwise.
const RESPONSE_MAX: Duration = Duration::from_secs(10);

/// Says something to participants.
pub(super) async fn send(task: &Task<'_>) -> Body {
    let request: SendData = task.read_for(|request: &SendData| &request.room)?;
    let SendData { room, data, kind, destination_sids, destination_identities, topic, nonce } = request;
    if !matches!(nonce.len(), 0 | 16) {
        let why = format!("nonce should be 16-bytes or not present, got: {} bytes", nonce.len());
        return Err(ApiError::new(Code::InvalidArgument, why));
    }
    let data = ServerData {
        data: data.into(),
        kind,
        topic,
        identities: destination_identities,
        sids: destination_sids,
        nonce: nonce.into(),
    };
    task.ask(&room, Admin::SendData(data)).await?;
    task.write(&Empty)
}

/// Calls a participant's method, and waits for what it answers.
pub(super) async fn perform_rpc(task: &Task<'_>) -> Body {
    let request: PerformRpc = task.read_for(|request: &PerformRpc| &request.room)?;
    let PerformRpc { room, destination_identity, method, payload, response_timeout_ms } = request;
    let response_max = match response_timeout_ms {
        0 => RESPONSE_MAX,
        given => Duration::from_millis(given.into()),
    };
    let call = Call { identity: destination_identity, method, payload, response_max };
    if call.identity.is_empty() {
        return Err(ApiError::new(Code::InvalidArgument, "destination identity is required"));
    }
    let reply = task.rooms.ask_slowly(&room, Admin::PerformRpc(call), response_max).await;
    match reply.map_err(failure)? {
        AdminReply::Payload(payload) => task.write(&PerformRpcAnswer { payload }),
        other => Err(unexpected(&other)),
    }
}
