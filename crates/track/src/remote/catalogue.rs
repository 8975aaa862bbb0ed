//! Which tracks there are, by the complete lists of their publishers (protocol §5.2).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use trackyard_proto::limits::NAME_BYTES;
use trackyard_proto::sid::SidKind;
use trackyard_proto::{DataTrackInfo, Encryption, ParticipantInfo, ParticipantState};

use super::{RemoteEvent, RemoteTrackId, RemoteTracks, SID_BYTES_MAX, Track};

/// A participant that publishes.
#[derive(Debug, Default)]
pub(super) struct Publisher {
    /// Of its session.
    sid: String,
    /// By sid.
    pub(super) tracks: BTreeMap<String, RemoteTrackId>,
}

/// What a track that is not published is known by. Encryption is a part of it: frames in the clear must
/// not take the place of frames that only a holder of the key can have sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Dormant {
    publisher: Arc<str>,
    name: String,
    is_encrypted: bool,
}

/// By what a new publication is recognised as one of before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Match {
    /// Handle, name and encryption: its publisher has published it anew (protocol §5.2).
    Publication,
    /// Name and encryption: this client has joined anew, and the publisher may have meanwhile.
    Name,
}

/// Handle if it counts, name, and whether it is encrypted.
type Key = (Option<u16>, String, bool);

impl Track {
    fn dormant(&self) -> Dormant {
        let is_encrypted = self.info.encryption != Encryption::None;
        Dormant { publisher: Arc::clone(&self.publisher), name: self.info.name.clone(), is_encrypted }
    }
}

impl RemoteTracks {
    /// A participant has changed, with the complete list of its tracks. Not to be told of this client's
    /// own participant.
    pub fn update(&mut self, participant: &ParticipantInfo, now: Instant) {
        if participant.state != ParticipantState::Disconnected {
            return self.replace(participant, Match::Publication, now);
        }
        // The end of an earlier session says nothing about a later one.
        let known = self.publishers.get(&participant.identity);
        if known.is_some_and(|known| known.sid == participant.sid) {
            self.left(&participant.identity, now);
        }
    }

    /// A participant is gone, with all its tracks.
    pub fn left(&mut self, publisher: &str, now: Instant) {
        let Some(gone) = self.publishers.remove(publisher) else { return };
        for id in gone.tracks.into_values() {
            self.unpublish(id, now);
        }
    }

    /// Another session has begun, the first or one in place of the one before, with these participants and
    /// no others. What was subscribed to is subscribed to anew, by its publisher's identity and its name.
    pub fn restart(&mut self, participants: &[Arc<ParticipantInfo>], now: Instant) {
        self.pause();
        self.routes.clear();
        for track in self.tracks.values_mut() {
            track.lose_handle();
        }
        let present = participants.iter().filter(|info| info.state != ParticipantState::Disconnected);
        let present: Vec<&ParticipantInfo> = present.map(AsRef::as_ref).collect();
        let identities: HashSet<&str> = present.iter().map(|info| info.identity.as_str()).collect();
        let mut absent: Vec<String> = self.publishers.keys().cloned().collect();
        absent.retain(|identity| !identities.contains(identity.as_str()));
        absent.sort_unstable();
        for identity in absent {
            self.left(&identity, now);
        }
        for participant in present {
            self.replace(participant, Match::Name, now);
        }
        self.resume(now);
    }

    fn replace(&mut self, participant: &ParticipantInfo, by: Match, now: Instant) {
        let infos = self.valid(participant);
        let publisher = self.publishers.entry(participant.identity.clone()).or_default();
        publisher.sid.clone_from(&participant.sid);
        let listed: HashSet<&str> = infos.iter().map(|info| info.sid.as_str()).collect();
        let (kept, gone) = std::mem::take(&mut publisher.tracks)
            .into_iter()
            .partition::<BTreeMap<_, _>, _>(|(sid, _)| listed.contains(sid.as_str()));
        publisher.tracks = kept;
        let mut gone = self.by_key(gone.into_values(), by);
        let mut new = Vec::new();
        for info in infos {
            if self.refresh(participant, info) {
                continue;
            }
            match gone.remove(&key(info, by)) {
                Some(id) => self.migrate(id, info, now),
                None => new.push(info),
            }
        }
        let mut gone: Vec<RemoteTrackId> = gone.into_values().collect();
        gone.sort_unstable();
        for id in gone {
            self.unpublish(id, now);
        }
        for info in new {
            self.announce(&participant.identity, info, now);
        }
    }

