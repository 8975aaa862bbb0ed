//! A response on its way out: encoded at most once per encoding, shared by all who receive it.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::Response;

/// How messages of one signal connection are written (protocol §1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// Protobuf in binary frames.
    #[default]
    Binary,
    /// Protobuf's JSON mapping in text frames.
    Json,
}

/// A response that any number of connections may write. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outbound(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    response: Response,
    binary: OnceLock<Bytes>,
    json: OnceLock<Bytes>,
}

impl Outbound {
    /// Nothing is encoded before it is asked for.
    pub fn new(response: Response) -> Self {
        Self(Arc::new(Shared { response, binary: OnceLock::new(), json: OnceLock::new() }))
    }

    /// What it says.
    pub fn response(&self) -> &Response {
        &self.0.response
    }

    /// Its frame; made at most once per encoding, whoever asks.
    pub fn encode(&self, encoding: Encoding) -> Bytes {
        let frame = match encoding {
            Encoding::Binary => &self.0.binary,
            Encoding::Json => &self.0.json,
        };
        frame.get_or_init(|| self.0.response.encode(encoding)).clone()
    }
}

impl From<Response> for Outbound {
    fn from(response: Response) -> Self {
        Self::new(response)
    }
}
