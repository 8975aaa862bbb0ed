//! How a session ends (protocol §1.7).

use trackyard_proto::signal::LeaveAction;
use trackyard_proto::{DisconnectReason, Response};

use super::Room;
use super::io::{ConnectionId, Output};
use super::timers::Timer;
use crate::control::{Command, PeerId};

/// Why and how a session ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Departure {
    reason: DisconnectReason,
    /// What the client is told to do; `None`: it is not told, because it knows.
    action: Option<LeaveAction>,
    /// Others see another session of the same identity instead.
    replaced: bool,
    /// Whether subscribers get the last wills of its tracks.
    ending: Ending,
}

/// How tracks end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// By their publisher's own will, or for another session of it, or with everything else.
    Deliberate,
    /// Whatever else the reason: the publisher did not mean to stop.
    Vanished,
}

impl Departure {
    /// The client has left.
    pub(super) fn left(reason: DisconnectReason) -> Self {
        Self { ending: Ending::Deliberate, ..Self::unsaid(reason) }
    }

    /// The client cannot be reached.
    pub(super) fn unsaid(reason: DisconnectReason) -> Self {
        Self { reason, action: None, replaced: false, ending: Ending::Vanished }
    }

    /// The room ends for everyone.
    pub(super) fn ended(reason: DisconnectReason, action: LeaveAction) -> Self {
        Self { ending: Ending::Deliberate, ..Self::told(reason, action) }
    }

    /// The client is told.
    pub(super) fn told(reason: DisconnectReason, action: LeaveAction) -> Self {
        Self { action: Some(action), ..Self::unsaid(reason) }
    }

    /// The client should join anew.
    pub(super) fn mismatch() -> Self {
        Self::told(DisconnectReason::StateMismatch, LeaveAction::Reconnect)
    }

    /// A newer session of the same identity takes its place, for others too if they can see it.
    pub(super) fn replaced(visibly: bool) -> Self {
        let told = Self::told(DisconnectReason::DuplicateIdentity, LeaveAction::Disconnect);
        Self { replaced: visibly, ending: Ending::Deliberate, ..told }
    }
}

impl Room {
    /// Ends a session: its tracks, subscriptions, routes, timers and claim go with it.
    pub(super) fn remove(&mut self, peer: PeerId, departure: Departure) {
        if self.members.get(peer).is_none() {
            return;
        }
        if let Some(action) = departure.action {
            self.tell(peer, Response::Leave { reason: departure.reason, action });
        }
        self.close_signal(peer);
        self.withdraw_subscriptions(peer);
        let published = self.withdraw_tracks(peer, departure.ending);
        let Some(member) = self.members.remove(peer) else { return };
        self.former.note(member.identity(), self.now.instant);
        Timer::of(peer).into_iter().for_each(|timer| self.timers.cancel(timer));
        self.calls_of_gone(peer);
        self.unseat(member.worker);
        self.flows_of_gone(peer);
        self.command(member.worker, Command::Close { peer });
        self.release_session(&member.face().identity, member.claim);
        self.counts_changed();
        self.notice_left(&member, departure.reason);
        if !departure.replaced {
            self.departed(member, departure.reason, published);
        }
        self.vacated();
    }

    /// A signal connection has ended by itself. Media alone keeps a session, once it has flowed.
    pub(super) fn signal_closed(&mut self, connection: ConnectionId) {
        self.forget_pending(connection);
        let Some(peer) = self.members.by_connection(connection) else { return };
        self.members.reconnect(peer, None);
        // What it was offered it cannot answer; a resume offers anew.
        self.timers.cancel(Timer::Negotiation(peer));
        if self.members.get(peer).is_some_and(|member| !member.has_been_active()) {
            self.remove(peer, Departure::unsaid(DisconnectReason::SignalClose));
        }
    }

    /// Lets go of a participant's signal connection.
    pub(super) fn close_signal(&mut self, peer: PeerId) {
        if let Some(connection) = self.members.reconnect(peer, None) {
            self.outputs.push_back(Output::CloseSignal { connection });
        }
    }
}
