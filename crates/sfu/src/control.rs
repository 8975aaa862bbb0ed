//! What rooms and workers say to each other. Both directions are ordered queues.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use trackyard_lanes::LaneRules;
use trackyard_peer::{Mode, Target};
use trackyard_wire::Handle;

mod meter;
mod packets;

pub use meter::TrackMeter;
pub use packets::{Audience, Progress, Seat, ServerPacket, UserPacket};
pub use trackyard_proto::relay::Delivery;

/// A participant's session on a worker; unique for the life of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub u64);

/// A worker of this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerId(pub u16);

/// A room on this node; unique for the life of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomKey(pub u64);

/// A data track on this node; unique for the life of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackKey(pub u64);

/// Both clocks, read together at the edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// For durations and timers.
    pub instant: Instant,
    /// Unix milliseconds, for what is shown to others.
    pub unix_ms: u64,
}

/// What a room asks of a worker.
#[derive(Debug)]
pub enum Command {
    /// Make the connections of a new participant. Ids are never used twice.
    Open(OpenPeer),
    /// The client's offer for its publisher connection; answered by [`Event::Answer`].
    Offer {
        /// Whose.
        peer: PeerId,
        /// Echoed in the answer.
        id: u32,
        /// The description.
        sdp: String,
    },
    /// The client's answer to [`Event::Offer`].
    Answer {
        /// Whose.
        peer: PeerId,
        /// Pairs it with the offer; 0 fits any.
        id: u32,
        /// The description.
        sdp: String,
    },
    /// A candidate of the client, as in SDP (`candidate:…`).
    Candidate {
        /// Whose.
        peer: PeerId,
        /// For which connection.
        target: Target,
        /// The attribute's text.
        candidate: String,
    },
    /// The client has resumed: where the server offers (dual mode), offer again with new ICE credentials.
    RestartIce {
        /// Whose.
        peer: PeerId,
    },
    /// Change the routing table; answered by [`Event::Applied`].
    Route(RouteBatch),
    /// The server itself has a user packet for participants. To each worker of the room.
    Say(ServerPacket),
    /// A client that has resumed says which reliable packets it has: up to which number, by the sid of their sender.
    Received {
        /// Which client.
        peer: PeerId,
        /// What it has.
        states: Vec<(String, u32)>,
    },
    /// Forget the peer. No event of it follows.
    Close {
        /// Whose.
        peer: PeerId,
    },
}

/// A new participant for a worker.
#[derive(Debug, Clone)]
pub struct OpenPeer {
    /// Its id.
    pub peer: PeerId,
    /// Where its events go.
    pub room: RoomKey,
    /// One connection, or two.
    pub mode: Mode,
    /// Data tracks may be used; otherwise their channel is not served.
    pub data_tracks: bool,
}

/// Changes of one room's routes for one worker, applied together.
#[derive(Debug)]
pub struct RouteBatch {
    /// Which room.
    pub room: RoomKey,
    /// Returned by [`Event::Applied`].
    pub version: u64,
    /// In order.
    pub changes: Vec<RouteChange>,
}

