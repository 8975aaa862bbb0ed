//! What a session tells, and who is to know.

use std::sync::Arc;
use std::time::Instant;

use trackyard_session::{CloseReason, EngineEvent, ParticipantChange, SessionEvent};
use trackyard_track::{Received, RemoteEvent, RemoteTrackId};

use super::{Core, TCP_DELAY};
use crate::events::RoomEvent;
use crate::remote_track::RemoteDataTrack;
use crate::room::ConnectionState;
use crate::shared::Shared;

/// Tracks of others that are no longer there, and of which what they had counted is kept.
const ENDED_MAX: usize = 256;

impl Core {
    pub(super) fn event(&mut self, event: SessionEvent, shared: &Arc<Shared>, now: Instant) {
        match event {
            SessionEvent::Engine(event) => self.engine_event(event, shared, now),
            SessionEvent::Local(event) => {
                if let Some(ended) = self.publications.event(event, shared) {
                    self.events.push(RoomEvent::LocalDataTrackUnpublished(ended));
                }
            }
            SessionEvent::Remote(event) => self.remote_event(event, shared, now),
            SessionEvent::Item(track, received) => self.deliver(track, &received, now),
            SessionEvent::DataBlob(event) => {
                if let Some((key, error)) = self.blobs.event(event) {
                    self.events.push(RoomEvent::DataBlobLost { key, error });
                }
            }
            SessionEvent::Packet(event) => self.packet_event(event, shared, now),
            SessionEvent::Profile(event) => self.profile.answer(event),
        }
    }

    fn engine_event(&mut self, event: EngineEvent, shared: &Arc<Shared>, now: Instant) {
        match event {
            EngineEvent::Joined(join) => {
                self.streams_renewed(shared, now);
                self.joined(&join, shared);
                self.tcp_at = Some(now + TCP_DELAY);
            }
            EngineEvent::Connected => {
                self.state = ConnectionState::Connected;
                self.tcp_at = None;
                self.streams_connected(shared, now);
                // Whoever does not wait any more closes the room.
                let _ = self.connecting.take().map(|waiter| waiter.send(Ok(())));
            }
            EngineEvent::Reconnecting { .. } => {
                if self.state == ConnectionState::Connected {
                    self.events.push(RoomEvent::Reconnecting);
                }
                self.state = ConnectionState::Reconnecting;
            }
            EngineEvent::Reconnected { resumed } => {
                self.state = ConnectionState::Connected;
                self.tcp_at = None;
                self.events.push(RoomEvent::Reconnected { resumed });
            }
            EngineEvent::Closed(reason) => self.close(reason),
            EngineEvent::Participant(change, info) => {
                // With another sid it is another session: what it had begun does not go on.
                let known = self.people.others.get(&info.identity);
                if change == ParticipantChange::Left || known.is_some_and(|known| known.sid != info.sid) {
                    self.streams_left(&info.identity, shared, now);
                }
                self.participant(change, &info, shared);
            }
            EngineEvent::Room(room) => self.room(&room),
            EngineEvent::TokenRefreshed(token) => self.tokens.refresh(token),
            EngineEvent::Resumed { .. } => self.tcp_at = Some(now + TCP_DELAY),
            // The session has taken what is its own.
            EngineEvent::Tracks(_) | EngineEvent::Message(..) | EngineEvent::Response(_) => {}
        }
    }

    fn remote_event(&mut self, event: RemoteEvent, shared: &Arc<Shared>, now: Instant) {
        match event {
            RemoteEvent::Published { track, publisher, info } => {
                let is_subscribed = self.session.remote().subscriptions(track).next().is_some();
                let track = RemoteDataTrack::new(shared, (track, publisher), info);
                self.events.push(if is_subscribed {
                    RoomEvent::DataTrackRepublished(track)
                } else {
                    RoomEvent::DataTrackPublished(track)
                });
                self.people.tracks_changed.notify_waiters();
            }
            RemoteEvent::Unpublished { track: id, publisher, info, stats } => {
                if self.ended.len() >= ENDED_MAX {
                    self.ended.pop_front();
                }
                self.ended.push_back((id, stats));
                let track = RemoteDataTrack::new(shared, (id, publisher), info);
                self.events.push(RoomEvent::DataTrackUnpublished(track));
                for subscription in self.subscribers.that_end(self.session.remote().subscriptions(id)) {
                    self.subscribers.remove(subscription);
                    self.session.unsubscribe(subscription, now);
                }
            }
            RemoteEvent::Subscribed { subscriptions, .. } => self.subscribers.active(&subscriptions),
            RemoteEvent::SubscribeFailed { subscriptions, error, .. } => {
                self.subscribers.failed(&subscriptions, error);
            }
            RemoteEvent::Undecryptable { track, error } => {
                if let Some(track) = RemoteDataTrack::find(shared, self, track) {
                    self.events.push(RoomEvent::DataTrackUndecryptable { track, error });
                }
            }
            // The application's track has the id of before.
            RemoteEvent::Migrated { .. } => {}
        }
    }

    /// A frame's bytes are shared by all subscriptions of its track.
    fn deliver(&self, track: RemoteTrackId, received: &Received, now: Instant) {
        for subscription in self.session.remote().subscriptions(track) {
            self.subscribers.push(subscription, received.clone(), now);
        }
    }

    pub(super) fn close(&mut self, reason: CloseReason) {
        self.state = ConnectionState::Disconnected;
        self.closed = Some(reason.clone());
        self.delivering = None;
        self.subscribers.end_all();
        self.publications.end_all(&self.session);
        self.streams_closed();
        self.people.tracks_changed.notify_waiters();
        match self.connecting.take() {
            // The application learns it as the answer to its wish to connect.
            Some(waiter) => drop(waiter.send(Err(reason))),
            None => self.events.push(RoomEvent::Disconnected(reason)),
        }
        self.events.end();
    }
}
