//! The room's metadata, changed by a participant that administers the room.

use std::sync::Arc;

use serde_json::Value;
use trackyard_api::{ClientOptions, Code, PatchRoomMetadata, RequestError, RoomServiceClient, SetupError};

use crate::error::TokenError;
use crate::room::Room;
use crate::token::TokenStore;

/// Where the server's API is asked, on the first request.
pub(crate) struct ApiAccess {
    url: String,
    roots: Vec<Vec<u8>>,
    tokens: Arc<TokenStore>,
    client: tokio::sync::OnceCell<RoomServiceClient>,
}

/// Why the room's metadata are not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RoomMetadataError {
    /// The participant's token does not allow it.
    #[error(
        "the server does not allow it ({message}): the participant's token needs `roomAdmin` for this room"
    )]
    NotAllowed {
        /// In the server's words.
        message: String,
    },
    /// Somebody else has changed them meanwhile.
    #[error("they are of another revision by now ({message}): look at them again")]
    Conflict {
        /// What they are of, if the server says so.
        revision: Option<u64>,
        /// In the server's words.
        message: String,
    },
    /// There is no token to show.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The server cannot be asked.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The request has not worked.
    #[error(transparent)]
    Request(RequestError),
}

impl ApiAccess {
    pub(crate) fn new(url: &str, roots: Vec<Vec<u8>>, tokens: Arc<TokenStore>) -> Self {
        Self { url: url.to_owned(), roots, tokens, client: tokio::sync::OnceCell::new() }
    }

    /// A client with the token of now.
    async fn client(&self) -> Result<RoomServiceClient, RoomMetadataError> {
        let open = || async {
            let options = ClientOptions { roots: self.roots.clone(), ..ClientOptions::default() };
            RoomServiceClient::with_token(&self.url, "")?.options(&options)
        };
        let client = self.client.get_or_try_init(open).await?;
        Ok(client.token(self.tokens.get(true).await?))
    }
}

impl Room {
    /// Replaces the room's metadata for everyone. They are asked for over HTTP with this participant's own token, which
    /// has to grant `roomAdmin`.
    ///
    /// # Errors
    /// [`RoomMetadataError`]: the token does not allow it, or the server is not reached within 10 s.
    ///
    /// # Cancel safety
    /// They may be changed even if this is dropped.
    pub async fn update_metadata(&self, metadata: impl Into<String>) -> Result<(), RoomMetadataError> {
        let client = self.api().client().await?;
        client.update_room_metadata(&self.name(), metadata).await.map(drop).map_err(explain)
    }

    /// Changes parts of the room's metadata, which are a JSON object: fields replace, `null` deletes, objects are merged
    /// (RFC 7386). Answers the revision that they are of then. Trackyard servers can do that; LiveKit's cannot.
    ///
    /// ```no_run
    /// # async fn example(room: trackyard::Room) -> Result<(), Box<dyn std::error::Error>> {
    /// let patch = serde_json::json!({ "lights": { "hall": "on" }, "alarm": null });
    /// let revision = room.patch_metadata(patch, None).await?;
    /// // From now on, only if nobody else has changed anything.
    /// room.patch_metadata(serde_json::json!({ "alarm": "armed" }), Some(revision)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`RoomMetadataError`]: as [`update_metadata`](Self::update_metadata), and
    /// [`Conflict`](RoomMetadataError::Conflict) if they are not of the revision that was asked for.
    ///
    /// # Cancel safety
    /// They may be changed even if this is dropped.
    pub async fn patch_metadata(
        &self,
        patch: Value,
        if_revision: Option<u64>,
    ) -> Result<u64, RoomMetadataError> {
        let client = self.api().client().await?;
        let patch = PatchRoomMetadata { room: self.name(), patch, if_revision };
        let patched = client.patch_room_metadata(&patch).await.map_err(explain)?;
        Ok(patched.revision)
    }
}

fn explain(error: RequestError) -> RoomMetadataError {
    let message = error.to_string();
    match error.code() {
        Some(Code::PermissionDenied | Code::Unauthenticated) => RoomMetadataError::NotAllowed { message },
        Some(Code::Aborted) => RoomMetadataError::Conflict { revision: revision(&error), message },
        _ => RoomMetadataError::Request(error),
    }
}

fn revision(error: &RequestError) -> Option<u64> {
    let RequestError::Refused { error, .. } = error else { return None };
    error.meta.get("revision")?.parse().ok()
}