/// One change of a routing table.
#[derive(Debug, Clone)]
pub enum RouteChange {
    /// Packets of `publisher` under `handle` belong to `track`. To the publisher's worker.
    AddTrack {
        /// Which track.
        track: TrackKey,
        /// Who publishes.
        publisher: PeerId,
        /// The publisher's handle.
        handle: Handle,
    },
    /// Count the track's packets. To the publisher's worker, after [`Self::AddTrack`].
    MeterTrack {
        /// Which track.
        track: TrackKey,
        /// Where.
        meter: Arc<TrackMeter>,
    },
    /// Keep the track's last whole frame for those who come late. To the publisher's worker, after [`Self::AddTrack`].
    LatchTrack {
        /// Which track.
        track: TrackKey,
        /// Who publishes: what is kept is of its share.
        publisher: PeerId,
    },
    /// The track is gone, with everything that hung on it. To each worker that knows of it.
    RemoveTrack {
        /// Which track.
        track: TrackKey,
    },
    /// The publisher has vanished: nothing more of it is the track's, and this is its last packet. To each
    /// worker that knows of the track; [`Self::RemoveTrack`] follows once subscribers have had the time to get it.
    LastWill {
        /// Which track.
        track: TrackKey,
        /// A frame in one packet; handle, numbers and timestamp are the worker's to fill in.
        packet: Bytes,
        /// How it is scheduled, so that nothing of the track makes it wait or takes its place.
        rules: LaneRules,
    },
    /// Hand the track's packets to `subscriber`. Until [`Self::Flow`] they wait, by their lane's rules. To the subscriber's worker.
    /// If the rules say that the track is latched, its last whole frame comes first.
    Subscribe {
        /// Which track.
        track: TrackKey,
        /// Who publishes: what is kept is of its share.
        publisher: PeerId,
        /// Who receives.
        subscriber: PeerId,
        /// What its packets carry.
        handle: Handle,
        /// How its frames are scheduled.
        rules: LaneRules,
    },
    /// Schedule the track's frames otherwise from now on. To the subscriber's worker.
    Reschedule {
        /// Which track.
        track: TrackKey,
        /// Who receives.
        subscriber: PeerId,
        /// How its frames are scheduled.
        rules: LaneRules,
    },
    /// The subscriber has been told the handle: send it what waits and what comes. To the subscriber's worker.
    Flow {
        /// Which track.
        track: TrackKey,
        /// Who receives.
        subscriber: PeerId,
    },
    /// No longer hand the track's packets to `subscriber`. To the subscriber's worker.
    Unsubscribe {
        /// Which track.
        track: TrackKey,
        /// Who received.
        subscriber: PeerId,
    },
    /// User packets of this participant are forwarded as that says, and it gets those of others. To its own worker.
    Seat {
        /// Whose.
        peer: PeerId,
        /// What it says.
        seat: Arc<Seat>,
    },
    /// Send each user packet of the room once to each of these, and to no others. To each worker of the room.
    Neighbours {
        /// All others of the room.
        hops: Vec<Hop>,
    },
    /// Send each packet of the track once to another hop, of a latched track its last whole frame first. To the
    /// publisher's worker.
    AddHop {
        /// Which track.
        track: TrackKey,
        /// Where to.
        hop: Hop,
    },
    /// No longer send the track's packets to a hop.
    RemoveHop {
        /// Which track.
        track: TrackKey,
        /// Where to.
        hop: Hop,
    },
}

/// Where a packet goes when its subscribers are not on the publisher's worker. Other nodes will be
/// hops as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Hop {
    /// Another worker of this node.
    Worker(WorkerId),
}

/// What a worker tells a room.
#[derive(Debug)]
pub enum Event {
    /// The answer to the client's offer.
    Answer {
        /// Whose.
        peer: PeerId,
        /// The offer's id.
        id: u32,
        /// The description.
        sdp: String,
    },
    /// An offer for the client's subscriber connection (dual mode).
    Offer {
        /// Whose.
        peer: PeerId,
        /// Pairs the answer with it.
        id: u32,
        /// The description.
        sdp: String,
    },
    /// An offer, answer or candidate could not be used.
    BadDescription {
        /// Whose.
        peer: PeerId,
        /// What is wrong with it.
        error: String,
    },
    /// The primary connection is up, for the first time or again: the participant is active.
    Connected {
        /// Whose.
        peer: PeerId,
    },
    /// The primary connection's ICE is disconnected, and may still come back.
    Interrupted {
        /// Whose.
        peer: PeerId,
    },
    /// A connection cannot be saved without the client: ICE has failed, or DTLS or SCTP has ended.
    Failed {
        /// Whose.
        peer: PeerId,
        /// Which connection.
        target: Target,
    },
    /// All routes of that version serve.
    Applied {
        /// Which worker.
        worker: WorkerId,
        /// Which room.
        room: RoomKey,
        /// The batch's version.
        version: u64,
    },
    /// The answer to a packet of the server's that awaited one.
    Reply {
        /// Who answers.
        peer: PeerId,
        /// Its packet.
        packet: Bytes,
    },
    /// A user packet that would be too long for those who are to get it was dropped. Said once a second at most.
    TooLong {
        /// Who sent it.
        peer: PeerId,
        /// How long it was.
        bytes: usize,
    },
    /// Much of what one participant sends to another by name waits for it, or little again.
    Flow {
        /// For whom it waits.
        receiver: PeerId,
        /// Who sends it.
        sender: PeerId,
        /// Much.
        pauses: bool,
    },
    /// The participant has fallen too far behind with reliable packets; it should join anew.
    Behind {
        /// Who.
        peer: PeerId,
    },
    /// A worker has died and begun anew with nothing: whoever it served should join anew. What it has said before may
    /// still come afterwards.
    WorkerLost {
        /// Which.
        worker: WorkerId,
    },
    /// The worker lost this peer to a defect of its own; the client should join anew.
    Lost {
        /// Whose.
        peer: PeerId,
    },
}
