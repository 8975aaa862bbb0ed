//! What a token allows of the API.

use trackyard_auth::{Verified, VideoGrant};
use trackyard_proto::api::{ApiError, Code, Method};

/// The caller and what its token allows.
pub(super) struct Caller<'a> {
    grant: &'a VideoGrant,
}

impl<'a> Caller<'a> {
    /// Looks at what can be known without the request's body, so that for strangers none is read.
    ///
    /// # Errors
    /// There is no token, or it allows the method for no room at all.
    pub(super) fn new(verified: Option<&'a Verified>, method: Method) -> Result<Self, ApiError> {
        let grant = verified.and_then(|verified| verified.claims.video.as_ref()).ok_or_else(denied)?;
        let allowed = match method {
            Method::CreateRoom | Method::DeleteRoom => grant.room_create,
            Method::ListRooms => grant.room_list,
            _ => grant.room_admin && !grant.room.is_empty(),
        };
        if allowed { Ok(Self { grant }) } else { Err(denied()) }
    }

    /// Only the room of the token may be administered.
    ///
    /// # Errors
    /// It is another.
    pub(super) fn administers(&self, room: &str) -> Result<(), ApiError> {
        if self.grant.room == room { Ok(()) } else { Err(denied()) }
    }

    /// Participants may be sent there.
    ///
    /// # Errors
    /// They may not.
    pub(super) fn may_send_to(&self, room: &str) -> Result<(), ApiError> {
        if self.grant.destination_room == room { Ok(()) } else { Err(denied()) }
    }
}

fn denied() -> ApiError {
    ApiError::new(Code::Unauthenticated, "permissions denied")
}
