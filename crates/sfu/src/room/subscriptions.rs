//! The data subscriptions of one participant: what it wants, and what it has got.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Instant;

use trackyard_proto::signal::SubscriptionOptions;
use trackyard_wire::Handle;

use super::handles::Handles;
use super::routes::RouteVersion;
use crate::control::TrackKey;

/// What a participant wants, and what it has got.
#[derive(Debug)]
pub(super) struct Subscriptions {
    /// Wanted, and known.
    pub(super) by_track: BTreeMap<TrackKey, Subscription>,
    /// Wanted, and not known yet.
    pub(super) pending: Pending,
    pub(super) handles: Handles,
    /// Served, and to be told with the next message.
    pub(super) ready: Vec<TrackKey>,
    /// Served, and not before the time beside it to be told, or if they have been told to flow.
    pub(super) delayed: Vec<(Instant, TrackKey)>,
    /// When it was told a handle last.
    pub(super) told_at: Option<Instant>,
}

/// One subscription to a known track.
#[derive(Debug, Default)]
pub(super) struct Subscription {
    /// How its frames are wanted.
    pub(super) options: SubscriptionOptions,
    /// The subscriber was told that it may not have the track.
    pub(super) told_denied: bool,
    /// Packets are to flow.
    pub(super) route: Option<SubscriptionRoute>,
}

/// A subscription that has a handle.
#[derive(Debug, Clone, Copy)]
pub(super) struct SubscriptionRoute {
    pub(super) handle: Handle,
    pub(super) version: RouteVersion,
    /// Its routes serve and its track is announced: the subscriber may be told the handle.
    pub(super) served: bool,
    /// The subscriber was told the handle.
    pub(super) told: bool,
    /// Its worker was told that packets may flow.
    pub(super) flows: bool,
}

impl Subscriptions {
    pub(super) fn new(first_handle: u8) -> Self {
        Self {
            by_track: BTreeMap::new(),
            pending: Pending::default(),
            handles: Handles::new(first_handle),
            ready: Vec::new(),
            delayed: Vec::new(),
            told_at: None,
        }
    }

    pub(super) fn route(&self, track: TrackKey) -> Option<SubscriptionRoute> {
        self.by_track.get(&track)?.route
    }
}

/// Wanted sids that no track has, oldest first.
#[derive(Debug, Default)]
pub(super) struct Pending {
    wishes: HashMap<String, Wish>,
    queue: VecDeque<(Instant, String)>,
}

/// A wish for a track that is not known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    /// When it is given up.
    pub(super) until: Instant,
    /// How its frames are wanted.
    pub(super) options: SubscriptionOptions,
}

impl Pending {
    /// Waits for a sid, unless that many are waited for already.
    pub(super) fn insert(&mut self, sid: String, wish: Wish, max: usize) -> bool {
        if let Some(known) = self.wishes.get_mut(&sid) {
            known.options = wish.options;
            return true;
        }
        // The queue also holds what is no longer wanted, until its time comes.
        if self.queue.len() >= max {
            return false;
        }
        self.wishes.insert(sid.clone(), wish);
        self.queue.push_back((wish.until, sid));
        true
    }

    /// No longer waits for it; `None`: it did not.
    pub(super) fn remove(&mut self, sid: &str) -> Option<Wish> {
        self.wishes.remove(sid)
    }

    /// Gives up what has waited until now and counts it.
    pub(super) fn expire(&mut self, now: Instant) -> u64 {
        let mut expired = 0;
        while self.next().is_some_and(|until| until <= now) {
            let Some((until, sid)) = self.queue.pop_front() else { break };
            if self.wishes.get(&sid).is_some_and(|wish| wish.until == until) {
                self.wishes.remove(&sid);
                expired += 1;
            }
        }
        expired
    }

    /// When the oldest is given up.
    pub(super) fn next(&self) -> Option<Instant> {
        self.queue.front().map(|(until, _)| *until)
    }
}
