//! A call of another participant.

use std::time::Duration;

use thiserror::Error;

use super::call::Payload;
use super::{RpcError, RpcErrorCode};

/// A call of another participant; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InvocationId(pub(super) u64);

/// The method has a handler.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the method `{method}` has a handler: unregister it first")]
pub struct MethodTaken {
    /// Which method.
    pub method: String,
}

/// What a method is to answer.
#[derive(Debug)]
pub struct Invocation {
    /// To answer it by.
    pub id: InvocationId,
    /// The caller's name for the call.
    pub request_id: String,
    /// Who calls; the name of the call where a server does.
    pub caller: String,
    /// What is called.
    pub method: String,
    /// How long the caller waits.
    pub response_timeout: Duration,
    pub(super) payload: InvocationPayload,
}

#[derive(Debug)]
pub(super) enum InvocationPayload {
    Text(String),
    Stream(Payload),
}

impl Invocation {
    /// Takes and reads the payload, the first time; what that costs falls on who asks.
    ///
    /// # Errors
    /// [`RpcError`] to answer with.
    pub fn take_payload(&mut self) -> Result<String, RpcError> {
        let none = InvocationPayload::Text(String::new());
        match std::mem::replace(&mut self.payload, none) {
            InvocationPayload::Text(payload) => Ok(payload),
            InvocationPayload::Stream(payload) => payload.read().map_err(|_| unreadable()),
        }
    }
}

/// As in official clients.
pub(super) fn unreadable() -> RpcError {
    RpcErrorCode::ApplicationError.with_data("Error reading RPC request payload")
}
