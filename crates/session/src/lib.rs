//! One client's session with a server (protocol §9) as a state machine: which signal connection
//! to open and when, which connections to make, how to come back after either is lost.
//!
//! The edge opens signal connections and sockets when [`Engine::poll_output`] says so, and tells what
//! comes of it. **The one rule of use:** after every call that changes a session, drain `poll_output`
//! until it answers `Timeout`.
//!
//! It never opens a socket, reads a clock, draws a random number that does not follow from its seed, or
//! logs.

mod addresses;
mod attempts;
mod blobs;
mod config;
mod connections;
mod engine;
mod event;
mod heartbeat;
mod packets;
mod profile;
mod roster;
mod session;

pub use blobs::{BLOB_REQUESTS_MAX, BLOB_TIMEOUT, BLOBS_MAX, BlobRequestId, DataBlobError, DataBlobEvent};
pub use config::{SessionConfig, SignalRequest, SignalVersion};
pub use engine::Engine;
pub use event::{CloseReason, EngineEvent, Output, ParticipantChange, SessionEvent, SignalFailure};
pub use packets::{
    Flow, KEPT_BYTES_MAX, OutgoingPacket, PACKET_BYTES_MAX, PacketCipher, PacketDropReason, PacketEvent,
    PacketId, PacketStats, SendError, Urgency, WAITING_BYTES_MAX,
};
pub use profile::{
    PROFILE_REQUESTS_MAX, PROFILE_TIMEOUT, ProfileChange, ProfileError, ProfileEvent, ProfileRequestId,
};
pub use session::{Session, TracksConfig};
