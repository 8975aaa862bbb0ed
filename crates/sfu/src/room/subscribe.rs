//! Subscribing to data tracks (protocol §5.3).
//!
//! What a participant wants is kept apart from what it may have: a subscription that is forbidden
//! stays wanted and comes back with the permission, under a new handle.

use std::time::{Duration, Instant};

use trackyard_proto::Response;
use trackyard_proto::signal::{DataSubscription, PublishedTrack, Reason, SubscriberHandle};
use trackyard_wire::Handle;

use super::Room;
use super::member::Member;
use super::routes::{RouteVersion, Waiter};
use super::subscriptions::{Subscription, SubscriptionRoute};
use super::timers::Timer;
use super::track::{Track, TrackHop};
use crate::control::{Hop, PeerId, RouteChange, TrackKey, WorkerId};

/// A track that nobody knows may still appear within this.
const PENDING_MAX: Duration = Duration::from_secs(60);
/// Clients with one short queue for everything need this between an announcement and its handles.
const PACED_PAUSE: Duration = Duration::from_millis(10);
/// Handles that go into one message; clients merge them.
const HANDLES_PER_MESSAGE: usize = 2_000;

/// What stands before a handle may be told.
enum Obstacle {
    Route(RouteVersion),
    Announcement,
    Until(Instant),
}

impl Room {
    /// A client changes what it wants.
    pub(super) fn update_subscriptions(&mut self, peer: PeerId, updates: Vec<DataSubscription>) {
        for DataSubscription { track_sid, subscribe, .. } in updates {
            if subscribe {
                self.want(peer, track_sid);
            } else {
                self.no_longer_want(peer, &track_sid);
            }
        }
    }

    /// Brings a subscription to what is permitted now.
    pub(super) fn reconcile(&mut self, peer: PeerId, key: TrackKey) {
        let Some((member, track)) = self.pair(peer, key) else { return };
        let Some(subscription) = member.subscriptions.by_track.get(&key) else { return };
        let admitted = self.is_admitted(member, track);
        let allowed = admitted && member.face().permission.can_subscribe && self.is_visible_to(track, peer);
        match (allowed, subscription.route) {
            (true, None) => self.start(peer, key),
            (false, Some(route)) => self.stop(peer, key, route),
            _ => {}
        }
        self.tell_admission(peer, key, admitted);
    }

    /// Everything a participant wants, after a change of what it may do.
    pub(super) fn reconcile_subscriber(&mut self, peer: PeerId) {
        let Some(member) = self.members.get(peer) else { return };
        let keys: Vec<_> = member.subscriptions.by_track.keys().copied().collect();
        keys.into_iter().for_each(|key| self.reconcile(peer, key));
    }

    /// Everyone who wants something of a publisher, after a change of whom it admits.
    pub(super) fn reconcile_publisher(&mut self, peer: PeerId) {
        let keys = self.members.get(peer).map(|member| member.published.keys()).unwrap_or_default();
        for key in keys {
            let wanted = self.tracks.get(key).map(|track| track.wanted.clone()).unwrap_or_default();
            wanted.into_iter().for_each(|subscriber| self.reconcile(subscriber, key));
        }
    }

    /// A track is new: someone may have asked for it already.
    pub(super) fn satisfy_pending(&mut self, key: TrackKey) {
        let Some(sid) = self.tracks.get(key).map(|track| track.info.sid.clone()) else { return };
        for peer in self.pending.clone() {
            let member = self.members.get_mut(peer);
            if member.is_some_and(|member| member.subscriptions.pending.remove(&sid)) {
                self.want(peer, sid.clone());
            }
        }
    }

    /// The oldest wishes for unknown tracks have waited long enough.
    pub(super) fn pending_due(&mut self, peer: PeerId) {
        let Some(member) = self.members.get_mut(peer) else { return };
        let pending = &mut member.subscriptions.pending;
        self.counters.subscriptions_expired += pending.expire(self.now.instant);
        match pending.next() {
            Some(next) => self.timers.set(Timer::Pending(peer), next),
            None => drop(self.pending.remove(&peer)),
        }
    }

