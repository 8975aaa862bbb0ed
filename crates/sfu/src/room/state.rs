//! A participant's own name, metadata and attributes, and the token that carries them on (protocol §2, §7).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use trackyard_proto::signal::{Echo, MetadataUpdate, Reason};

use super::Room;
use super::admission::attribute_bytes;
use super::io::Output;
use super::timers::Timer;
use crate::control::PeerId;

/// A fresh token is sent this often.
const REFRESH_INTERVAL: Duration = Duration::from_secs(300);
/// And after a change, but not more often than this: each costs a signature.
const REFRESH_PAUSE: Duration = Duration::from_secs(1);

/// An info up to this is told to its participant at once, however often it changes.
const OWN_UPDATE_BYTES: usize = 4_096;
/// Answers of one participant that wait for its own update; more go before it.
const OWED_MAX: usize = 64;
/// What they echo.
const OWED_BYTES: usize = 1024 * 1024;

/// Answers that wait until the participant has been told of its changes.
#[derive(Debug, Default)]
pub(super) struct Owed {
    answers: Vec<(u32, Echo)>,
    bytes: usize,
}

impl Owed {
    pub(super) fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// `false`: so much waits already.
    fn push(&mut self, request_id: u32, echo: &Echo, bytes: usize) -> bool {
        let fits = self.answers.len() < OWED_MAX && self.bytes + bytes <= OWED_BYTES;
        if fits {
            self.answers.push((request_id, echo.clone()));
            self.bytes += bytes;
        }
        fits
    }
}

/// What changes: name, metadata, attributes to merge.
pub(super) type StateChange = (Option<String>, Option<String>, BTreeMap<String, String>);

impl Room {
    /// A client changes its own state. It waits for the answer as well as for its own update, which comes first: some
    /// clients listen for an answer only once they have sent their request, and take the update for it.
    pub(super) fn update_metadata(&mut self, peer: PeerId, update: MetadataUpdate) {
        let MetadataUpdate { request_id, name, metadata, attributes, echo } = update;
        let change = (name, metadata, attributes);
        if let Err(how) = self.check_state(peer, &change) {
            return self.respond(peer, request_id, how, Some(echo));
        }
        let bytes = change_bytes(&change);
        self.change_state(peer, change);
        let Some(member) = self.members.get_mut(peer) else { return };
        // Long infos are paced, for who sends them too, and the answer waits for them.
        if member.info_bytes() > OWN_UPDATE_BYTES && member.owed.push(request_id, &echo, bytes) {
            return;
        }
        self.tell_only_self(peer);
        self.respond(peer, request_id, (Reason::Ok, ""), Some(echo));
    }

    /// The participant has been told of its changes: now it is told that they were made.
    pub(super) fn pay_answers(&mut self, peer: PeerId) {
        let owed = self.members.get_mut(peer).map(|member| std::mem::take(&mut member.owed));
        for (request_id, echo) in owed.unwrap_or_default().answers {
            self.respond(peer, request_id, (Reason::Ok, ""), Some(echo));
        }
    }

    /// Changes a participant's state; empty texts leave it as it is, empty attributes delete.
    pub(super) fn change_state(&mut self, peer: PeerId, (name, metadata, attributes): StateChange) {
        let Some(member) = self.members.get_mut(peer) else { return };
        let face = member.face_mut();
        face.name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| std::mem::take(&mut face.name));
        let metadata = metadata.filter(|metadata| !metadata.is_empty());
        face.metadata = metadata.unwrap_or_else(|| std::mem::take(&mut face.metadata));
        merge(&mut face.attributes, attributes);
        let (name, metadata, attributes) =
            (face.name.clone(), face.metadata.clone(), face.attributes.clone());
        let claims = &mut Arc::make_mut(&mut member.verified).claims;
        (claims.name, claims.metadata, claims.attributes) = (name, metadata, attributes);
        self.state_changed(peer);
        self.refresh_soon(peer);
    }

    /// Sends a fresh token and plans the next.
    pub(super) fn refresh_token(&mut self, peer: PeerId) {
        let now = self.now.instant;
        let Some(member) = self.members.get_mut(peer) else { return };
        self.timers.set(Timer::Refresh(peer), now + REFRESH_INTERVAL);
        if let Some(connection) = member.connection {
            member.refreshed_at = now;
            let verified = Arc::clone(&member.verified);
            self.outputs.push_back(Output::RefreshToken { connection, verified });
        }
    }

    /// The token is no longer what it should be.
    pub(super) fn refresh_soon(&mut self, peer: PeerId) {
        let Some(member) = self.members.get(peer) else { return };
        let at = self.now.instant.max(member.refreshed_at + REFRESH_PAUSE);
        self.timers.set_by(Timer::Refresh(peer), at);
    }

    fn check_state(&self, peer: PeerId, change: &StateChange) -> Result<(), (Reason, &'static str)> {
        let (name, metadata, attributes) = change;
        let limits = self.config.limits.state;
        let Some(face) = self.members.get(peer).map(super::member::Member::face) else {
            return Err((Reason::NotFound, "no such participant"));
        };
        if !face.permission.can_update_metadata {
            return Err((Reason::NotAllowed, "not allowed to change own name, metadata or attributes"));
        }
        if name.as_ref().is_some_and(|name| name.len() > limits.name_bytes) {
            return Err((Reason::LimitExceeded, "the name is too long"));
        }
        if metadata.as_ref().is_some_and(|metadata| metadata.len() > limits.metadata_bytes) {
            return Err((Reason::LimitExceeded, "the metadata is too long"));
        }
        if merged_bytes(&face.attributes, attributes) > limits.attributes_bytes {
            return Err((Reason::LimitExceeded, "the attributes are too long"));
        }
        Ok(())
    }
}

fn change_bytes((name, metadata, attributes): &StateChange) -> usize {
    let texts = [name, metadata].into_iter().flatten().map(String::len).sum::<usize>();
    texts + attribute_bytes(attributes)
}

fn merge(attributes: &mut BTreeMap<String, String>, change: BTreeMap<String, String>) {
    for (key, value) in change {
        if value.is_empty() {
            attributes.remove(&key);
        } else {
            attributes.insert(key, value);
        }
    }
}

/// What the attributes would count after the change, or the change alone if that is more.
pub(super) fn merged_bytes(
    attributes: &BTreeMap<String, String>,
    change: &BTreeMap<String, String>,
) -> usize {
    let kept = attributes.iter().filter(|(key, _)| !change.contains_key(*key));
    let kept: usize = kept.map(|(key, value)| key.len() + value.len()).sum();
    let set = change.iter().filter(|(_, value)| !value.is_empty());
    let set: usize = set.map(|(key, value)| key.len() + value.len()).sum();
    attribute_bytes(change).max(kept + set)
}
