//! Why calls fail.

use std::fmt;

use trackyard_proto::packet::RpcErrorInfo;

/// What an error's message takes at most; the rest is cut off.
pub const RPC_MESSAGE_BYTES: usize = 256;
/// What an error's data take at most; the rest is cut off.
pub const RPC_DATA_BYTES: usize = 15_360;

/// Why a call failed, on this side or on the other.
///
/// ```
/// use trackyard_stream::{RpcError, RpcErrorCode};
/// let busy = RpcError::new(1, "the arm is busy", "until noon");
/// assert_eq!((busy.code(), busy.kind()), (1, None));
/// let late = RpcError::from(RpcErrorCode::ResponseTimeout);
/// assert_eq!((late.code(), late.message()), (1502, "Response timeout"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RpcError {
    code: u32,
    message: String,
    data: String,
}

/// The protocol's own reasons, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RpcErrorCode {
    /// 1400: the other side has no such method.
    UnsupportedMethod,
    /// 1401: the one who is called is not in the room.
    RecipientNotFound,
    /// 1402: the payload is larger than the other side can take.
    RequestPayloadTooLarge,
    /// 1403: the server is too old.
    UnsupportedServer,
    /// 1404: the other side does not speak this version.
    UnsupportedVersion,
    /// 1500: the method has failed.
    ApplicationError,
    /// 1501: the call was not confirmed in time.
    ConnectionTimeout,
    /// 1502: the result did not come in time.
    ResponseTimeout,
    /// 1503: the one who was called has left.
    RecipientDisconnected,
    /// 1504: the result is larger than this side can take.
    ResponsePayloadTooLarge,
    /// 1505: the call could not be sent.
    SendFailed,
}

use RpcErrorCode::{
    ApplicationError, ConnectionTimeout, RecipientDisconnected, RecipientNotFound, RequestPayloadTooLarge,
    ResponsePayloadTooLarge, ResponseTimeout, SendFailed, UnsupportedMethod, UnsupportedServer,
    UnsupportedVersion,
};

/// Numbers and messages as official clients use them.
const CODES: [(RpcErrorCode, u32, &str); 11] = [
    (UnsupportedMethod, 1400, "Method not supported at destination"),
    (RecipientNotFound, 1401, "Recipient not found"),
    (RequestPayloadTooLarge, 1402, "Request payload too large"),
    (UnsupportedServer, 1403, "RPC not supported by server"),
    (UnsupportedVersion, 1404, "Unsupported RPC version"),
    (ApplicationError, 1500, "Application error in method handler"),
    (ConnectionTimeout, 1501, "Connection timeout"),
    (ResponseTimeout, 1502, "Response timeout"),
    (RecipientDisconnected, 1503, "Recipient disconnected"),
    (ResponsePayloadTooLarge, 1504, "Response payload too large"),
    (SendFailed, 1505, "Failed to send"),
];

impl RpcErrorCode {
    /// Its number on the wire.
    #[must_use]
    pub fn number(self) -> u32 {
        self.entry().1
    }

    /// Its message in every client.
    #[must_use]
    pub fn message(self) -> &'static str {
        self.entry().2
    }

    /// With more about it.
    #[must_use]
    pub fn with_data(self, data: impl Into<String>) -> RpcError {
        RpcError::new(self.number(), self.message(), data)
    }

    fn entry(self) -> (Self, u32, &'static str) {
        let found = CODES.into_iter().find(|(code, ..)| *code == self);
        found.expect("every code has its number and message")
    }
}

impl RpcError {
    /// An application's own; 1001 to 1999 are the protocol's. What is too long is cut off.
    pub fn new(code: u32, message: impl Into<String>, data: impl Into<String>) -> Self {
        let message = cut(message.into(), RPC_MESSAGE_BYTES);
        Self { code, message, data: cut(data.into(), RPC_DATA_BYTES) }
    }

    /// Its number.
    #[must_use]
    pub fn code(&self) -> u32 {
        self.code
    }

    /// The protocol's own reason, if it is one.
    #[must_use]
    pub fn kind(&self) -> Option<RpcErrorCode> {
        CODES.into_iter().find(|(_, number, _)| *number == self.code).map(|(code, ..)| code)
    }

    /// What went wrong, at most [`RPC_MESSAGE_BYTES`].
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// More about it, at most [`RPC_DATA_BYTES`]; often empty.
    #[must_use]
    pub fn data(&self) -> &str {
        &self.data
    }
}

impl From<RpcErrorCode> for RpcError {
    fn from(code: RpcErrorCode) -> Self {
        code.with_data("")
    }
}

impl From<RpcErrorInfo> for RpcError {
    fn from(error: RpcErrorInfo) -> Self {
        Self::new(error.code, error.message, error.data)
    }
}

impl From<RpcError> for RpcErrorInfo {
    fn from(error: RpcError) -> Self {
        Self { code: error.code, message: error.message, data: error.data }
    }
}

impl fmt::Display for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (code {})", self.message, self.code)?;
        if self.data.is_empty() { Ok(()) } else { write!(f, ": {}", self.data) }
    }
}

impl std::error::Error for RpcError {}

/// At most so many bytes, and whole characters.
fn cut(mut text: String, bytes: usize) -> String {
    let end = (0..=bytes.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_number() {
        let numbers: Vec<_> = CODES.iter().map(|(code, ..)| code.number()).collect();
        assert_eq!(numbers, [1400, 1401, 1402, 1403, 1404, 1500, 1501, 1502, 1503, 1504, 1505]);
        for (code, number, message) in CODES {
            let error = RpcError::from(code);
            assert_eq!((error.code(), error.message(), error.kind()), (number, message, Some(code)));
            assert_eq!(RpcError::from(RpcErrorInfo::from(error.clone())), error);
        }
    }

    #[test]
    fn what_is_too_long_is_cut_between_characters() {
        let long = RpcError::new(7, "ä".repeat(200), "€".repeat(10_000));
        assert_eq!((long.message().len(), long.data().len()), (256, 15_360));
        let uneven = RpcError::new(7, format!("x{}", "ä".repeat(200)), format!("x{}", "€".repeat(10_000)));
        assert_eq!((uneven.message().len(), uneven.data().len()), (255, 15_358));
        assert_eq!(RpcError::new(7, "busy", "now").to_string(), "busy (code 7): now");
    }
}
