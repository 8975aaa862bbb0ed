//! The data blobs of a session: what this client stores, and what it asks of others (protocol §5.7).
//!
//! A server keeps blobs for as long as the session that stored them. What was stored is kept here too, and stored
//! anew in each new session; what has not been answered when a connection breaks is asked again on the next one.

mod error;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use trackyard_proto::limits::{BLOB_KEY_BYTES, BLOBS_BYTES};
use trackyard_proto::signal::Reason;
use trackyard_proto::{DataBlob, DataBlobKey, Request, SchemaEncoding};

pub use error::DataBlobError;

/// For the server's answer.
pub const BLOB_TIMEOUT: Duration = Duration::from_secs(10);
/// Requests that may be unanswered at once; one more fails.
pub const BLOB_REQUESTS_MAX: usize = 64;
/// Blobs that one client may store.
pub const BLOBS_MAX: usize = 256;

/// Names a request for a data blob within a session; never used for two that are unanswered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobRequestId(u32);

/// What has become of data blobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataBlobEvent {
    /// The answer to [`Session::store_data_blob`](crate::Session::store_data_blob).
    Stored {
        /// To which.
        request: BlobRequestId,
        /// What the blob is found by.
        result: Result<DataBlobKey, DataBlobError>,
    },
    /// The answer to [`Session::get_data_blob`](crate::Session::get_data_blob).
    Found {
        /// To which.
        request: BlobRequestId,
        /// What was stored.
        result: Result<DataBlob, DataBlobError>,
    },
    /// A blob that was stored in an earlier session is not in this one, and is stored no more.
    Lost {
        /// What it was found by.
        key: DataBlobKey,
        /// Why.
        error: DataBlobError,
    },
}

/// What comes next.
#[derive(Debug)]
pub(crate) enum BlobOutput {
    Request(Request),
    Event(DataBlobEvent),
}

/// What a request is to achieve.
#[derive(Debug, Clone)]
enum Wish {
    Store(DataBlobKey, Bytes),
    /// Of what is kept.
    StoreAnew(DataBlobKey),
    Get(String, DataBlobKey),
}

#[derive(Debug)]
struct Asked {
    wish: Wish,
    /// Nothing while it cannot be heard.
    deadline: Option<Instant>,
}

/// Invariant: every request of the application is answered once.
#[derive(Debug, Default)]
pub(crate) struct Blobs {
    last_id: u32,
    asked: BTreeMap<u32, Asked>,
    /// What this session, or one before it, has stored.
    kept: BTreeMap<DataBlobKey, Bytes>,
    /// What is said is heard.
    is_signalling: bool,
    is_closed: bool,
    outputs: VecDeque<BlobOutput>,
}

impl Blobs {
    pub(crate) fn store(&mut self, blob: DataBlob, now: Instant) -> BlobRequestId {
        let id = self.next_id();
        match self.check_store(&blob) {
            Ok(key) => self.ask(id, Wish::Store(key, blob.contents), now),
            Err(error) => {
                self.event(DataBlobEvent::Stored { request: BlobRequestId(id), result: Err(error) })
            }
        }
        BlobRequestId(id)
    }

    pub(crate) fn get(&mut self, identity: String, key: DataBlobKey, now: Instant) -> BlobRequestId {
        let id = self.next_id();
        match self.check_room() {
            Ok(()) => self.ask(id, Wish::Get(identity, key), now),
            Err(error) => self.event(DataBlobEvent::Found { request: BlobRequestId(id), result: Err(error) }),
        }
        BlobRequestId(id)
    }

    /// The server keeps a blob.
    pub(crate) fn stored(&mut self, request_id: u32) {
        let asked = self.take_if(request_id, |wish| !matches!(wish, Wish::Get(..)));
        if let Some(Wish::Store(key, contents)) = asked {
            self.kept.insert(key.clone(), contents);
            self.event(DataBlobEvent::Stored { request: BlobRequestId(request_id), result: Ok(key) });
        }
    }

