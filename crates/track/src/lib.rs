//! Data tracks on the client's side: what is published is cut into packets and
//! scheduled, what is subscribed to is put together again, and every frame is accounted for.
//!
//! It never reads a clock, opens a socket, draws a random number that it was not given, or logs.

mod cipher;
mod clock;
pub mod e2ee;
mod frame;
mod last_will;
mod local;
mod remote;

pub use cipher::{CipherError, Decryptor, Encryptor};
pub use frame::Frame;
pub use last_will::LAST_WILL_EXTENSION;
pub use local::{
    FRAMES_WAITING_MAX, LocalDropReason, LocalEvent, LocalOutput, LocalTrackId, LocalTrackStats, LocalTracks,
    LocalTracksConfig, PACKET_BYTES_MAX, PACKET_BYTES_MIN, PACKETS_PER_FRAME_AIM, PUBLISH_TIMEOUT,
    PacketSize, PublishError, PublishOptions, PublishPolicy, PublishRules, PushError, SchemaMismatch,
};
pub use remote::{
    CLOCK_AHEAD_MAX, CLOCK_BEHIND_MAX, Delivery, FrameQueue, Gap, Overflow, QUEUE_FRAMES, QueueOptions,
    QueueStats, Received, RemoteCounters, RemoteDropReason, RemoteEvent, RemoteFrame, RemoteOutput,
    RemoteTrackId, RemoteTrackStats, RemoteTracks, RemoteTracksConfig, SUBSCRIBE_TIMEOUT, SubscribeError,
    SubscriptionId, UNDECRYPTABLE_PAUSE, WallClock,
};
