//! One participant's WebRTC connections as a state machine without sockets: inputs are datagrams,
//! descriptions and time; outputs are datagrams, events and the next time it wants to be called.
//!
//! [`Peer`] joins one connection (single mode) or two (dual mode) with the outbox of lanes that
//! feeds its `_data_track` channel. The engine below it is behind [`Connection`], a small trait, so
//! that another can take str0m's place and simulations can use none at all.
//!
//! It never opens a socket, reads a clock, or knows rooms and tracks.
//!
//! **The one rule of use:** after every call that changes a peer, drain `poll_output` until it
//! answers `Timeout`.

mod connection;
mod peer;
mod sctp;
mod sdp;
mod str0m_engine;

pub use connection::{
    ACTIVE_PORT, ChannelKind, Connection, ConnectionCounters, ConnectionEvent, ConnectionFactory,
    ConnectionOutput, Datagram, LocalAddress, Mode, Role, Target, Transmit, Transport,
};
pub use peer::{
    DescriptionError, FlowChange, MessageCounts, Parcel, Peer, PeerConfig, PeerEvent, PeerOutput,
};
pub use sdp::{SDP_BYTES_MAX, SECTIONS_MAX, SdpError};
pub use str0m_engine::{Str0m, Str0mError, Str0mFactory};
