//! What backends are told when something did not work.

use trackyard_proto::api::{ApiError, Code};
use trackyard_proto::packet::RpcErrorInfo;
use trackyard_sfu::room::AdminError;

use crate::rooms::Unmet;

/// As backends are told.
pub(super) fn failure(unmet: Unmet) -> ApiError {
    match unmet {
        Unmet::NoRoom => ApiError::new(Code::NotFound, "requested room does not exist"),
        Unmet::Unavailable(why) => ApiError::new(Code::Unavailable, why),
        Unmet::Refused(AdminError::Call(error)) => call_failure(&error),
        Unmet::Refused(error) => refusal(&error),
    }
}

/// As backends are told what the room has refused.
pub(super) fn refusal(error: &AdminError) -> ApiError {
    let code = match error {
        AdminError::NoParticipant => Code::NotFound,
        AdminError::TooLong { .. } | AdminError::Invalid(_) => Code::InvalidArgument,
        AdminError::Precondition(_) => Code::FailedPrecondition,
        AdminError::Conflict { .. } => Code::Aborted,
        AdminError::TooManyCalls(_) => Code::ResourceExhausted,
        _ => Code::Internal,
    };
    let failure = ApiError::new(code, error.to_string());
    match error {
        AdminError::Conflict { revision } => failure.with("revision", revision.to_string()),
        _ => failure,
    }
}

/// The text is what clients of official servers know; programs read the parts.
fn call_failure(error: &RpcErrorInfo) -> ApiError {
    let RpcErrorInfo { code, message, data } = error;
    let mut text = format!("RpcError {code}: {message}");
    if !data.is_empty() {
        text = format!("{text}: {data}");
    }
    let failure = ApiError::new(call_code(*code), text).with("rpc_code", code.to_string());
    let failure = failure.with("rpc_message", message);
    if data.is_empty() { failure } else { failure.with("rpc_data", data) }
}

/// Protocol §6.5 and §10.
fn call_code(code: u32) -> Code {
    match code {
        // Method not supported, request too large.
        1400 | 1402 => Code::InvalidArgument,
        1401 => Code::NotFound,
        // Unsupported server or version.
        1403 | 1404 => Code::Unimplemented,
        // No acknowledgement or response in time.
        1501 | 1502 => Code::Canceled,
        // The recipient is gone, or cannot be reached.
        1503 | 1505 => Code::Unavailable,
        _ => Code::Internal,
    }
}
