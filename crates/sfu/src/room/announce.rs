//! When and how others are told what has changed about a participant (protocol §5.2, §7).
//!
//! An info always holds the complete list of data tracks, so publishing N tracks one by one would
//! cost N²; the next list waits until it has grown by a quarter or the last one is paid for. Every
//! change of a participant with tracks is paced like that. Those without come and go in batches.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use trackyard_proto::{DisconnectReason, ParticipantInfo, ParticipantState, Response};

use super::Room;
use super::member::Member;
use super::publish::Withdrawn;
use super::timers::Timer;
use crate::control::{PeerId, TrackKey};

/// A list may follow another after this, however short it is.
const PAUSE_MIN: Duration = Duration::from_millis(20);
/// A track is announced no later than this, unless the list is longer than a megabyte.
const PAUSE_MAX: Duration = Duration::from_millis(250);
/// What one participant's lists may cost each watcher, as long as [`PAUSE_MAX`] is kept.
const LIST_BYTES_PER_SECOND: u64 = 500_000;
/// What they may cost however long they are: lists of tens of thousands of tracks come less often.
const LIST_BYTES_PER_SECOND_MAX: u64 = 4_000_000;
/// Coming and going without publishing is told at most this often. The first of a burst is told at
/// once, so small rooms see it live, and a hundred joins still cost each watcher few messages.
const PRESENCE_PAUSE: Duration = Duration::from_millis(500);
/// However many come and go before however many watchers, it is told at least this often.
const PRESENCE_PAUSE_MAX: Duration = Duration::from_secs(3);
/// What batches may cost all watchers together; beyond it they come less often.
const PRESENCE_BYTES_PER_SECOND: u64 = 5_000_000;
/// Infos are put together up to this; a longer one goes alone.
const UPDATE_BYTES: usize = 128 * 1024;

/// What others have been told of one participant.
#[derive(Debug, Default)]
pub(super) struct Announced {
    /// When it was last told.
    at: Option<Instant>,
    /// How many tracks the last list held.
    tracks: usize,
    /// Published since.
    pending: Vec<TrackKey>,
    /// It is told itself, too.
    to_self: bool,
    /// Not before this: last wills of its tracks are on their way.
    held_until: Option<Instant>,
}

/// What is to be told when the room has handled its input.
#[derive(Debug, Default)]
pub(super) struct Announcements {
    due: BTreeSet<PeerId>,
    departed: Vec<Arc<ParticipantInfo>>,
    /// Those who came or went without publishing.
    presence: BTreeSet<PeerId>,
    presence_departed: Vec<Arc<ParticipantInfo>>,
    /// Not before this.
    presence_paid: Option<Instant>,
}

impl Announced {
    /// The next announcement goes to the participant, too.
    pub(super) fn tell_self(&mut self) {
        self.to_self = true;
    }

    /// Others are told nothing before this.
    pub(super) fn hold(&mut self, until: Instant) {
        self.held_until = Some(until);
    }

    /// Others have seen nothing of it yet, or were told that it has left.
    pub(super) fn forget(&mut self, tracks: Vec<TrackKey>) {
        self.tracks = 0;
        self.pending = tracks;
    }
}

impl Room {
    /// A track of this participant is new.
    pub(super) fn track_appeared(&mut self, peer: PeerId, track: TrackKey) {
        let Some(member) = self.members.get_mut(peer) else { return };
        member.announced.pending.push(track);
        let announced = member.announced.tracks;
        // Only growth counts, so that a track that comes and goes is paced.
        let growth = member.published.len().saturating_sub(announced);
        let at = if growth > 0 && growth * 4 >= announced { self.now.instant } else { self.paced(peer) };
        self.announce_at(peer, at);
    }

    /// A track of this participant is gone.
    pub(super) fn track_vanished(&mut self, peer: PeerId) {
        self.announce_at(peer, self.paced(peer));
    }

    /// Something about this participant has changed that it waits for itself.
    pub(super) fn state_changed(&mut self, peer: PeerId) {
        if let Some(member) = self.members.get_mut(peer) {
            member.announced.tell_self();
        }
        self.announce_at(peer, self.paced(peer));
    }

