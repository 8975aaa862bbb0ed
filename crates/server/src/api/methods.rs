//! The methods: from a body to what rooms are asked, and from their answer to a body.

mod packets;
mod participants;
mod rooms;

use trackyard_proto::Encoding;
use trackyard_proto::api::{ApiError, Code, Message, Method};
use trackyard_sfu::room::{Admin, AdminReply};

use super::access::Caller;
use super::failure::failure;
use super::method::Asked;
use super::serve::malformed;
use crate::app::App;
use crate::rooms::Rooms;

/// A method under way.
struct Task<'a> {
    rooms: &'a Rooms,
    caller: &'a Caller<'a>,
    encoding: Encoding,
    body: &'a [u8],
}

type Body = Result<Vec<u8>, ApiError>;

/// Does what is asked for, and writes the answer.
///
/// # Errors
/// Whatever backends are told instead.
pub(super) async fn run(app: &App, caller: &Caller<'_>, asked: Asked, body: &[u8]) -> Body {
    let task = Task { rooms: &app.rooms, caller, encoding: asked.encoding, body };
    match asked.method {
        Method::CreateRoom => rooms::create(&task).await,
        Method::ListRooms => rooms::list(&task),
        Method::DeleteRoom => rooms::delete(&task).await,
        Method::UpdateRoomMetadata => rooms::update_metadata(&task).await,
        Method::PatchRoomMetadata => rooms::patch_metadata(&task).await,
        Method::ListParticipants => participants::list(&task).await,
        Method::GetParticipant => participants::get(&task).await,
        Method::RemoveParticipant => participants::remove(&task).await,
        Method::MutePublishedTrack => participants::mute(&task).await,
        Method::UpdateParticipant => participants::update(&task).await,
        Method::UpdateSubscriptions => participants::update_subscriptions(&task).await,
        Method::ForwardParticipant => participants::to_other_room(&task, "forward").await,
        Method::MoveParticipant => participants::to_other_room(&task, "move").await,
        Method::SendData => packets::send(&task).await,
        Method::PerformRpc => packets::perform_rpc(&task).await,
    }
}

impl Task<'_> {
    /// What the body says.
    fn read<M: Message>(&self) -> Result<M, ApiError> {
        M::decode(self.body, self.encoding).map_err(|error| malformed(&error, self.encoding))
    }

    /// The same, if the caller administers the room it is about.
    fn read_for<M: Message>(&self, room: impl Fn(&M) -> &String) -> Result<M, ApiError> {
        let request = self.read()?;
        self.caller.administers(room(&request))?;
        Ok(request)
    }

    /// Asks a room.
    async fn ask(&self, room: &str, admin: Admin) -> Result<AdminReply, ApiError> {
        self.rooms.ask(room, admin).await.map_err(failure)
    }

    #[allow(clippy::unnecessary_wraps, reason = "the last thing a method does")]
    fn write(&self, answer: &impl Message) -> Body {
        Ok(answer.encode(self.encoding))
    }
}

/// A room has answered something else than it was asked for.
fn unexpected(reply: &AdminReply) -> ApiError {
    debug_assert!(false, "an answer to another question: {reply:?}");
    ApiError::new(Code::Internal, "the room has answered something else")
}

/// Empty texts stand for what is not given.
fn given(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
