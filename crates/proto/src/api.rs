//! The server API: what backends ask of a server about its rooms, and its answers (protocol §10).
//!
//! Every message is read and written as protobuf and as JSON. JSON is read in either case of names,
//! with unknown fields skipped; requests are written as protobuf's JSON mapping has it, answers as
//! servers write them: names as in the schema, and nothing left out for being empty.

mod answer;
mod codec;
mod error;
mod full;
mod message;
mod method;
mod patch;
mod request;

pub use answer::{Empty, ListParticipantsAnswer, ListRoomsAnswer, MuteTrackAnswer, PerformRpcAnswer};
pub use error::{ApiError, Code};
pub use message::Message;
pub use method::{Method, PATCH_SERVICE, SERVICE};
pub use patch::{MetadataRevision, PatchRoomMetadata};
pub use request::{
    AgentDispatch, CreateRoom, DeleteRoom, ListParticipants, ListRooms, MuteTrack, ParticipantId,
    ParticipantTracks, PerformRpc, SendData, ToOtherRoom, UpdateParticipant, UpdateRoomMetadata,
    UpdateSubscriptions,
};
