//! Which track the packets under a handle are of (protocol §5.3).

use std::collections::HashMap;

use trackyard_wire::Handle;

use crate::remote::RemoteTrackId;

/// Handles that are kept for tracks that have not been announced yet.
const EARLY_MAX: usize = 4_096;

/// Routes by handle, and handles that came before their track.
#[derive(Debug, Default)]
pub(super) struct Routes {
    tracks: HashMap<Handle, RemoteTrackId>,
    /// By sid.
    early: HashMap<String, Handle>,
}

impl Routes {
    pub(super) fn track(&self, handle: Handle) -> Option<RemoteTrackId> {
        self.tracks.get(&handle).copied()
    }

    /// Answers the track that had the handle before, if it was another one.
    pub(super) fn bind(&mut self, handle: Handle, track: RemoteTrackId) -> Option<RemoteTrackId> {
        self.tracks.insert(handle, track).filter(|before| *before != track)
    }

    /// The handle no longer stands for this track.
    pub(super) fn release(&mut self, handle: Option<Handle>) {
        if let Some(handle) = handle {
            self.tracks.remove(&handle);
        }
    }

    /// Keeps a handle until its track is announced; `false` if there is no place.
    pub(super) fn keep(&mut self, sid: &str, handle: Handle) -> bool {
        if self.early.len() >= EARLY_MAX && !self.early.contains_key(sid) {
            return false;
        }
        self.early.insert(sid.to_owned(), handle);
        true
    }

    /// The handle that came before its track.
    pub(super) fn announced(&mut self, sid: &str) -> Option<Handle> {
        if self.early.is_empty() { None } else { self.early.remove(sid) }
    }

    /// A new session has handles of its own.
    pub(super) fn clear(&mut self) {
        self.tracks.clear();
        self.early.clear();
    }
}
