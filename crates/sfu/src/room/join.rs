//! How a session begins: the join response, then everything else (protocol §3).

use std::time::Duration;

use trackyard_peer::Mode;
use trackyard_proto::join::JoinRequest;
use trackyard_proto::sid::SidKind;
use trackyard_proto::signal::{IceServer, JoinResponse, Reason};
use trackyard_proto::{Outbound, ParticipantInfo, Permission, Response};

use super::Room;
use super::bucket::TokenBucket;
use super::io::{ConnectionId, Join};
use super::leave::Departure;
use super::member::{Member, NewMember};
use super::notice::News;
use super::profile::with_state_of;
use super::subscriptions::Subscriptions;
use super::timers::Timer;
use crate::control::{Command, OpenPeer, PeerId};
use crate::directory::Revision;

/// Seconds between a client's pings, and without an answer after which it gives up (protocol §3.1).
const PING_INTERVAL_S: i32 = 5;
const PING_TIMEOUT_S: i32 = 15;
/// Who is not active by then has failed to join.
const JOIN_MAX: Duration = Duration::from_secs(60);

impl Room {
    /// The identity is this session's: it begins.
    pub(super) fn join(&mut self, join: Join, mut face: ParticipantInfo, claim: Revision) {
        self.replace_older(&face);
        let Join { connection, peer, worker, verified, request, single } = join;
        face.sid = self.draw_sid(SidKind::Participant);
        face.region.clone_from(&self.config.node.region);
        let mode = mode(single, &request, &face.permission);
        let limits = self.config.limits;
        self.members.insert(Member::new(NewMember {
            peer,
            worker,
            mode,
            connection,
            verified: with_state_of(verified, &face),
            claim,
            subscriptions: Subscriptions::new(self.random.u8(..)),
            bucket: TokenBucket::new(limits.signal_burst, limits.signal_rate_hz, self.now.instant),
            seen: (self.serial, self.now.instant),
            paced: request.client.sdk == "node",
            protocol: request.client.protocol,
            face,
        }));
        self.counters.joins += 1;
        self.counts_changed();
        self.notice(peer, News::Joined { connection, client: Box::new(request.client.clone()) });
        self.send_join(peer, connection, mode);
        self.open(peer, request);
        self.refresh_token(peer);
        self.timers.set(Timer::Join(peer), self.now.instant + JOIN_MAX);
        self.presence_changed(peer);
        self.occupied();
    }

    /// The older session is gone for everyone before the new one's tracks are checked against it.
    fn replace_older(&mut self, newer: &ParticipantInfo) {
        let visible = !newer.permission.hidden;
        if let Some(older) = self.members.by_identity(&newer.identity) {
            self.counters.duplicate_identities += 1;
            self.remove(older, Departure::replaced(visible));
        }
        if visible {
            self.forget_departure(&newer.identity);
        } else {
            // Others are told before the newer session could hear of its own end.
            self.presence_due();
            self.end_last_wills();
            self.flush_announcements();
        }
    }

    fn send_join(&mut self, peer: PeerId, connection: ConnectionId, mode: Mode) {
        let others = self.members.iter_mut().filter(|member| member.peer != peer && !member.is_hidden());
        let other_participants = others.map(Member::snapshot).collect();
        let Some(member) = self.members.get_mut(peer) else { return };
        let fast_publish = member.face().permission.can_publish;
        let node = &self.config.node;
        let response = JoinResponse {
            room: (*self.info).clone(),
            participant: member.snapshot(),
            other_participants,
            server_version: node.server_version.clone(),
            server_protocol: node.server_protocol,
            region: node.region.clone(),
            node_id: node.node_id.clone(),
            subscriber_primary: matches!(mode, Mode::Dual { subscriber_primary: true }),
            fast_publish,
            ping_interval_s: PING_INTERVAL_S,
            ping_timeout_s: PING_TIMEOUT_S,
            ice_servers: IceServer::open(&node.ice_urls),
            sif_trailer: self.sif_trailer.clone(),
        };
        self.signal(connection, Outbound::new(Response::Join(Box::new(response))));
    }

    fn open(&mut self, peer: PeerId, request: JoinRequest) {
        let Some(member) = self.members.get(peer) else { return };
        let (worker, mode) = (member.worker, member.mode);
        let open = OpenPeer { peer, room: self.key, mode, data_tracks: self.config.data_tracks };
        self.command(worker, Command::Open(open));
        self.seat(peer);
        for echo in request.add_tracks {
            self.respond(peer, 0, (Reason::UnsupportedType, "media tracks are not supported"), Some(echo));
        }
        if let (Mode::Single, Some(offer)) = (mode, request.publisher_offer) {
            self.command(worker, Command::Offer { peer, id: offer.id, sdp: offer.sdp });
        }
    }
}

fn mode(single: bool, request: &JoinRequest, permission: &Permission) -> Mode {
    if single {
        return Mode::Single;
    }
    // Older clients do not know a connection that the server offers as the primary one (protocol §1.9).
    Mode::Dual { subscriber_primary: request.client.protocol > 2 && permission.can_subscribe }
}
