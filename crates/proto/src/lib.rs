//! Every message on the wire and the domain types behind it.
//!
//! This is the only crate that imports `livekit-protocol`: the rest of the workspace speaks in the
//! types defined here. It decodes what is untrusted with bounds and typed errors, and encodes each
//! outgoing message at most once per encoding, however many receive it.
//!
//! It never opens a socket, reads a clock or decides anything about a room.

pub mod api;
pub mod client;
mod convert;
pub mod data_blob;
pub mod data_track;
pub mod delivery;
pub mod join;
pub mod limits;
pub mod media_track;
pub mod packet;
pub mod participant;
pub mod relay;
pub mod room;
mod shape;
pub mod sid;
pub mod signal;
pub mod webhook;

pub use client::{ClientInfo, ConnectionSettings};
pub use data_blob::{DataBlob, DataBlobKey};
pub use data_track::{DataTrackInfo, Encryption, FrameEncoding, Schema, SchemaEncoding};
pub use delivery::{DeliveryPolicy, DeliveryWish};
pub use media_track::TrackInfo;
pub use packet::{DataPacket, PacketKind, PacketValue};
pub use participant::{DisconnectReason, Kind, ParticipantInfo, ParticipantState, Permission};
pub use room::RoomInfo;
pub use signal::{Encoding, Outbound, Request, Response};
