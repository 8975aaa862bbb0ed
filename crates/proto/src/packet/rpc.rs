//! Calls between participants as packets (protocol §6.5).

use bytes::Bytes;

/// A call, version 1; version 2 sends a text stream instead.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RpcRequest {
    /// The caller's name for the call.
    pub id: String,
    /// What is called.
    pub method: String,
    /// With what.
    pub payload: String,
    /// How long the caller waits for the result.
    pub response_timeout_ms: u32,
    /// The version of the call, 1.
    pub version: u32,
    /// The payload compressed, in place of `payload`; empty in every official client.
    pub compressed_payload: Bytes,
}

/// A call has arrived.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RpcAck {
    /// Which call.
    pub request_id: String,
}

/// A call's result.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RpcResponse {
    /// Which call.
    pub request_id: String,
    /// What came of it; absent in a response that nobody can read.
    pub result: Option<RpcResult>,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RpcResult {
    /// What the method returned.
    Payload(String),
    /// The same, compressed; no official client sends it.
    Compressed(Bytes),
    /// Why it failed.
    Error(RpcErrorInfo),
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RpcErrorInfo {
    /// 1400 to 1505 are the protocol's own; others are the application's.
    pub code: u32,
    /// At most 256 bytes.
    pub message: String,
    /// At most 15,360 bytes.
    pub data: String,
}
