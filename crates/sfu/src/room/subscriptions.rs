//! The data subscriptions of one participant: what it wants, and what it has got.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Instant;

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
    /// Served, and to be told not before the time beside it.
    pub(super) delayed: Vec<(Instant, TrackKey)>,
}

/// One subscription to a known track.
#[derive(Debug, Default)]
pub(super) struct Subscription {
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
}

impl Subscriptions {
    pub(super) fn new(first_handle: u8) -> Self {
        Self {
            by_track: BTreeMap::new(),
            pending: Pending::default(),
            handles: Handles::new(first_handle),
            ready: Vec::new(),
            delayed: Vec::new(),
        }
    }

    pub(super) fn route(&self, track: TrackKey) -> Option<SubscriptionRoute> {
        self.by_track.get(&track)?.route
    }
}

/// Wanted sids that no track has, oldest first.
#[derive(Debug, Default)]
pub(super) struct Pending {
    until: HashMap<String, Instant>,
    queue: VecDeque<(Instant, String)>,
}

impl Pending {
    /// Waits for a sid, unless that many are waited for already.
    pub(super) fn insert(&mut self, sid: String, until: Instant, max: usize) -> bool {
        if self.until.contains_key(&sid) {
            return true;
        }
        // The queue also holds what is no longer wanted, until its time comes.
        if self.queue.len() >= max {
            return false;
        }
        self.until.insert(sid.clone(), until);
        self.queue.push_back((until, sid));
        true
    }

    /// No longer waits for it; `false`: it did not.
    pub(super) fn remove(&mut self, sid: &str) -> bool {
        self.until.remove(sid).is_some()
    }

    /// Gives up what has waited until now and counts it.
    pub(super) fn expire(&mut self, now: Instant) -> u64 {
        let mut expired = 0;
        while self.next().is_some_and(|until| until <= now) {
            let Some((until, sid)) = self.queue.pop_front() else { break };
            if self.until.get(&sid) == Some(&until) {
                self.until.remove(&sid);
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