    /// The participant has come, or come further.
    pub(super) fn presence_changed(&mut self, peer: PeerId) {
        let publishes = self.members.get(peer).is_some_and(|member| !member.published.is_empty());
        if publishes {
            self.announce_at(peer, self.paced(peer));
        } else {
            self.announcements.presence.insert(peer);
            self.schedule_presence();
        }
    }

    /// The participant has left: others are told at once if it published, after its last wills if it left some,
    /// else with the next batch.
    pub(super) fn departed(&mut self, member: Member, reason: DisconnectReason, published: Withdrawn) {
        if member.is_hidden() {
            return;
        }
        let mut info = member.farewell();
        info.disconnect_reason = reason;
        match published {
            Withdrawn::Tracks => self.announcements.departed.push(Arc::new(info)),
            Withdrawn::WithLastWills => self.announce_after_last_wills(Arc::new(info)),
            Withdrawn::Nothing => {
                self.announcements.presence_departed.push(Arc::new(info));
                self.schedule_presence();
            }
        }
    }

    /// The participant is hidden from now on: others see it leave.
    pub(super) fn disappeared(&mut self, info: &ParticipantInfo) {
        let mut info = info.clone();
        info.state = ParticipantState::Disconnected;
        info.data_tracks = Vec::new();
        let others = self.members.iter().filter(|member| member.identity() != info.identity);
        let connections: Vec<_> = others.filter_map(|member| member.connection).collect();
        self.broadcast(connections, Response::Update(vec![Arc::new(info)]));
    }

    /// Others will see the new session of this identity; that an older one has left is no news any more.
    pub(super) fn forget_departure(&mut self, identity: &str) {
        self.announcements.departed.retain(|info| info.identity != identity);
        self.announcements.presence_departed.retain(|info| info.identity != identity);
        self.last_wills.forget_departure(identity);
    }

    /// Others are told now that these have left.
    pub(super) fn depart_now(&mut self, departed: impl IntoIterator<Item = Arc<ParticipantInfo>>) {
        self.announcements.departed.extend(departed);
    }

    /// Its timer has come.
    pub(super) fn announce_due(&mut self, peer: PeerId) {
        self.announcements.due.insert(peer);
    }

    /// The time for a batch of comings and goings has come.
    pub(super) fn presence_due(&mut self) {
        let pause = self.presence_pause();
        let announcements = &mut self.announcements;
        announcements.presence_paid = Some(self.now.instant + pause);
        announcements.due.append(&mut announcements.presence);
        announcements.departed.append(&mut announcements.presence_departed);
    }

    /// How long the batch that is about to be told lasts.
    fn presence_pause(&self) -> Duration {
        let Announcements { presence, presence_departed, .. } = &self.announcements;
        let came: usize =
            presence.iter().filter_map(|peer| self.members.get(*peer)).map(Member::info_bytes).sum();
        let went: usize = presence_departed.iter().map(|info| approximate_bytes(info)).sum();
        let bytes = (came + went) as u64 * self.members.len() as u64;
        let micros = bytes.saturating_mul(1_000_000) / PRESENCE_BYTES_PER_SECOND;
        Duration::from_micros(micros).clamp(PRESENCE_PAUSE, PRESENCE_PAUSE_MAX)
    }

    /// Sends what is due.
    pub(super) fn flush_announcements(&mut self) {
        let due = std::mem::take(&mut self.announcements.due);
        let mut infos = std::mem::take(&mut self.announcements.departed);
        let mut appeared = Vec::new();
        for peer in &due {
            infos.extend(self.announce(*peer, &mut appeared));
        }
        self.send_infos(infos);
        let owes = |peer: &PeerId| self.members.get(*peer).is_some_and(|member| !member.owed.is_empty());
        let owing: Vec<_> = due.into_iter().filter(owes).collect();
        owing.into_iter().for_each(|peer| self.pay_answers(peer));
        self.tracks_announced(&appeared);
    }

    fn announce_at(&mut self, peer: PeerId, at: Instant) {
        if at <= self.now.instant {
            self.announcements.due.insert(peer);
        } else {
            self.timers.set_by(Timer::Announce(peer), at);
        }
    }

