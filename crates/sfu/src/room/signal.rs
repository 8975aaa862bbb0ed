//! What clients ask for, request by request (protocol appendix A).

use serde_json::Value;
use trackyard_peer::{Mode, Target};
use trackyard_proto::signal::{
    Echo, LeaveRequest, Reason, SessionDescription, SignalTarget, SyncState, Trickle,
};
use trackyard_proto::{DisconnectReason, ParticipantState, Request, Response};

use super::Room;
use super::io::ConnectionId;
use super::leave::Departure;
use super::member::Member;
use super::timers::Timer;
use crate::control::{Command, PeerId};

/// Clients up to this version take every such answer for an error (protocol §1.9).
const QUIET_PROTOCOL: i32 = 14;

impl Room {
    /// A client says something.
    pub(super) fn request(&mut self, connection: ConnectionId, request: Request) {
        let Some(peer) = self.members.by_connection(connection) else {
            self.counters.stale_inputs += 1;
            return;
        };
        let now = self.now.instant;
        if self.members.get_mut(peer).is_some_and(|member| !member.bucket.take(now)) {
            self.counters.signal_floods += 1;
            return self.remove(peer, Departure::mismatch());
        }
        self.serve(peer, request);
    }

    fn serve(&mut self, peer: PeerId, request: Request) {
        match request {
            Request::Offer(offer) => self.client_offer(peer, offer),
            Request::Answer(answer) => self.client_answer(peer, answer),
            Request::Trickle(trickle) => self.trickle(peer, &trickle),
            Request::AddTrack { echo, .. } => {
                self.respond(
                    peer,
                    0,
                    (Reason::UnsupportedType, "media tracks are not supported"),
                    Some(echo),
                );
            }
            Request::Leave(leave) => self.client_leave(peer, leave),
            Request::Ping(_) => self.tell(peer, Response::Pong(self.unix_ms())),
            Request::PingReq { timestamp, .. } => {
                let pong = Response::PongResp { last_ping_timestamp: timestamp, timestamp: self.unix_ms() };
                self.tell(peer, pong);
            }
            Request::SyncState(state) => self.sync_state(peer, *state),
            Request::UpdateMetadata(update) => self.update_metadata(peer, update),
            Request::PublishDataTrack(publication) => self.publish(peer, publication),
            Request::UnpublishDataTrack { pub_handle, echo } => self.unpublish(peer, pub_handle, echo),
            Request::UpdateDataSubscription(updates) => self.update_subscriptions(peer, updates),
            Request::SubscriptionPermission(permission) => self.set_audience(peer, permission),
            Request::StoreDataBlob { request_id, blob } => self.store_blob(peer, request_id, blob),
            Request::GetDataBlob { request_id, identity, key } => {
                self.get_blob(peer, request_id, (&identity, key));
            }
            Request::Other(_) => self.counters.requests_ignored += 1,
        }
    }

    /// Says how a request went; success only to clients that understand it.
    pub(super) fn respond(&mut self, peer: PeerId, request_id: u32, how: (Reason, &str), echo: Option<Echo>) {
        let (reason, message) = how;
        let hears_success = |member: &Member| member.protocol > QUIET_PROTOCOL;
        if reason == Reason::Ok && !self.members.get(peer).is_some_and(hears_success) {
            return;
        }
        self.tell(peer, Response::RequestResponse { request_id, reason, message: message.to_owned(), echo });
    }

    fn client_offer(&mut self, peer: PeerId, offer: SessionDescription) {
        let SessionDescription { id, sdp, .. } = offer;
        self.command_peer(peer, Command::Offer { peer, id, sdp });
    }

    fn client_answer(&mut self, peer: PeerId, answer: SessionDescription) {
        if self.members.get(peer).is_some_and(|member| member.mode == Mode::Single) {
            self.counters.requests_ignored += 1;
            return;
        }
        let SessionDescription { id, sdp, .. } = answer;
        self.timers.cancel(Timer::Negotiation(peer));
        self.command_peer(peer, Command::Answer { peer, id, sdp });
        self.advance_state(peer, ParticipantState::Joined);
    }

