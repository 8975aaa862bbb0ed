//! What servers tell backends, and the proof that it is them (protocol §10.1).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use trackyard_auth::{Keys, KeysError, VerifyError};
use trackyard_proto::limits;
use trackyard_proto::signal::DecodeError;
use trackyard_proto::webhook::WebhookEvent;

use crate::clock;

/// Reads what servers tell, once they have proved that they know a secret of ours.
///
/// A token is good for some minutes, so somebody who can record a webhook can send it again; whoever minds keeps the
/// [`id`](WebhookEvent::id)s of the last minutes. An event that was not answered in time comes again with its id, too.
///
/// ```
/// use trackyard_api::{WebhookError, WebhookReceiver};
///
/// let receiver = WebhookReceiver::new("my-key", "my-secret")?;
/// // As they came: the body before anything has parsed it, and the header `Authorization`.
/// let (body, authorization) = (br#"{"event":"room_started"}"#, "no token");
/// assert!(matches!(receiver.verify(body, authorization), Err(WebhookError::Token(_))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct WebhookReceiver {
    keys: Keys,
}

/// Why a webhook is not believed, or not understood.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// There is no header `Authorization`, or it is no text.
    #[error("there is no token")]
    NoToken,
    /// The token is not signed with a known key, or not valid now.
    #[error(transparent)]
    Token(#[from] VerifyError),
    /// The token does not say which body it is for.
    #[error("the token is not for a body")]
    NoDigest,
    /// The token is for another body.
    #[error("the token is for another body")]
    WrongDigest,
    /// More than any event has.
    #[error("the body is larger than {} bytes", limits::WEBHOOK_BYTES)]
    TooLarge,
    /// Signed, and not understood.
    #[error("the event cannot be read: {0}")]
    Event(#[source] DecodeError),
}

impl WebhookReceiver {
    /// Believes whoever knows the secret of this key.
    ///
    /// # Errors
    /// [`KeysError`] if either is empty.
    pub fn new(api_key: impl Into<String>, secret: impl AsRef<str>) -> Result<Self, KeysError> {
        Ok(Self::with_keys(Keys::new([(api_key, secret)])?))
    }

    /// Believes whoever knows the secret of one of these keys.
    #[must_use]
    pub fn with_keys(keys: Keys) -> Self {
        Self { keys }
    }

    /// The event of a request: its body as it came, and its header `Authorization`.
    ///
    /// # Errors
    /// [`WebhookError`] if it is not proved to be the server's, or is no event.
    pub fn verify(&self, body: &[u8], authorization: &str) -> Result<WebhookEvent, WebhookError> {
        self.verify_at(body, authorization, clock::unix_s())
    }

    /// The same at another time, in Unix seconds.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub fn verify_at(
        &self,
        body: &[u8],
        authorization: &str,
        now_unix_s: u64,
    ) -> Result<WebhookEvent, WebhookError> {
        if body.len() > limits::WEBHOOK_BYTES {
            return Err(WebhookError::TooLarge);
        }
        if authorization.is_empty() {
            return Err(WebhookError::NoToken);
        }
        let verified = self.keys.verify(authorization, now_unix_s)?;
        let expected = verified.claims.sha256;
        if expected.is_empty() {
            return Err(WebhookError::NoDigest);
        }
        let actual = BASE64.encode(digest::digest(&digest::SHA256, body));
        // How much of it is right must not show in the time this takes.
        verify_slices_are_equal(actual.as_bytes(), expected.as_bytes())
            .map_err(|_| WebhookError::WrongDigest)?;
        WebhookEvent::decode(body).map_err(WebhookError::Event)
    }
}
