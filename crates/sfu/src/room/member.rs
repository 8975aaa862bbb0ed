//! One participant's session.

use std::sync::Arc;
use std::time::Instant;

use trackyard_auth::Verified;
use trackyard_peer::Mode;
use trackyard_proto::{Kind, ParticipantInfo, ParticipantState};

use super::announce::Announced;
use super::audience::Audience;
use super::blobs::Blobs;
use super::bucket::TokenBucket;
use super::io::ConnectionId;
use super::members::Counted;
use super::published::Published;
use super::state::Owed;
use super::subscriptions::Subscriptions;
use crate::control::{PeerId, Progress, WorkerId};
use crate::directory::Revision;

/// One participant's session.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) peer: PeerId,
    pub(super) worker: WorkerId,
    pub(super) mode: Mode,
    /// Where it hears of things; `None` while its signal connection is lost.
    pub(super) connection: Option<ConnectionId>,
    /// Its token, kept as a fresh one would be.
    pub(super) verified: Arc<Verified>,
    /// Its claim of the identity.
    pub(super) claim: Revision,
    /// How far its reliable packets have come; its worker says so.
    pub(super) progress: Arc<Progress>,
    pub(super) published: Published,
    pub(super) subscriptions: Subscriptions,
    /// Who may subscribe to it.
    pub(super) audience: Audience,
    pub(super) announced: Announced,
    pub(super) blobs: Blobs,
    /// Answers that wait for its own update.
    pub(super) owed: Owed,
    pub(super) bucket: TokenBucket,
    /// Tracks up to this serial were in its last complete picture of the room, which it got then.
    pub(super) seen: (u64, Instant),
    pub(super) refreshed_at: Instant,
    pub(super) joined_at: Instant,
    /// Its connection has failed and is not up again.
    pub(super) failed: bool,
    /// Clients whose core has one short queue for packets and signalling.
    pub(super) paced: bool,
    /// Which version of the protocol its client speaks (protocol §1.9).
    pub(super) protocol: i32,
    /// The room's members keep it.
    pub(super) counted: Counted,
    face: ParticipantInfo,
    snapshot: Option<Arc<ParticipantInfo>>,
}

/// What a member begins with.
pub(super) struct NewMember {
    pub(super) peer: PeerId,
    pub(super) worker: WorkerId,
    pub(super) mode: Mode,
    pub(super) connection: ConnectionId,
    pub(super) verified: Verified,
    pub(super) claim: Revision,
    pub(super) subscriptions: Subscriptions,
    pub(super) bucket: TokenBucket,
    pub(super) seen: (u64, Instant),
    pub(super) paced: bool,
    pub(super) protocol: i32,
    pub(super) face: ParticipantInfo,
}

impl Member {
    pub(super) fn new(new: NewMember) -> Self {
        Self {
            peer: new.peer,
            worker: new.worker,
            mode: new.mode,
            connection: Some(new.connection),
            verified: Arc::new(new.verified),
            claim: new.claim,
            progress: Arc::default(),
            published: Published::default(),
            subscriptions: new.subscriptions,
            audience: Audience::default(),
            announced: Announced::default(),
            blobs: Blobs::default(),
            owed: Owed::default(),
            bucket: new.bucket,
            seen: new.seen,
            refreshed_at: new.seen.1,
            joined_at: new.seen.1,
            failed: false,
            paced: new.paced,
            protocol: new.protocol,
            counted: Counted::default(),
            face: new.face,
            snapshot: None,
        }
    }

    /// What others see of it, except that its list of tracks is not filled in.
    pub(super) fn face(&self) -> &ParticipantInfo {
        &self.face
    }

    /// Changes what others see of it; the next snapshot has a new version.
    pub(super) fn face_mut(&mut self) -> &mut ParticipantInfo {
        self.snapshot = None;
        &mut self.face
    }

    /// What others see of it now.
    pub(super) fn snapshot(&mut self) -> Arc<ParticipantInfo> {
        if let Some(snapshot) = &self.snapshot {
            return Arc::clone(snapshot);
        }
        self.face.version = self.face.version.saturating_add(1);
        let snapshot = Arc::new(self.complete());
        self.snapshot = Some(Arc::clone(&snapshot));
        snapshot
    }

    /// The same for those who only look: the version may be that of the last snapshot.
    pub(super) fn peek(&self) -> Arc<ParticipantInfo> {
        self.snapshot.clone().unwrap_or_else(|| Arc::new(self.complete()))
    }

    /// How others see that it has left.
    pub(super) fn farewell(mut self) -> ParticipantInfo {
        self.face.state = ParticipantState::Disconnected;
        self.face.version = self.face.version.saturating_add(1);
        self.face.data_tracks = Vec::new();
        self.face
    }

    fn complete(&self) -> ParticipantInfo {
        let mut info = self.face.clone();
        info.data_tracks = self.published.list();
        info
    }

    pub(super) fn identity(&self) -> &str {
        &self.face.identity
    }

    pub(super) fn sid(&self) -> &str {
        &self.face.sid
    }

    pub(super) fn is_hidden(&self) -> bool {
        self.face.permission.hidden
    }

    /// It neither keeps the room alive nor counts in it.
    pub(super) fn is_dependent(&self) -> bool {
        is_dependent(&self.face)
    }

    /// It is exempt from what publishers permit.
    pub(super) fn is_recorder(&self) -> bool {
        self.face.permission.recorder || self.face.kind == Kind::Egress
    }

    /// Its primary connection has been up.
    pub(super) fn has_been_active(&self) -> bool {
        self.face.state >= ParticipantState::Active
    }

    /// About how long its info is on the wire.
    pub(super) fn info_bytes(&self) -> usize {
        let attributes: usize =
            self.face.attributes.iter().map(|(key, value)| key.len() + value.len() + 8).sum();
        let face = self.face.identity.len() + self.face.name.len() + self.face.metadata.len() + attributes;
        face + self.published.list_bytes() + 96
    }
}

/// Whether a participant neither keeps a room alive nor counts in it.
pub(super) fn is_dependent(info: &ParticipantInfo) -> bool {
    matches!(info.kind, Kind::Agent | Kind::Egress) || info.permission.agent || info.permission.recorder
}
