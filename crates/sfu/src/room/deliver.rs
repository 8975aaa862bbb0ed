//! From a permitted subscription to its handle: routes, their confirmation, the announcement, the message.

use std::sync::Arc;
use std::time::{Duration, Instant};

use trackyard_lanes::LaneRules;
use trackyard_proto::Response;
use trackyard_proto::signal::{PublishedTrack, Reason, SubscriberHandle};

use super::Room;
use super::member::Member;
use super::notice::News;
use super::routes::{RouteVersion, Waiter};
use super::subscriptions::SubscriptionRoute;
use super::timers::Timer;
use super::track::{Track, TrackHop};
use crate::control::{Hop, PeerId, RouteChange, TrackKey, WorkerId};

/// Clients with one short queue for everything need this between an announcement and its handles.
const PACED_PAUSE: Duration = Duration::from_millis(10);
/// A handle goes over the signal connection and packets over another. What a latched track has kept is sent once, to who
/// may know nothing else of the track for long, so it must not overtake the handle.
const LATCHED_PAUSE: Duration = Duration::from_millis(50);
/// So many flow in each such pause, and the first not before a pause without a new handle: a browser that subscribes to a
/// thousand tracks at once takes its handles in only after hundreds of milliseconds, and drops what comes before.
const LATCHED_PER_PAUSE: usize = 100;
/// They wait no longer for such a pause.
const LATCHED_WAIT_MAX: Duration = Duration::from_secs(1);
/// Handles that go into one message; clients merge them.
const HANDLES_PER_MESSAGE: usize = 2_000;

/// What stands before a handle may be told.
enum Obstacle {
    Route(RouteVersion),
    Announcement,
    Until(Instant),
}

