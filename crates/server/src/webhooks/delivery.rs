//! One attempt to deliver one event: sign, send, and understand the answer.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use trackyard_auth::{Keys, Token};
use trackyard_http::{HttpClient, HttpError, Limits, Post, Url};
use trackyard_proto::webhook::{CONTENT_TYPE, WebhookEvent};

use super::queues::{Attempt, Outcome};
use crate::clock::Clock;

/// How long an attempt may take.
const TIME_MAX: Duration = Duration::from_secs(10);
/// Of the answer's body, which says nothing that is wanted.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// How long a signature is valid.
const VALIDITY: Duration = Duration::from_secs(5 * 60);
/// What sends it.
const USER_AGENT: &str = concat!("Trackyard/", env!("CARGO_PKG_VERSION"));

/// Sends events to one receiver. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    http: HttpClient,
    url: Arc<Url>,
    signer: Signer,
}

/// Signs what is sent. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Signer {
    pub(super) keys: Arc<Keys>,
    /// Which of them.
    pub(super) api_key: Arc<str>,
    pub(super) clock: Clock,
}

/// What has become of an attempt, and why.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) outcome: Outcome,
    /// For the log.
    pub(super) why: String,
}

impl Sender {
    /// To this receiver.
    pub(super) fn new(http: HttpClient, url: Url, signer: Signer) -> Self {
        Self { http, url: Arc::new(url), signer }
    }

    /// Whom it sends to.
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Sends an event once.
    pub(super) async fn send(&self, attempt: &Attempt) -> Report {
        let event = WebhookEvent { num_dropped: attempt.num_dropped, ..(*attempt.event).clone() };
        let body = Bytes::from(event.encode());
        let headers = match self.headers(&body) {
            Ok(headers) => headers,
            Err(why) => return Report { outcome: Outcome::Refused, why },
        };
        let limits = Limits { time: TIME_MAX, answer_bytes: ANSWER_BYTES_MAX };
        match self.http.post(Post { url: &self.url, headers, body, limits }).await {
            Ok(answer) => answered(answer.status),
            Err(HttpError::AnswerTooLarge { status, .. }) => answered(status),
            Err(error) => Report { outcome: Outcome::Failed, why: error.to_string() },
        }
    }

    /// A token for this body alone; receivers expect it without the word `Bearer`.
    fn headers(&self, body: &[u8]) -> Result<HeaderMap, String> {
        let digest = BASE64.encode(digest::digest(&digest::SHA256, body));
        let token = Token::new("").sha256(digest).validity(VALIDITY);
        let Signer { keys, api_key, clock } = &self.signer;
        let token = keys.sign_as(api_key, &token, clock.unix_s());
        let token = token.map_err(|error| error.to_string())?;
        let mut token = HeaderValue::try_from(token).map_err(|error| error.to_string())?;
        token.set_sensitive(true);
        Ok(HeaderMap::from_iter([
            (header::AUTHORIZATION, token),
            (header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE)),
            (header::USER_AGENT, HeaderValue::from_static(USER_AGENT)),
        ]))
    }
}

/// What a status means. Redirects are not followed: a signed body is for whom it was configured for.
fn answered(status: StatusCode) -> Report {
    let is_passing =
        matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS);
    let outcome = if status.is_success() {
        Outcome::Delivered
    } else if status.is_server_error() || is_passing {
        Outcome::Failed
    } else {
        Outcome::Refused
    };
    Report { outcome, why: status.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_again_and_what_will_not_is_given_up() {
        let check = |status: u16, expected: Outcome| {
            assert_eq!(answered(StatusCode::from_u16(status).unwrap()).outcome, expected, "{status}");
        };
        [200, 201, 202, 204].into_iter().for_each(|status| check(status, Outcome::Delivered));
        [408, 425, 429, 500, 502, 503, 504].into_iter().for_each(|status| check(status, Outcome::Failed));
        [301, 302, 304, 307, 400, 401, 403, 404, 410, 413, 422]
            .into_iter()
            .for_each(|status| check(status, Outcome::Refused));
    }
}
