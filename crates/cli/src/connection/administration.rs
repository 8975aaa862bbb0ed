//! The way to the API of the server whose room a client would join.

use trackyard_api::{ClientOptions, RoomServiceClient};

use super::access::Access;
use super::{Connection, certificates};
use crate::failure::Failure;

impl Connection {
    /// What asks the server about the room, by the same right by which it would be joined, and the room's name.
    ///
    /// # Errors
    /// [`Failure::Usage`] if the flags and the environment say too little, or make no sense.
    pub(crate) fn administration(&self) -> Result<(RoomServiceClient, String), Failure> {
        let access = Access::find(self, |name| std::env::var(name).ok())?;
        let (client, room) = match access {
            Access::Key { key, secret, room, .. } => {
                (RoomServiceClient::new(&self.url, key, secret.expose()), room)
            }
            Access::Token(token) => {
                let room = self.room.clone().ok_or_else(|| {
                    Failure::Usage(
                        "give --room beside the token: the server is asked by the room's name".to_owned(),
                    )
                })?;
                (RoomServiceClient::with_token(&self.url, token.expose()), room)
            }
        };
        let roots = self.root_certificate.as_deref().map(certificates::read).transpose()?.unwrap_or_default();
        let options = ClientOptions { time_max: self.timeout, roots };
        let client = client.and_then(|client| client.options(&options));
        // The URL itself is not repeated: people write passwords into them.
        let client = client.map_err(|error| Failure::Usage(format!("--url: {error}")))?;
        Ok((client, room))
    }
}