impl Room {
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
        self.lead_on(peer, key);
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
            Some(Obstacle::Until(at)) => self.delay(peer, key, at, at),
            None => self.serve_subscription(peer, key),
        }
    }

    /// Handles that had to wait may be told, and packets that had to wait behind them may flow.
    pub(super) fn delayed_handles_due(&mut self, peer: PeerId) {
        let Some(member) = self.members.get_mut(peer) else { return };
        let quiet_at = member.subscriptions.told_at.map(|at| at + LATCHED_PAUSE);
        for (at, key) in std::mem::take(&mut member.subscriptions.delayed) {
            let route = self.members.get(peer).and_then(|member| member.subscriptions.route(key));
            let due = at.max(quiet_at.unwrap_or(at).min(at + LATCHED_WAIT_MAX));
            match route.is_some_and(|route| route.told) {
                true if due <= self.now.instant => self.let_flow(peer, key),
                true => self.delay(peer, key, at, due),
                false => self.advance(peer, key),
            }
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

    /// Gives a subscription a handle and asks the workers for its routes.
    pub(super) fn start(&mut self, peer: PeerId, key: TrackKey) {
        let Some(worker) = self.members.get(peer).map(|member| member.worker) else { return };
        let Some(rules) = self.rules(peer, key) else { return };
        let Some(publisher) = self.tracks.get(key).map(|track| track.publisher) else { return };
        let Some(member) = self.members.get_mut(peer) else { return };
        let Some(handle) = member.subscriptions.handles.allocate() else { return self.exhausted(peer) };
        let subscribe = RouteChange::Subscribe { track: key, publisher, subscriber: peer, handle, rules };
        let version = self.route(worker, subscribe);
        self.lead_to(version, key);
        self.counters.subscriptions += 1;
        if let Some(track) = self.tracks.get(key) {
            let info = Arc::clone(&track.info);
            self.notice(peer, News::Subscribed(info));
        }
        self.set_route(
            peer,
            key,
            Some(SubscriptionRoute { handle, version, served: false, told: false, flows: false }),
        );
        self.advance(peer, key);
    }

    /// The subscriber wants its frames otherwise: the same lane under other rules, so that nothing is lost and what
    /// it has had is not sent again.
    pub(super) fn reschedule(&mut self, peer: PeerId, key: TrackKey) {
        let Some(member) = self.members.get(peer) else { return };
        let worker = member.worker;
        if member.subscriptions.route(key).is_none() {
            return;
        }
        let Some(rules) = self.rules(peer, key) else { return };
        self.route(worker, RouteChange::Reschedule { track: key, subscriber: peer, rules });
    }

    /// How the subscriber's frames of the track are scheduled.
    fn rules(&self, peer: PeerId, key: TrackKey) -> Option<LaneRules> {
        let (member, track) = self.pair(peer, key)?;
        Some(track.schedule.lane(member.subscriptions.by_track.get(&key)?.options))
    }

    /// Ends a subscription's routes; its handle is free again.
    pub(super) fn stop(&mut self, peer: PeerId, key: TrackKey, route: SubscriptionRoute) {
        let Some(member) = self.members.get_mut(peer) else { return };
        let worker = member.worker;
        member.subscriptions.handles.release(route.handle);
        self.set_route(peer, key, None);
        self.route(worker, RouteChange::Unsubscribe { track: key, subscriber: peer });
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

    /// The publisher's worker sends the track to another worker as long as someone there has it. If the track is
    /// latched, it is asked only when the subscriber there is served: the first that it sends is what was kept.
    fn lead_to(&mut self, served: RouteVersion, key: TrackKey) {
        let worker = served.worker;
        let Some(track) = self.tracks.get_mut(key).filter(|track| track.added.worker != worker) else {
            return;
        };
        if let Some(hop) = track.hops.get_mut(&worker) {
            hop.subscribers += 1;
            return;
        }
        track.hops.insert(worker, TrackHop { version: served, is_led: false, subscribers: 1 });
        if !track.schedule.is_latched() {
            self.lead(worker, key);
        }
    }

    /// What leading a latched track to the subscriber's worker waits for may serve by now.
    fn lead_on(&mut self, peer: PeerId, key: TrackKey) {
        let Some((member, track)) = self.pair(peer, key) else { return };
        let worker = member.worker;
        let hop = track.hops.get(&worker).filter(|hop| !hop.is_led);
        if hop.is_some_and(|hop| self.routes.serves(hop.version)) {
            self.lead(worker, key);
        }
    }

    fn lead(&mut self, worker: WorkerId, key: TrackKey) {
        let Some(publishers) = self.tracks.get(key).map(|track| track.added.worker) else { return };
        let version = self.route(publishers, RouteChange::AddHop { track: key, hop: Hop::Worker(worker) });
        if let Some(hop) = self.tracks.get_mut(key).and_then(|track| track.hops.get_mut(&worker)) {
            (hop.version, hop.is_led) = (version, true);
        }
    }

    fn no_longer_lead_to(&mut self, worker: WorkerId, key: TrackKey) {
        let Some(track) = self.tracks.get_mut(key) else { return };
        let Some(hop) = track.hops.get_mut(&worker) else { return };
        hop.subscribers -= 1;
        if hop.subscribers > 0 {
            return;
        }
        let publishers = track.added.worker;
        let is_led = track.hops.remove(&worker).is_some_and(|hop| hop.is_led);
        if is_led {
            self.route(publishers, RouteChange::RemoveHop { track: key, hop: Hop::Worker(worker) });
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

    /// Looks at it again when it is due, which what happens meanwhile may put off.
    fn delay(&mut self, peer: PeerId, key: TrackKey, at: Instant, due: Instant) {
        let Some(member) = self.members.get_mut(peer) else { return };
        member.subscriptions.delayed.push((at, key));
        self.timers.set_by(Timer::Handles(peer), due);
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
        // Who has gone meanwhile hears nothing; it is told everything on its return.
        if self.members.get(peer).is_none_or(|member| member.connection.is_none()) {
            return;
        }
        // One that was stopped and started again within this input may be there twice.
        keys.sort_unstable();
        keys.dedup();
        let handles: Vec<_> = keys.iter().filter_map(|key| self.subscriber_handle(peer, *key)).collect();
        for some in handles.chunks(HANDLES_PER_MESSAGE) {
            self.tell(peer, Response::SubscriberHandles(some.to_vec()));
        }
        keys.into_iter().for_each(|key| self.told(peer, key));
    }

    /// The subscriber has been told the handle: its packets may come, those of a latched track a little later.
    fn told(&mut self, peer: PeerId, key: TrackKey) {
        let is_latched = self.tracks.get(key).is_some_and(|track| track.schedule.is_latched());
        let Some(member) = self.members.get_mut(peer) else { return };
        let Some(subscription) = member.subscriptions.by_track.get_mut(&key) else { return };
        let Some(route) = subscription.route.as_mut().filter(|route| route.served) else { return };
        route.told = true;
        member.subscriptions.told_at = Some(self.now.instant);
        let delayed = &member.subscriptions.delayed;
        let soonest = self.now.instant + LATCHED_PAUSE;
        let at = match delayed.last() {
            Some((last, _)) if !delayed.len().is_multiple_of(LATCHED_PER_PAUSE) => *last,
            Some((last, _)) => soonest.max(*last + LATCHED_PAUSE),
            None => soonest,
        };
        match (is_latched, route.flows) {
            (true, false) => self.delay(peer, key, at, at),
            _ => self.let_flow(peer, key),
        }
    }

    fn let_flow(&mut self, peer: PeerId, key: TrackKey) {
        let Some(member) = self.members.get_mut(peer) else { return };
        let worker = member.worker;
        let Some(subscription) = member.subscriptions.by_track.get_mut(&key) else { return };
        let Some(route) = subscription.route.as_mut().filter(|route| route.served && !route.flows) else {
            return;
        };
        route.flows = true;
        self.route(worker, RouteChange::Flow { track: key, subscriber: peer });
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
        Some(SubscriberHandle { handle: route.handle.get(), track })
    }
}

/// When a subscriber was told of a track, if it was.
fn known_at(member: &Member, track: &Track) -> Option<Instant> {
    let (serial, at) = member.seen;
    if track.publisher == member.peer || track.serial <= serial { Some(at) } else { track.announced_at }
}
