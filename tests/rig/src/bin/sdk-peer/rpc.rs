//! Calls, made and answered.

use std::future::{Future, pending};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use trackyard::{PerformRpc, Room, RpcError, RpcErrorCode, RpcInvocationData};

use crate::failure::Failure;

/// A call to make.
#[derive(Debug, Deserialize)]
pub(crate) struct Rpc {
    to: String,
    method: String,
    payload: String,
    /// Milliseconds.
    timeout: u64,
}

/// How a call is to fail.
#[derive(Debug, Deserialize)]
struct Wanted {
    code: u32,
    message: String,
    data: String,
}

impl Rpc {
    /// Makes it; an error of the call is its result.
    pub(crate) async fn perform(self, room: &Room) -> Value {
        let call = PerformRpc::new(self.to, self.method)
            .with_payload(self.payload)
            .with_response_timeout(Duration::from_millis(self.timeout));
        match room.local_participant().perform_rpc(call).await {
            Ok(payload) => json!({"payload": payload}),
            Err(error) => {
                json!({"code": error.code(), "message": error.message(), "data": error.data()})
            }
        }
    }
}

/// Registers what others may call; the payload says what is to become of the call.
pub(crate) fn serve(room: &Room) -> Result<(), Failure> {
    on(room, "echo", |call| async move { Ok(call.payload) })?;
    on(room, "caller", |call| async move { Ok(call.caller_identity) })?;
    on(room, "repeat", |call| async move {
        call.payload.parse().map(|count| "x".repeat(count)).map_err(|_| RpcErrorCode::ApplicationError.into())
    })?;
    on(room, "never", |_| pending())?;
    on(room, "crash", |_| async move { Err(RpcErrorCode::ApplicationError.into()) })?;
    on(room, "fail", |call| async move {
        let Ok(Wanted { code, message, data }) = serde_json::from_str(&call.payload) else {
            return Err(RpcErrorCode::ApplicationError.into());
        };
        Err(RpcError::new(code, message, data))
    })
}

fn on<F: Future<Output = Result<String, RpcError>> + Send + 'static>(
    room: &Room,
    method: &str,
    handler: impl Fn(RpcInvocationData) -> F + Send + Sync + 'static,
) -> Result<(), Failure> {
    Ok(room.register_rpc_method(method, handler)?)
}