    fn trickle(&mut self, peer: PeerId, trickle: &Trickle) {
        let Some(candidate) = candidate(&trickle.candidate_init) else {
            self.counters.bad_candidates += 1;
            let how = (Reason::UnclassifiedError, "the candidate cannot be read");
            return self.respond(peer, 0, how, Some(Echo::from(trickle)));
        };
        // Names that only the client's own network can resolve, and the end of candidates, say nothing.
        if candidate.is_empty() || candidate.contains(".local ") {
            return;
        }
        let target = match trickle.target {
            SignalTarget::Publisher => Target::Publisher,
            SignalTarget::Subscriber => Target::Subscriber,
        };
        self.command_peer(peer, Command::Candidate { peer, target, candidate });
    }

    fn client_leave(&mut self, peer: PeerId, leave: LeaveRequest) {
        use DisconnectReason::{AgentError, ClientInitiated, UserRejected, UserUnavailable};
        let reason = match leave.reason {
            reason @ (UserUnavailable | UserRejected | AgentError) => reason,
            _ => ClientInitiated,
        };
        self.remove(peer, Departure::left(reason));
    }

    /// After a resume: if the client believes in tracks that are not there, it has to begin anew (protocol §9.1).
    fn sync_state(&mut self, peer: PeerId, state: SyncState) {
        let owned = |sid: &Option<String>| {
            let track = sid.as_deref().and_then(|sid| self.tracks.by_sid(sid));
            track.and_then(|key| self.tracks.get(key)).is_some_and(|track| track.publisher == peer)
        };
        // No media track is ever published here.
        if !state.publish_tracks.is_empty() || !state.publish_data_tracks.iter().all(owned) {
            self.counters.sync_mismatches += 1;
            return self.remove(peer, Departure::mismatch());
        }
        let received = state.receive_states.into_iter();
        self.receive_states(peer, received.map(|state| (state.publisher_sid, state.last_sequence)).collect());
        self.update_subscriptions(peer, state.data_subscription);
    }

    fn command_peer(&mut self, peer: PeerId, command: Command) {
        if let Some(worker) = self.members.get(peer).map(|member| member.worker) {
            self.command(worker, command);
        }
    }

    fn unix_ms(&self) -> i64 {
        i64::try_from(self.now.unix_ms).unwrap_or(i64::MAX)
    }
}

/// The candidate in the JSON of an `RTCIceCandidateInit`; `None` if it cannot be read.
fn candidate(init: &str) -> Option<String> {
    match serde_json::from_str(init).ok()? {
        Value::Object(mut fields) => match fields.remove("candidate") {
            Some(Value::String(candidate)) => is_candidate(&candidate).then_some(candidate),
            _ => None,
        },
        _ => None,
    }
}

/// Empty at the end of candidates.
fn is_candidate(text: &str) -> bool {
    text.is_empty() || text.trim_start_matches("a=").starts_with("candidate:")
}

#[cfg(test)]
mod tests {
    use super::candidate;

    #[test]
    fn candidates_are_read_from_their_json() {
        let check =
            |init: &str, expected: Option<&str>| assert_eq!(candidate(init).as_deref(), expected, "{init}");
        check(
            r#"{"candidate":"candidate:1 1 udp 1 1.2.3.4 5 typ host","sdpMid":"0"}"#,
            Some("candidate:1 1 udp 1 1.2.3.4 5 typ host"),
        );
        check(r#"{"candidate":""}"#, Some(""));
        for bad in
            ["", "{", "[]", "1", r#""candidate""#, r#"{"candidate":1}"#, r#"{"candidate":"junk"}"#, "{}"]
        {
            check(bad, None);
        }
    }
}
