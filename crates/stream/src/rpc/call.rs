//! A call of this client.

use std::time::Duration;

use bytes::Bytes;

use super::{RESPONSE_TIMEOUT, RpcError, RpcErrorCode};
use crate::{Abilities, Content, StreamError};

/// A call of this client; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub(super) u64);

/// What is to be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRequest {
    /// Whom.
    pub destination: String,
    /// What.
    pub method: String,
    /// With what.
    pub payload: String,
    /// How long to wait for the result.
    pub response_timeout: Duration,
    /// What the other side can read.
    pub abilities: Abilities,
    /// The server's version; what is older than 1.8.0 passes no calls on.
    pub server_version: String,
    /// The time of now, Unix milliseconds.
    pub unix_ms: u64,
}

impl CallRequest {
    /// A call of a method, waited for as long as official clients do.
    pub fn new(
        destination: impl Into<String>,
        method: impl Into<String>,
        payload: impl Into<String>,
    ) -> Self {
        Self {
            destination: destination.into(),
            method: method.into(),
            payload: payload.into(),
            response_timeout: RESPONSE_TIMEOUT,
            abilities: Abilities::NONE,
            server_version: String::new(),
            unix_ms: 0,
        }
    }
}

/// What came of a call.
#[derive(Debug)]
pub enum Answer {
    /// The method's result.
    Payload(String),
    /// The method's result as it came.
    Stream(Box<Payload>),
    /// It has failed.
    Failed(RpcError),
}

impl Answer {
    /// The reason why a result is of no use that did not arrive, as in official clients.
    pub(crate) fn unreadable() -> RpcError {
        RpcErrorCode::ApplicationError.with_data("Error reading RPC response payload")
    }

    /// Reads it; what that costs falls on who asks.
    ///
    /// # Errors
    /// [`RpcError`].
    pub fn into_result(self) -> Result<String, RpcError> {
        match self {
            Self::Payload(payload) => Ok(payload),
            Self::Stream(payload) => payload.read().map_err(|_| Self::unreadable()),
            Self::Failed(error) => Err(error),
        }
    }
}

/// A payload that is a text stream, all of which has come.
#[derive(Debug)]
pub struct Payload {
    pub(crate) content: Content,
    pub(crate) chunks: Vec<Bytes>,
}

impl Payload {
    /// Decompresses and checks it.
    pub(super) fn read(mut self) -> Result<String, StreamError> {
        let mut text = String::new();
        for chunk in self.chunks {
            self.content.push(chunk);
            while let Some(part) = self.content.next_text()? {
                text.push_str(&part);
            }
        }
        self.content.finish()?;
        Ok(text)
    }
}