    /// When what was last told about a participant is paid for.
    fn paced(&self, peer: PeerId) -> Instant {
        let now = self.now.instant;
        let Some(member) = self.members.get(peer) else { return now };
        let now = member.announced.held_until.map_or(now, |held| held.max(now));
        let Some(last) = member.announced.at else { return now };
        now.max(last + list_pause(member.info_bytes() as u64))
    }

    fn schedule_presence(&mut self) {
        let now = self.now.instant;
        match self.announcements.presence_paid {
            Some(paid) if paid > now => self.timers.set_by(Timer::Presence, paid),
            _ => self.timers.set(Timer::Presence, now),
        }
    }

    /// Takes what is to be told to all about one participant; a hidden one is told alone.
    fn announce(&mut self, peer: PeerId, appeared: &mut Vec<TrackKey>) -> Option<Arc<ParticipantInfo>> {
        self.timers.cancel(Timer::Announce(peer));
        self.announcements.presence.remove(&peer);
        let member = self.members.get_mut(peer)?;
        if member.is_hidden() {
            member.announced.pending.clear();
            if std::mem::take(&mut member.announced.to_self) {
                self.tell_self(peer);
            }
            return None;
        }
        let info = member.snapshot();
        member.announced.at = Some(self.now.instant);
        member.announced.tracks = info.data_tracks.len();
        appeared.append(&mut member.announced.pending);
        Some(info)
    }

    /// Tells a participant about itself.
    pub(super) fn tell_self(&mut self, peer: PeerId) {
        let Some(member) = self.members.get_mut(peer) else { return };
        let info = member.snapshot();
        self.tell(peer, Response::Update(vec![info]));
    }

    /// Tells a participant about itself; what others will be told is no news to it then.
    pub(super) fn tell_only_self(&mut self, peer: PeerId) {
        self.tell_self(peer);
        if let Some(member) = self.members.get_mut(peer) {
            member.announced.to_self = false;
        }
    }

    /// Splits infos into messages, never one info, and sends each encoded once.
    fn send_infos(&mut self, infos: Vec<Arc<ParticipantInfo>>) {
        let mut message = Vec::new();
        let mut bytes = 0;
        for info in infos {
            let length = approximate_bytes(&info);
            if bytes + length > UPDATE_BYTES && !message.is_empty() {
                self.send_update(std::mem::take(&mut message));
                bytes = 0;
            }
            bytes += length;
            message.push(info);
        }
        if !message.is_empty() {
            self.send_update(message);
        }
    }

    fn send_update(&mut self, infos: Vec<Arc<ParticipantInfo>>) {
        let mut skipped = None;
        for info in &infos {
            let subject =
                self.members.by_identity(&info.identity).and_then(|peer| self.members.get_mut(peer));
            let Some(member) = subject else { continue };
            let to_self = std::mem::take(&mut member.announced.to_self);
            // Lists of its own tracks are no news to a publisher.
            if !to_self && infos.len() == 1 {
                skipped = Some(member.peer);
            }
        }
        let watchers = self.members.iter().filter(|member| Some(member.peer) != skipped);
        let connections: Vec<_> = watchers.filter_map(|member| member.connection).collect();
        self.broadcast(connections, Response::Update(infos));
    }

    fn tracks_announced(&mut self, appeared: &[TrackKey]) {
        for key in appeared {
            let Some(track) = self.tracks.get_mut(*key) else { continue };
            track.announced_at = Some(self.now.instant);
            for subscriber in std::mem::take(&mut track.unannounced) {
                self.advance(subscriber, *key);
            }
        }
    }
}

/// How long a list of so many bytes lasts.
fn list_pause(bytes: u64) -> Duration {
    let at_most =
        Duration::from_micros(bytes * 1_000_000 / LIST_BYTES_PER_SECOND).clamp(PAUSE_MIN, PAUSE_MAX);
    at_most.max(Duration::from_micros(bytes * 1_000_000 / LIST_BYTES_PER_SECOND_MAX))
}

fn approximate_bytes(info: &ParticipantInfo) -> usize {
    let attributes: usize = info.attributes.iter().map(|(key, value)| key.len() + value.len() + 8).sum();
    let tracks: usize = info.data_tracks.iter().map(|track| track.sid.len() + track.name.len() + 24).sum();
    info.identity.len() + info.name.len() + info.metadata.len() + attributes + tracks + 96
}
