//! Packets of calls.

use livekit_protocol as pb;
use pb::rpc_response::Value as Wire;

use crate::packet::{RpcAck, RpcErrorInfo, RpcRequest, RpcResponse, RpcResult};

impl From<&RpcRequest> for pb::RpcRequest {
    fn from(request: &RpcRequest) -> Self {
        Self {
            id: request.id.clone(),
            method: request.method.clone(),
            payload: request.payload.clone(),
            response_timeout_ms: request.response_timeout_ms,
            version: request.version,
            compressed_payload: request.compressed_payload.to_vec(),
        }
    }
}

impl From<pb::RpcRequest> for RpcRequest {
    fn from(request: pb::RpcRequest) -> Self {
        Self {
            id: request.id,
            method: request.method,
            payload: request.payload,
            response_timeout_ms: request.response_timeout_ms,
            version: request.version,
            compressed_payload: request.compressed_payload.into(),
        }
    }
}

impl From<&RpcAck> for pb::RpcAck {
    fn from(ack: &RpcAck) -> Self {
        Self { request_id: ack.request_id.clone() }
    }
}

impl From<pb::RpcAck> for RpcAck {
    fn from(ack: pb::RpcAck) -> Self {
        Self { request_id: ack.request_id }
    }
}

impl From<&RpcResponse> for pb::RpcResponse {
    fn from(response: &RpcResponse) -> Self {
        let value = response.result.as_ref().map(|result| match result {
            RpcResult::Payload(payload) => Wire::Payload(payload.clone()),
            RpcResult::Compressed(payload) => Wire::CompressedPayload(payload.to_vec()),
            RpcResult::Error(error) => Wire::Error(error.into()),
        });
        Self { request_id: response.request_id.clone(), value }
    }
}

impl From<pb::RpcResponse> for RpcResponse {
    fn from(response: pb::RpcResponse) -> Self {
        let result = response.value.map(|value| match value {
            Wire::Payload(payload) => RpcResult::Payload(payload),
            Wire::CompressedPayload(payload) => RpcResult::Compressed(payload.into()),
            Wire::Error(error) => RpcResult::Error(error.into()),
        });
        Self { request_id: response.request_id, result }
    }
}

impl From<&RpcErrorInfo> for pb::RpcError {
    fn from(error: &RpcErrorInfo) -> Self {
        Self { code: error.code, message: error.message.clone(), data: error.data.clone() }
    }
}

impl From<pb::RpcError> for RpcErrorInfo {
    fn from(error: pb::RpcError) -> Self {
        Self { code: error.code, message: error.message, data: error.data }
    }
}