    /// The entries that keep to the protocol; others are counted.
    fn valid<'p>(&mut self, participant: &'p ParticipantInfo) -> Vec<&'p Arc<DataTrackInfo>> {
        let (mut sids, mut names, mut handles) = (HashSet::new(), HashSet::new(), HashSet::new());
        let mut infos = Vec::with_capacity(participant.data_tracks.len());
        for info in &participant.data_tracks {
            let is_first = sids.insert(info.sid.as_str())
                && names.insert(info.name.as_str())
                && handles.insert(info.pub_handle);
            if is_first && is_valid(info) {
                infos.push(info);
            } else {
                self.counters.invalid_infos += 1;
            }
        }
        infos
    }

    fn by_key(&self, ids: impl Iterator<Item = RemoteTrackId>, by: Match) -> HashMap<Key, RemoteTrackId> {
        let tracks = ids.filter_map(|id| self.tracks.get(&id));
        tracks.map(|track| (key(&track.info, by), track.id)).collect()
    }

    /// Takes over what is announced of a track that is known; `false` if it is not.
    fn refresh(&mut self, participant: &ParticipantInfo, info: &Arc<DataTrackInfo>) -> bool {
        let publisher = self.publishers.get(&participant.identity);
        let Some(id) = publisher.and_then(|publisher| publisher.tracks.get(&info.sid)) else { return false };
        if let Some(track) = self.tracks.get_mut(id)
            && (track.info.encryption, &track.info.name) == (info.encryption, &info.name)
        {
            track.info = Arc::clone(info);
        }
        true
    }

    fn migrate(&mut self, id: RemoteTrackId, info: &Arc<DataTrackInfo>, now: Instant) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        let old = std::mem::replace(&mut track.info, Arc::clone(info));
        let held = track.assembler.bytes();
        track.assembler.renew(now);
        self.routes.release(track.handle);
        track.lose_handle();
        self.delist(&old.sid, id);
        self.enlist(id);
        self.settle(id, held);
        self.event(RemoteEvent::Migrated { track: id, info: Arc::clone(info), old_sid: old.sid.clone() });
        self.ask(id, now);
        self.bind_early(id);
    }

    /// A track that was not published before, though perhaps under another sid.
    fn announce(&mut self, publisher: &str, info: &Arc<DataTrackInfo>, now: Instant) {
        let publisher: Arc<str> = publisher.into();
        let mut track = Track::new(RemoteTrackId(0), Arc::clone(&publisher), Arc::clone(info));
        let id = match self.dormant.remove(&track.dormant()) {
            Some(id) => {
                self.wake(id, info, now);
                id
            }
            None => {
                let id = RemoteTrackId(self.next_id());
                track.id = id;
                self.tracks.insert(id, track);
                id
            }
        };
        self.enlist(id);
        self.event(RemoteEvent::Published { track: id, publisher, info: Arc::clone(info) });
        self.ask(id, now);
        self.bind_early(id);
    }

    /// A track that slept is published again. What came under its old handle meanwhile says nothing about how it
    /// counts now.
    fn wake(&mut self, id: RemoteTrackId, info: &Arc<DataTrackInfo>, now: Instant) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        let held = track.assembler.bytes();
        track.assembler.renew(now);
        track.info = Arc::clone(info);
        track.is_announced = true;
        self.settle(id, held);
    }

    /// A track is no longer published: it sleeps if it is subscribed to, else it is forgotten.
    fn unpublish(&mut self, id: RemoteTrackId, now: Instant) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        let held = track.assembler.bytes();
        track.assembler.renew(now);
        if track.is_subscribed() && track.handle.is_some() {
            track.linger(now);
        } else {
            self.routes.release(track.handle);
            track.lose_handle();
        }
        track.is_announced = false;
        track.stop_waiting();
        self.settle(id, held);
        let Some(track) = self.tracks.get(&id) else { return };
        let (publisher, info) = (Arc::clone(&track.publisher), Arc::clone(&track.info));
        let sid = info.sid.clone();
        let event = RemoteEvent::Unpublished { track: id, publisher, info, stats: track.stats() };
        if track.is_subscribed() {
            self.dormant.insert(track.dormant(), id);
        } else {
            self.forget(id);
        }
        self.delist(&sid, id);
        self.event(event);
    }

    /// Takes a track out for good.
    pub(super) fn forget(&mut self, id: RemoteTrackId) {
        let Some(track) = self.tracks.remove(&id) else { return };
        self.bytes -= track.assembler.bytes();
        self.routes.release(track.handle);
        self.dormant.remove(&track.dormant());
        if let Some(at) = track.timer {
            self.timers.remove(&(at, id));
        }
    }

    fn enlist(&mut self, id: RemoteTrackId) {
        let Some(track) = self.tracks.get(&id) else { return };
        let publisher = self.publishers.entry(track.publisher.to_string()).or_default();
        publisher.tracks.insert(track.info.sid.clone(), id);
        self.by_sid.insert(track.info.sid.clone(), id);
    }

    fn delist(&mut self, sid: &str, id: RemoteTrackId) {
        if self.by_sid.get(sid) == Some(&id) {
            self.by_sid.remove(sid);
        }
    }
}

fn key(info: &DataTrackInfo, by: Match) -> Key {
    let handle = (by == Match::Publication).then_some(info.pub_handle);
    (handle, info.name.clone(), info.encryption != Encryption::None)
}

fn is_valid(info: &DataTrackInfo) -> bool {
    info.sid.starts_with(SidKind::DataTrack.prefix())
        && info.sid.len() <= SID_BYTES_MAX
        && info.pub_handle != 0
        && info.encryption != Encryption::Custom
        && (1..=NAME_BYTES).contains(&info.name.len())
}
