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
