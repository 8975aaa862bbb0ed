//! Client of Trackyard and LiveKit servers: realtime data tracks in pure Rust.
//!
//! ```no_run
//! use trackyard::{DataTrackFrame, Room, RoomOptions};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let (room, _events) = Room::connect("ws://localhost:7880", "token", RoomOptions::new()).await?;
//! let pose = room.local_participant().publish_data_track("pose").await?;
//! pose.try_push(DataTrackFrame::new("x=1 y=2").with_user_timestamp_now())?;
//!
//! // A track is waited for by name, before and after its publisher has come.
//! if let Some(camera) = room.data_tracks_of("robot").get_deferred("camera").await {
//!     let mut frames = camera.subscribe().await?;
//!     while let Some(frame) = frames.next().await {
//!         println!("{} bytes, {:?} old", frame.payload().len(), frame.duration_since_timestamp());
//!     }
//! }
//! room.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! A connection is kept over every interruption: tracks stay published and subscriptions go on, be it in
//! the same session or in a new one. Nothing here blocks: [`LocalDataTrack::try_push`] takes a frame or
//! gives it back, and every frame that is not delivered is counted, on both sides.
//!
//! More than one room can be joined in a process; each has its lock, which is held for one call at a time. A
//! subscriber of `tracing` is called under it and must not call back into the room that speaks.
//!
//! It never forwards between participants, and never logs on the way of a frame.

mod candidates;
mod clock;
mod core;
mod data;
pub mod diagnose;
mod driver;
mod encryption;
mod endpoint;
mod error;
mod events;
mod frame;
mod local_track;
mod metadata;
mod options;
mod participant;
mod paths;
mod people;
mod profile;
mod publish;
mod remote_track;
mod room;
mod rpc;
mod shared;
mod signal;
mod streams;
mod subscription;
mod token;

/// The README's programs are compiled with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

pub use data::{DataPublishOptions, PublishDataError};
pub use encryption::{E2eeOptions, KeyProvider};
pub use error::{ConnectError, SignalError, TokenError};
pub use events::{DATA_EVENTS_BYTES_MAX, DataReceived, EVENTS_MAX, EventsError, RoomEvent, RoomEvents};
pub use frame::DataTrackFrame;
pub use local_track::{LocalDataTrack, PushFrameError};
pub use metadata::RoomMetadataError;
pub use options::{CLOSE_TIMEOUT, CONNECT_TIMEOUT, RoomOptions};
pub use participant::{DataTracks, LocalParticipant, Participant, RemoteParticipant};
pub use paths::Route;
pub use publish::DataTrackOptions;
pub use remote_track::RemoteDataTrack;
pub use room::{ConnectionState, Room, RoomStats};
pub use rpc::{PerformRpc, RpcInvocationData};
pub use streams::{
    ByteStreamReader, ByteStreamWriter, READ_ALL_BYTES_MAX, ReadStreamError, SendStreamError,
    StreamByteOptions, StreamTextOptions, TextStreamReader, TextStreamWriter,
};
pub use subscription::{DataTrackEvent, DataTrackEvents, DataTrackStream, DataTrackSubscribeOptions};
pub use token::Token;

pub use trackyard_proto::packet::{StreamContent, TextHeader, TextOperation};
pub use trackyard_proto::signal::IceServer;
pub use trackyard_proto::{
    DataBlobKey, DeliveryPolicy, DeliveryWish, DisconnectReason, Encryption, FrameEncoding,
    Kind as ParticipantKind, PacketKind as DataPacketKind, ParticipantState,
    Permission as ParticipantPermission, Schema, SchemaEncoding,
};
pub use trackyard_session::{
    CloseReason, DataBlobError, PacketDropReason as DataDropReason, PacketStats as DataStats, ProfileError,
    SendError as SendDataError,
};
pub use trackyard_stream::{
    IncomingCounters as StreamStats, MethodTaken, RPC_DATA_BYTES, RPC_MESSAGE_BYTES, RPC_PAYLOAD_BYTES,
    RpcCounters as RpcStats, RpcError, RpcErrorCode, StreamError, StreamInfo, TopicTaken,
};
pub use trackyard_track::e2ee;
pub use trackyard_track::{
    CipherError, Gap, LocalDropReason, LocalTrackStats, Overflow, PacketSize, PublishError, PublishPolicy,
    PublishRules, QueueStats, RemoteCounters, RemoteDropReason, RemoteTrackStats, SubscribeError,
};