    /// The server has found a blob.
    pub(crate) fn found(&mut self, request_id: u32, blob: &DataBlob) {
        if self.take_if(request_id, |wish| matches!(wish, Wish::Get(..))).is_some() {
            let result = Ok(blob.clone());
            self.event(DataBlobEvent::Found { request: BlobRequestId(request_id), result });
        }
    }

    /// The server refuses a request, which may be one of these.
    pub(crate) fn refused(&mut self, request_id: u32, (reason, message): (Reason, &str)) {
        if matches!(reason, Reason::Ok | Reason::Queued) {
            return;
        }
        if let Some(wish) = self.take_if(request_id, |_| true) {
            let message = message.to_owned();
            self.fail(request_id, wish, DataBlobError::Refused { reason, message });
        }
    }

    /// What is said is not heard: the time is not counted.
    pub(crate) fn pause(&mut self) {
        self.is_signalling = false;
        self.outputs.retain(|output| matches!(output, BlobOutput::Event(_)));
        self.asked.values_mut().for_each(|asked| asked.deadline = None);
    }

    /// The session goes on: what has not been answered is asked again.
    pub(crate) fn resume(&mut self, now: Instant) {
        self.pause();
        self.is_signalling = true;
        // What is stored anew must not take the place of what was to follow it.
        let is_anew = |asked: &Asked| matches!(asked.wish, Wish::StoreAnew(_));
        let (anew, other): (Vec<_>, Vec<_>) = self.asked.iter().partition(|(_, asked)| is_anew(asked));
        let ids: Vec<u32> = anew.into_iter().chain(other).map(|(id, _)| *id).collect();
        ids.into_iter().for_each(|id| self.say(id, now));
    }

    /// A new session has begun: what was stored in an earlier one is stored anew.
    pub(crate) fn restart(&mut self, now: Instant) {
        self.asked.retain(|_, asked| !matches!(asked.wish, Wish::StoreAnew(_)));
        let keys: Vec<DataBlobKey> = self.kept.keys().cloned().collect();
        for key in keys {
            let id = self.next_id();
            self.asked.insert(id, Asked { wish: Wish::StoreAnew(key), deadline: None });
        }
        self.resume(now);
    }

    /// The session is over.
    pub(crate) fn close(&mut self) {
        self.is_closed = true;
        self.pause();
        for (id, asked) in std::mem::take(&mut self.asked) {
            if !matches!(asked.wish, Wish::StoreAnew(_)) {
                self.fail(id, asked.wish, DataBlobError::Closed);
            }
        }
    }

    pub(crate) fn poll_output(&mut self) -> Option<BlobOutput> {
        self.outputs.pop_front()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.asked.values().filter_map(|asked| asked.deadline).min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let is_due = |asked: &Asked| asked.deadline.is_some_and(|at| at <= now);
        let due = self.asked.iter().filter(|(_, asked)| is_due(asked));
        let due: Vec<u32> = due.map(|(id, _)| *id).collect();
        for id in due {
            if let Some(asked) = self.asked.remove(&id) {
                self.fail(id, asked.wish, DataBlobError::Timeout);
            }
        }
    }

    fn ask(&mut self, id: u32, wish: Wish, now: Instant) {
        self.asked.insert(id, Asked { wish, deadline: None });
        self.say(id, now);
    }

    /// Says a request, if anyone hears it.
    fn say(&mut self, id: u32, now: Instant) {
        let Some(asked) = self.asked.get_mut(&id).filter(|_| self.is_signalling) else { return };
        asked.deadline = Some(now + BLOB_TIMEOUT);
        let store = |key: &DataBlobKey, contents: &Bytes| Request::StoreDataBlob {
            request_id: id,
            blob: Some(DataBlob { key: Some(key.clone()), contents: contents.clone() }),
        };
        let request = match &asked.wish {
            Wish::Store(key, contents) => Some(store(key, contents)),
            Wish::StoreAnew(key) => self.kept.get(key).map(|contents| store(key, contents)),
            Wish::Get(identity, key) => Some(Request::GetDataBlob {
                request_id: id,
                identity: identity.clone(),
                key: Some(key.clone()),
            }),
        };
        self.outputs.extend(request.map(BlobOutput::Request));
    }