    /// A participant leaves: nothing is wanted any more.
    pub(super) fn withdraw_subscriptions(&mut self, peer: PeerId) {
        self.pending.remove(&peer);
        self.ready.remove(&peer);
        let Some(member) = self.members.get(peer) else { return };
        let keys: Vec<_> = member.subscriptions.by_track.keys().copied().collect();
        keys.into_iter().for_each(|key| self.drop_subscription(peer, key));
    }

    /// A track is gone, its routes with it.
    pub(super) fn lose_track(&mut self, peer: PeerId, key: TrackKey) {
        let Some(member) = self.members.get_mut(peer) else { return };
        let route = member.subscriptions.by_track.remove(&key).and_then(|subscription| subscription.route);
        if let Some(route) = route {
            member.subscriptions.handles.release(route.handle);
        }
    }

    /// A worker has applied routes: handles may be told.
    pub(super) fn routes_applied(&mut self, version: RouteVersion) {
        for waiter in self.routes.apply(version) {
            let Waiter { subscriber, track, handle } = waiter;
            let route = self.members.get(subscriber).and_then(|member| member.subscriptions.route(track));
            if route.is_some_and(|route| route.handle == handle) {
                self.advance(subscriber, track);
            }
        }
    }

    /// Takes a subscription as far as it can go towards its handle being told.
    pub(super) fn advance(&mut self, peer: PeerId, key: TrackKey) {
        let Some((member, track)) = self.pair(peer, key) else { return };
        let Some(route) = member.subscriptions.route(key).filter(|route| !route.served) else { return };
        let obstacle = self.obstacle(member, track, route);
        match obstacle {
            Some(Obstacle::Route(version)) => {
                self.routes.wait(version, Waiter { subscriber: peer, track: key, handle: route.handle });
            }
            Some(Obstacle::Announcement) => {
                self.tracks.get_mut(key).into_iter().for_each(|track| track.unannounced.push(peer));
            }
            Some(Obstacle::Until(at)) => self.delay(peer, key, at),
            None => self.serve_subscription(peer, key),
        }
    }

    /// Handles that had to wait may be told.
    pub(super) fn delayed_handles_due(&mut self, peer: PeerId) {
        let Some(member) = self.members.get_mut(peer) else { return };
        for (_, key) in std::mem::take(&mut member.subscriptions.delayed) {
            self.advance(peer, key);
        }
    }

    /// Tells each subscriber its new handles, together.
    pub(super) fn flush_handles(&mut self) {
        for peer in std::mem::take(&mut self.ready) {
            let ready =
                self.members.get_mut(peer).map(|member| std::mem::take(&mut member.subscriptions.ready));
            self.send_handles(peer, ready.unwrap_or_default());
        }
    }

    /// Tells a subscriber that came back all handles again: the last ones may have been lost on the way.
    pub(super) fn repeat_handles(&mut self, peer: PeerId) {
        let Some(member) = self.members.get_mut(peer) else { return };
        let all = member.subscriptions.by_track.iter();
        let served = all.filter(|(_, subscription)| subscription.route.is_some_and(|route| route.served));
        member.subscriptions.ready = served.map(|(key, _)| *key).collect();
        self.ready.insert(peer);
    }

    fn want(&mut self, peer: PeerId, sid: String) {
        let known = self.tracks.by_sid(&sid);
        let known =
            known.filter(|key| self.tracks.get(*key).is_some_and(|track| self.is_visible_to(track, peer)));
        let Some(key) = known else { return self.await_track(peer, sid) };
        let Some(member) = self.members.get_mut(peer) else { return };
        if member.subscriptions.by_track.contains_key(&key) {
            return;
        }
        member.subscriptions.by_track.insert(key, Subscription::default());
        if let Some(track) = self.tracks.get_mut(key) {
            track.wanted.insert(peer);
        }
        self.reconcile(peer, key);
    }

    fn await_track(&mut self, peer: PeerId, sid: String) {
        let until = self.now.instant + PENDING_MAX;
        let max = self.config.limits.pending_subscriptions;
        let Some(member) = self.members.get_mut(peer) else { return };
        self.counters.subscriptions_unknown += 1;
        if member.subscriptions.pending.insert(sid, until, max) {
            self.pending.insert(peer);
            self.timers.set_by(Timer::Pending(peer), until);
        } else {
            self.counters.subscriptions_dropped += 1;
        }
    }

