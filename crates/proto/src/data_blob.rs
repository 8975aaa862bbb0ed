//! Small blobs that a participant keeps with its session, such as the schemas of its tracks (protocol §5.7).

use bytes::Bytes;

use crate::data_track::Schema;

/// What a blob is found by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum DataBlobKey {
    /// Any text.
    Generic(String),
    /// A schema; the contents are its text.
    Schema(Schema),
}

/// A blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataBlob {
    /// What it is found by; a client may leave it out, which is refused.
    pub key: Option<DataBlobKey>,
    /// Relayed, never read.
    pub contents: Bytes,
}
