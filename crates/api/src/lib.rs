//! For backends: what an application's own server does with a Trackyard or LiveKit server.
//!
//! - [`RoomServiceClient`] makes, shows and ends rooms, changes what participants are and may do, sends them data and
//!   calls their methods.
//! - [`AccessToken`] lets clients in (feature `auth`, on by default).
//! - [`WebhookReceiver`] reads what the server tells, once it has proved that it is the server (feature `auth`); with
//!   the feature `axum`, `Webhook` does so in a handler's arguments.
//!
//! It never joins a room: that is what the client SDK is for.
//!
//! ```no_run
//! use trackyard_api::{AccessToken, CreateRoom, RoomServiceClient};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let rooms = RoomServiceClient::new("wss://data.example.org", "my-key", "my-secret")?;
//! let yard = CreateRoom { name: "yard".into(), empty_timeout_s: 600, ..CreateRoom::default() };
//! let room = rooms.create_room(&yard).await?;
//! println!("{} is {}", room.name, room.sid);
//!
//! let token = AccessToken::new("robot-1").room("yard").sign("my-key", "my-secret")?;
//! # drop(token);
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "auth")]
mod access_token;
#[cfg(feature = "auth")]
mod clock;
mod credentials;
mod error;
#[cfg(feature = "axum")]
mod extractor;
mod room_service;
#[cfg(feature = "auth")]
mod webhook;

pub use error::{RequestError, SetupError};
pub use room_service::{ClientOptions, RoomServiceClient};
pub use trackyard_http::HttpError;
pub use trackyard_proto::api::{
    AgentDispatch, ApiError, Code, CreateRoom, MetadataRevision, ParticipantTracks, PatchRoomMetadata,
    PerformRpc, SendData, UpdateParticipant, UpdateSubscriptions,
};
pub use trackyard_proto::webhook::{RoomEndReason, WebhookEvent, WebhookKind};
pub use trackyard_proto::{
    DataTrackInfo, DisconnectReason, Kind, PacketKind, ParticipantInfo, ParticipantState, Permission,
    RoomInfo, TrackInfo,
};

#[cfg(feature = "auth")]
pub use access_token::AccessToken;
#[cfg(feature = "axum")]
pub use extractor::{Webhook, WebhookRejection};
#[cfg(feature = "auth")]
pub use trackyard_auth::{
    Claims, Keys, KeysError, NamePattern, NamePatterns, ParticipantKind, RoomConfig, SignError, TrackNames,
    VerifyError, VideoGrant,
};
#[cfg(feature = "auth")]
pub use webhook::{WebhookError, WebhookReceiver};
