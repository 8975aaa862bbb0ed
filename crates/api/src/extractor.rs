//! Webhooks as arguments of handlers.

use axum::body::to_bytes;
use axum::extract::{FromRef, FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use trackyard_proto::limits;
use trackyard_proto::webhook::WebhookEvent;

use crate::webhook::{WebhookError, WebhookReceiver};

/// An event of a webhook that has been verified. The router's state gives the [`WebhookReceiver`].
///
/// ```
/// use axum::Router;
/// use axum::routing::post;
/// use trackyard_api::{Webhook, WebhookReceiver};
///
/// async fn told(Webhook(event): Webhook) {
///     println!("{}: {:?}", event.kind.as_str(), event.room.map(|room| room.name.clone()));
/// }
///
/// let receiver = WebhookReceiver::new("my-key", "my-secret")?;
/// let app: Router = Router::new().route("/webhook", post(told)).with_state(receiver);
/// # drop(app);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook(pub WebhookEvent);

/// Why a request is no webhook.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct WebhookRejection(#[from] pub WebhookError);

impl<S> FromRequest<S> for Webhook
where
    WebhookReceiver: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = WebhookRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, WebhookRejection> {
        let receiver = WebhookReceiver::from_ref(state);
        let (head, body) = request.into_parts();
        let authorization = head.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        // Whoever has no token at all is not listened to any longer.
        let authorization = authorization.ok_or(WebhookError::NoToken)?;
        let body = to_bytes(body, limits::WEBHOOK_BYTES).await.map_err(|_| WebhookError::TooLarge)?;
        Ok(Self(receiver.verify(&body, authorization)?))
    }
}

impl IntoResponse for WebhookRejection {
    fn into_response(self) -> Response {
        let status = match &self.0 {
            WebhookError::NoToken
            | WebhookError::Token(_)
            | WebhookError::NoDigest
            | WebhookError::WrongDigest => StatusCode::UNAUTHORIZED,
            WebhookError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            WebhookError::Event(_) => StatusCode::BAD_REQUEST,
        };
        (status, self.to_string()).into_response()
    }
}