    fn no_longer_want(&mut self, peer: PeerId, sid: &str) {
        if let Some(member) = self.members.get_mut(peer) {
            member.subscriptions.pending.remove(sid);
        }
        if let Some(key) = self.tracks.by_sid(sid) {
            self.drop_subscription(peer, key);
        }
    }

    fn drop_subscription(&mut self, peer: PeerId, key: TrackKey) {
        let route = self.members.get(peer).and_then(|member| member.subscriptions.route(key));
        if let Some(route) = route {
            self.stop(peer, key, route);
        }
        if let Some(member) = self.members.get_mut(peer) {
            member.subscriptions.by_track.remove(&key);
        }
        if let Some(track) = self.tracks.get_mut(key) {
            track.wanted.remove(&peer);
            track.unannounced.retain(|waiting| *waiting != peer);
        }
    }

    /// Gives a subscription a handle and asks the workers for its routes.
    fn start(&mut self, peer: PeerId, key: TrackKey) {
        let Some(member) = self.members.get_mut(peer) else { return };
        let worker = member.worker;
        let Some(handle) = member.subscriptions.handles.allocate() else { return self.exhausted(peer) };
        let Some(rules) = self.tracks.get(key).map(|track| track.lane) else { return };
        let subscribe = RouteChange::Subscribe { track: key, subscriber: peer, handle, rules };
        let version = self.routes.push(worker, subscribe);
        self.lead_to(worker, key);
        self.counters.subscriptions += 1;
        self.set_route(peer, key, Some(SubscriptionRoute { handle, version, served: false }));
        self.advance(peer, key);
    }

    fn stop(&mut self, peer: PeerId, key: TrackKey, route: SubscriptionRoute) {
        let Some(member) = self.members.get_mut(peer) else { return };
        let worker = member.worker;
        member.subscriptions.handles.release(route.handle);
        self.set_route(peer, key, None);
        self.routes.push(worker, RouteChange::Unsubscribe { track: key, subscriber: peer });
        self.no_longer_lead_to(worker, key);
    }

    fn exhausted(&mut self, peer: PeerId) {
        self.counters.handles_exhausted += 1;
        let how = (Reason::LimitExceeded, "65535 data tracks are subscribed to; unsubscribe from some first");
        self.respond(peer, 0, how, None);
    }

    fn set_route(&mut self, peer: PeerId, key: TrackKey, route: Option<SubscriptionRoute>) {
        let member = self.members.get_mut(peer);
        if let Some(subscription) = member.and_then(|member| member.subscriptions.by_track.get_mut(&key)) {
            subscription.route = route;
        }
    }

    /// The publisher's worker sends the track to another worker as long as someone there has it.
    fn lead_to(&mut self, worker: WorkerId, key: TrackKey) {
        let Some(track) = self.tracks.get_mut(key).filter(|track| track.added.worker != worker) else {
            return;
        };
        if let Some(hop) = track.hops.get_mut(&worker) {
            hop.subscribers += 1;
            return;
        }
        let change = RouteChange::AddHop { track: key, hop: Hop::Worker(worker) };
        let version = self.routes.push(track.added.worker, change);
        track.hops.insert(worker, TrackHop { version, subscribers: 1 });
    }

    fn no_longer_lead_to(&mut self, worker: WorkerId, key: TrackKey) {
        let Some(track) = self.tracks.get_mut(key) else { return };
        let Some(hop) = track.hops.get_mut(&worker) else { return };
        hop.subscribers -= 1;
        if hop.subscribers == 0 {
            track.hops.remove(&worker);
            let change = RouteChange::RemoveHop { track: key, hop: Hop::Worker(worker) };
            self.routes.push(track.added.worker, change);
        }
    }

