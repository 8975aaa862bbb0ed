//! Calls between participants.

mod handlers;
mod perform;

pub use handlers::RpcInvocationData;
pub use perform::PerformRpc;

pub(crate) use handlers::MethodHandler;
