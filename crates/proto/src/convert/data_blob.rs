//! Blobs and their keys.

use livekit_protocol as pb;
use pb::data_blob_key::Key;

use crate::data_blob::{DataBlob, DataBlobKey};

impl From<&DataBlobKey> for pb::DataBlobKey {
    fn from(key: &DataBlobKey) -> Self {
        let key = match key {
            DataBlobKey::Generic(text) => Key::Generic(text.clone()),
            DataBlobKey::Schema(schema) => Key::SchemaId(schema.into()),
        };
        Self { key: Some(key) }
    }
}

/// A key as sent; one without any value is none.
pub(super) fn blob_key(key: pb::DataBlobKey) -> Option<DataBlobKey> {
    Some(match key.key? {
        Key::Generic(text) => DataBlobKey::Generic(text),
        Key::SchemaId(schema) => DataBlobKey::Schema(schema.into()),
    })
}

impl From<&DataBlob> for pb::DataBlob {
    fn from(blob: &DataBlob) -> Self {
        Self { key: blob.key.as_ref().map(Into::into), contents: blob.contents.to_vec() }
    }
}

impl From<pb::DataBlob> for DataBlob {
    fn from(blob: pb::DataBlob) -> Self {
        Self { key: blob.key.and_then(blob_key), contents: blob.contents.into() }
    }
}
