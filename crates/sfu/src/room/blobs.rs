//! Blobs that participants keep with their sessions, such as the schemas of their tracks (protocol §5.7).

use std::collections::BTreeMap;

use bytes::Bytes;
use trackyard_proto::signal::Reason;
use trackyard_proto::{DataBlob, DataBlobKey, Response, SchemaEncoding};

use super::Room;
use super::config::{BlobLimits, StateLimits};
use crate::control::PeerId;

/// What one participant keeps.
#[derive(Debug, Default)]
pub(super) struct Blobs {
    by_key: BTreeMap<DataBlobKey, Bytes>,
    bytes: usize,
}

type Refusal = (Reason, &'static str);

impl Blobs {
    /// Keeps a blob in place of any other under its key.
    fn store(&mut self, key: DataBlobKey, contents: &Bytes, bytes_max: usize) -> Result<(), Refusal> {
        let key_bytes = key_bytes(&key);
        let replaced = self.by_key.get(&key).map_or(0, |former| key_bytes + former.len());
        let bytes = self.bytes - replaced + key_bytes + contents.len();
        if bytes > bytes_max {
            return Err((Reason::LimitExceeded, "the participant's blobs would be too large together"));
        }
        // The message that brought it is larger, and would be kept with a mere reference.
        self.by_key.insert(key, Bytes::copy_from_slice(contents));
        self.bytes = bytes;
        Ok(())
    }

    fn get(&self, key: &DataBlobKey) -> Option<&Bytes> {
        self.by_key.get(key)
    }
}

impl Room {
    pub(super) fn store_blob(&mut self, peer: PeerId, request_id: u32, blob: Option<DataBlob>) {
        let stored = self.keep_blob(peer, blob);
        self.answer_blob(peer, request_id, stored.map(|key| Response::DataBlobStored { request_id, key }));
    }

    pub(super) fn get_blob(
        &mut self,
        peer: PeerId,
        request_id: u32,
        (identity, key): (&str, Option<DataBlobKey>),
    ) {
        let found = self.find_blob(peer, identity, key);
        self.answer_blob(peer, request_id, found.map(|blob| Response::DataBlob { request_id, blob }));
    }

    fn answer_blob(&mut self, peer: PeerId, request_id: u32, answer: Result<Response, Refusal>) {
        match answer {
            Ok(response) => self.tell(peer, response),
            Err(how) => {
                self.counters.blobs_refused += 1;
                self.respond(peer, request_id, how, None);
            }
        }
    }

    fn keep_blob(&mut self, peer: PeerId, blob: Option<DataBlob>) -> Result<DataBlobKey, Refusal> {
        let limits = self.blob_limits()?;
        let DataBlob { key, contents } = blob.ok_or((Reason::InvalidRequest, "there is no blob"))?;
        let key = check_key(key, limits, &self.config.limits.state)?;
        if contents.is_empty() {
            return Err((Reason::InvalidRequest, "the blob has no contents"));
        }
        let member = self.members.get_mut(peer).ok_or((Reason::NotFound, "the session has ended"))?;
        member.blobs.store(key.clone(), &contents, limits.bytes)?;
        Ok(key)
    }

    fn find_blob(
        &self,
        asking: PeerId,
        identity: &str,
        key: Option<DataBlobKey>,
    ) -> Result<DataBlob, Refusal> {
        let limits = self.blob_limits()?;
        let key = check_key(key, limits, &self.config.limits.state)?;
        let member = self.members.by_identity(identity).and_then(|peer| self.members.get(peer));
        let member = member.filter(|member| member.peer == asking || !member.is_hidden());
        let contents = member.and_then(|member| member.blobs.get(&key)).cloned();
        let contents = contents.ok_or((Reason::NotFound, "no such participant, or it has no such blob"))?;
        Ok(DataBlob { key: Some(key), contents })
    }

    fn blob_limits(&self) -> Result<BlobLimits, Refusal> {
        self.config.blobs.ok_or((Reason::NotAllowed, "data blobs are not enabled"))
    }
}

fn check_key(
    key: Option<DataBlobKey>,
    limits: BlobLimits,
    state: &StateLimits,
) -> Result<DataBlobKey, Refusal> {
    let key = key.ok_or((Reason::InvalidRequest, "the blob has no key"))?;
    let (text, custom) = match &key {
        DataBlobKey::Generic(text) => (text, None),
        DataBlobKey::Schema(schema) => match &schema.encoding {
            Some(SchemaEncoding::Custom(name)) => (&schema.name, Some(name)),
            Some(SchemaEncoding::WellKnown(_)) | None => (&schema.name, None),
        },
    };
    if text.is_empty() || text.len() > limits.key_bytes {
        return Err((Reason::InvalidRequest, "the blob's key is empty or too long"));
    }
    if custom.is_some_and(|name| name.is_empty() || name.len() > state.custom_encoding_bytes) {
        return Err((Reason::InvalidRequest, "the schema's encoding is empty or too long"));
    }
    Ok(key)
}

/// Bytes of a key that count.
fn key_bytes(key: &DataBlobKey) -> usize {
    match key {
        DataBlobKey::Generic(text) => text.len(),
        DataBlobKey::Schema(schema) => {
            let encoding = match &schema.encoding {
                Some(SchemaEncoding::Custom(name)) => name.len(),
                Some(SchemaEncoding::WellKnown(_)) | None => 0,
            };
            schema.name.len() + encoding
        }
    }
}