    fn obstacle(&self, member: &Member, track: &Track, route: SubscriptionRoute) -> Option<Obstacle> {
        let hop = track.hops.get(&member.worker).map(|hop| hop.version);
        let routes = [Some(route.version), Some(track.added), hop];
        if let Some(version) = routes.into_iter().flatten().find(|version| !self.routes.serves(*version)) {
            return Some(Obstacle::Route(version));
        }
        let Some(known_at) = known_at(member, track) else { return Some(Obstacle::Announcement) };
        let at = known_at + PACED_PAUSE;
        (member.paced && self.now.instant < at).then_some(Obstacle::Until(at))
    }

    fn delay(&mut self, peer: PeerId, key: TrackKey, at: Instant) {
        let Some(member) = self.members.get_mut(peer) else { return };
        member.subscriptions.delayed.push((at, key));
        self.timers.set_by(Timer::Handles(peer), at);
    }

    fn serve_subscription(&mut self, peer: PeerId, key: TrackKey) {
        let Some(member) = self.members.get_mut(peer) else { return };
        let Some(subscription) = member.subscriptions.by_track.get_mut(&key) else { return };
        let Some(route) = &mut subscription.route else { return };
        route.served = true;
        // Who is away now is told everything on its return.
        if member.connection.is_some() {
            member.subscriptions.ready.push(key);
            self.ready.insert(peer);
        }
    }

    fn send_handles(&mut self, peer: PeerId, mut keys: Vec<TrackKey>) {
        // One that was stopped and started again within this input may be there twice.
        keys.sort_unstable();
        keys.dedup();
        let handles: Vec<_> = keys.iter().filter_map(|key| self.subscriber_handle(peer, *key)).collect();
        for some in handles.chunks(HANDLES_PER_MESSAGE) {
            self.tell(peer, Response::SubscriberHandles(some.to_vec()));
        }
    }

    fn subscriber_handle(&self, peer: PeerId, key: TrackKey) -> Option<SubscriberHandle> {
        let (member, track) = self.pair(peer, key)?;
        let route = member.subscriptions.route(key).filter(|route| route.served)?;
        let publisher = self.members.get(track.publisher)?;
        let track = PublishedTrack {
            publisher_identity: publisher.identity().to_owned(),
            publisher_sid: publisher.sid().to_owned(),
            track_sid: track.info.sid.clone(),
        };
        Some(SubscriberHandle { handle: Handle::get(route.handle), track })
    }

    /// Says whether the publisher and the token admit a subscriber, when that has changed.
    fn tell_admission(&mut self, peer: PeerId, key: TrackKey, admitted: bool) {
        let Some(subscription) =
            self.members.get_mut(peer).and_then(|member| member.subscriptions.by_track.get_mut(&key))
        else {
            return;
        };
        if std::mem::replace(&mut subscription.told_denied, !admitted) != admitted {
            return;
        }
        let Some(track) = self.tracks.get(key) else { return };
        let Some(publisher) = self.members.get(track.publisher) else { return };
        let (participant_sid, track_sid) = (publisher.sid().to_owned(), track.info.sid.clone());
        self.tell(
            peer,
            Response::SubscriptionPermissionUpdate { participant_sid, track_sid, allowed: admitted },
        );
    }

    fn is_admitted(&self, member: &Member, track: &Track) -> bool {
        let Some(publisher) = self.members.get(track.publisher) else { return false };
        let sid = &track.info.sid;
        let by_publisher =
            member.is_recorder() || publisher.audience.admits(member.sid(), member.identity(), sid);
        by_publisher && member.verified.claims.trackyard.may_subscribe(&track.info.name)
    }

    fn is_visible_to(&self, track: &Track, peer: PeerId) -> bool {
        track.publisher == peer || self.members.get(track.publisher).is_some_and(|member| !member.is_hidden())
    }

    fn pair(&self, peer: PeerId, key: TrackKey) -> Option<(&Member, &Track)> {
        Some((self.members.get(peer)?, self.tracks.get(key)?))
    }
}

/// When a subscriber was told of a track, if it was.
fn known_at(member: &Member, track: &Track) -> Option<Instant> {
    let (serial, at) = member.seen;
    if track.publisher == member.peer || track.serial <= serial { Some(at) } else { track.announced_at }
}