    fn fail(&mut self, id: u32, wish: Wish, error: DataBlobError) {
        let request = BlobRequestId(id);
        let event = match wish {
            Wish::Store(..) => DataBlobEvent::Stored { request, result: Err(error) },
            Wish::Get(..) => DataBlobEvent::Found { request, result: Err(error) },
            Wish::StoreAnew(key) => {
                self.kept.remove(&key);
                DataBlobEvent::Lost { key, error }
            }
        };
        self.event(event);
    }

    fn take_if(&mut self, id: u32, is_it: impl FnOnce(&Wish) -> bool) -> Option<Wish> {
        self.asked.get(&id).filter(|asked| is_it(&asked.wish))?;
        self.asked.remove(&id).map(|asked| asked.wish)
    }

    fn event(&mut self, event: DataBlobEvent) {
        self.outputs.push_back(BlobOutput::Event(event));
    }

    /// 0 is what other requests have.
    fn next_id(&mut self) -> u32 {
        loop {
            self.last_id = self.last_id.wrapping_add(1);
            if self.last_id != 0 && !self.asked.contains_key(&self.last_id) {
                return self.last_id;
            }
        }
    }

    fn check_room(&self) -> Result<(), DataBlobError> {
        if self.is_closed {
            return Err(DataBlobError::Closed);
        }
        let ours = self.asked.values().filter(|asked| !matches!(asked.wish, Wish::StoreAnew(_)));
        if ours.count() < BLOB_REQUESTS_MAX { Ok(()) } else { Err(DataBlobError::TooManyRequests) }
    }

    /// What every server would refuse is not asked for, and what is kept has bounds.
    fn check_store(&self, blob: &DataBlob) -> Result<DataBlobKey, DataBlobError> {
        self.check_room()?;
        let key = blob.key.clone().ok_or(DataBlobError::InvalidKey)?;
        if !(1..=BLOB_KEY_BYTES).contains(&key_text(&key).len()) {
            return Err(DataBlobError::InvalidKey);
        }
        if blob.contents.is_empty() {
            return Err(DataBlobError::Empty);
        }
        let coming = self.asked.values().filter_map(|asked| match &asked.wish {
            Wish::Store(key, contents) => Some((key, contents)),
            Wish::StoreAnew(_) | Wish::Get(..) => None,
        });
        let mut all: BTreeMap<&DataBlobKey, usize> =
            self.kept.iter().chain(coming).map(|(key, contents)| (key, contents.len())).collect();
        all.insert(&key, blob.contents.len());
        let bytes: usize = all.iter().map(|(key, contents)| key_bytes(key) + contents).sum();
        if all.len() > BLOBS_MAX || bytes > BLOBS_BYTES {
            return Err(DataBlobError::LimitExceeded);
        }
        Ok(key)
    }
}

fn key_text(key: &DataBlobKey) -> &str {
    match key {
        DataBlobKey::Generic(text) => text,
        DataBlobKey::Schema(schema) => &schema.name,
    }
}

/// Bytes of a key that count.
fn key_bytes(key: &DataBlobKey) -> usize {
    let custom = match key {
        DataBlobKey::Schema(schema) => match &schema.encoding {
            Some(SchemaEncoding::Custom(name)) => name.len(),
            Some(SchemaEncoding::WellKnown(_)) | None => 0,
        },
        DataBlobKey::Generic(_) => 0,
    };
    key_text(key).len() + custom
}

#[cfg(test)]
mod tests;
