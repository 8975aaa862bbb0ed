//! The data tracks of one publisher, by handle and by name.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use bytes::Bytes;
use trackyard_proto::DataTrackInfo;

use crate::control::TrackKey;

/// What a track takes in a list beside its strings: tags, lengths, handle, encryption.
const ENTRY_BYTES: usize = 16;

/// The data tracks of one publisher.
#[derive(Debug, Default)]
pub(super) struct Published {
    by_handle: BTreeMap<u16, TrackKey>,
    by_name: HashSet<Named>,
    /// In the order of publication.
    infos: BTreeMap<TrackKey, Arc<DataTrackInfo>>,
    bytes: usize,
    last_wills: BTreeMap<TrackKey, Bytes>,
    last_will_bytes: usize,
}

impl Published {
    pub(super) fn insert(&mut self, key: TrackKey, info: Arc<DataTrackInfo>) {
        self.by_handle.insert(info.pub_handle, key);
        self.by_name.insert(Named(Arc::clone(&info)));
        self.bytes += entry_bytes(&info);
        self.infos.insert(key, info);
    }

    pub(super) fn remove(&mut self, key: TrackKey) -> Option<Arc<DataTrackInfo>> {
        let info = self.infos.remove(&key)?;
        self.by_handle.remove(&info.pub_handle);
        self.by_name.remove(info.name.as_str());
        self.bytes -= entry_bytes(&info);
        if let Some(will) = self.last_wills.remove(&key) {
            self.last_will_bytes -= will.len();
        }
        Some(info)
    }

    /// Keeps what a track's subscribers are to get if its publisher vanishes.
    pub(super) fn keep_last_will(&mut self, key: TrackKey, packet: Bytes) {
        self.last_will_bytes += packet.len();
        if let Some(former) = self.last_wills.insert(key, packet) {
            self.last_will_bytes -= former.len();
        }
    }

    pub(super) fn last_will(&self, key: TrackKey) -> Option<&Bytes> {
        self.last_wills.get(&key)
    }

    /// Bytes of all last wills.
    pub(super) fn last_will_bytes(&self) -> usize {
        self.last_will_bytes
    }

    pub(super) fn by_handle(&self, handle: u16) -> Option<TrackKey> {
        self.by_handle.get(&handle).copied()
    }

    pub(super) fn has_name(&self, name: &str) -> bool {
        self.by_name.contains(name)
    }

    pub(super) fn keys(&self) -> Vec<TrackKey> {
        self.infos.keys().copied().collect()
    }

    pub(super) fn list(&self) -> Vec<Arc<DataTrackInfo>> {
        self.infos.values().cloned().collect()
    }

    pub(super) fn len(&self) -> usize {
        self.infos.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.infos.is_empty()
    }

    /// About how long the list is on the wire.
    pub(super) fn list_bytes(&self) -> usize {
        self.bytes
    }
}

/// A track in a set of names.
#[derive(Debug)]
struct Named(Arc<DataTrackInfo>);

impl Borrow<str> for Named {
    fn borrow(&self) -> &str {
        &self.0.name
    }
}

impl Hash for Named {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name.hash(state);
    }
}

impl PartialEq for Named {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Named {}

fn entry_bytes(info: &DataTrackInfo) -> usize {
    let schema = info.schema.as_ref().map_or(0, |schema| schema.name.len() + ENTRY_BYTES);
    info.sid.len() + info.name.len() + schema + ENTRY_BYTES
}
