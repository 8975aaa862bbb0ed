//! Whether the server would let the token in.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::pki_types::ServerName;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::http::Uri;
use trackyard_proto::join::JoinRequest;
use trackyard_session::{SessionConfig, SignalRequest, SignalVersion};

use super::http::{self, Answer, Get, HttpError};
use super::reach;
use super::{ReachError, Server, SignallingRoute};

/// What the server says of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Validation {
    /// The route that has answered.
    pub route: SignallingRoute,
    /// Of HTTP; 200 lets the token in.
    pub status: u16,
    /// In the server's words, without the token.
    pub message: String,
    /// The server's clock, to the second.
    pub server_time: Option<SystemTime>,
    /// This machine's clock when the answer came.
    pub local_time: SystemTime,
}

/// Why the server says nothing of a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValidationError {
    /// It cannot be reached.
    #[error(transparent)]
    Reach(#[from] ReachError),
    /// There is no TLS.
    #[error("no TLS: {message}")]
    Tls {
        /// In the TLS library's words.
        message: String,
    },
    /// What answers does not speak HTTP.
    #[error("what answers does not speak HTTP")]
    NotHttp,
    /// The token has characters that no token has.
    #[error("the token has characters that no token has")]
    Token,
    /// The connection broke.
    #[error("the connection broke: {message}")]
    Broken {
        /// In the system's words.
        message: String,
    },
    /// No answer in time.
    #[error("no answer within {} s", super::seconds(*limit))]
    NoAnswer {
        /// How long was waited.
        limit: Duration,
    },
}

impl Validation {
    /// Whether the token is let in.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.status == 200
    }

    /// Whether the server has no such room and does not make one.
    #[must_use]
    pub fn is_room_missing(&self) -> bool {
        self.status == 404 && self.message.contains("room does not exist")
    }

    /// How far the server's clock is ahead of this machine's, in seconds.
    #[must_use]
    pub fn clock_ahead_s(&self) -> Option<i64> {
        let seconds = |time: SystemTime| {
            let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
        };
        self.server_time.map(|server| seconds(server).saturating_sub(seconds(self.local_time)))
    }
}

impl Server {
    /// Asks the server at one of its addresses whether it would let the token in: by the newer route, or by
    /// the older one if the server does not know that (protocol §1.3).
    ///
    /// # Errors
    /// [`ValidationError`], if the server says nothing.
    pub async fn validate(
        &self,
        address: SocketAddr,
        token: &str,
        limit: Duration,
    ) -> Result<Validation, ValidationError> {
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ValidationError::Token);
        }
        let until = Instant::now() + limit;
        let newer = self.ask(SignallingRoute::V1, (address, token, until)).await?;
        if newer.status != 404 || newer.is_room_missing() {
            return Ok(newer);
        }
        self.ask(SignallingRoute::V0, (address, token, until)).await
    }

    async fn ask(
        &self,
        route: SignallingRoute,
        (address, token, until): (SocketAddr, &str, Instant),
    ) -> Result<Validation, ValidationError> {
        let limit = until.saturating_duration_since(Instant::now());
        let (authority, target) = self.validate_target(route);
        let get = Get { authority: &authority, target: &target, token };
        let stream = reach::connect(address, limit).await?;
        let answer = if self.is_tls() {
            let fail = |message: String| ValidationError::Tls { message };
            let name =
                ServerName::try_from(self.host().to_owned()).map_err(|error| fail(error.to_string()))?;
            let secured =
                timeout(limit, TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream)).await;
            let secured = secured.map_err(|_| ValidationError::NoAnswer { limit })?;
            http::get(secured.map_err(|error| fail(error.to_string()))?, get, limit).await
        } else {
            http::get(stream, get, limit).await
        };
        let Answer { status, body, date } = answer.map_err(|error| match error {
            HttpError::Io(error) => ValidationError::Broken { message: error.to_string() },
            HttpError::NotHttp => ValidationError::NotHttp,
            HttpError::Timeout => ValidationError::NoAnswer { limit },
        })?;
        let message = printable(&without(&body, token));
        Ok(Validation { route, status, message, server_time: date, local_time: SystemTime::now() })
    }

    /// Whom to ask, and for what.
    fn validate_target(&self, route: SignallingRoute) -> (String, String) {
        let version = match route {
            SignallingRoute::V1 => SignalVersion::V1,
            SignallingRoute::V0 => SignalVersion::V0,
        };
        let join = JoinRequest { client: SessionConfig::default().client, ..JoinRequest::default() };
        let url = self.endpoint.signal_url(&SignalRequest { version, join });
        let uri: Uri = url.parse().unwrap_or_default();
        let authority = uri.authority().map(|authority| authority.as_str().to_owned()).unwrap_or_default();
        let query = uri.query().unwrap_or_default();
        (authority, format!("{}/validate?{query}", uri.path()))
    }
}

/// Official servers repeat the token in their refusal.
pub(super) fn without(text: &str, token: &str) -> String {
    text.replace(token, "<token>")
}

/// Without what terminals would obey.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_follow_the_url() {
        let target = |url, route| Server::new(url, &[]).unwrap().validate_target(route);
        let (authority, newer) = target("ws://yard.example:7880/prefix", SignallingRoute::V1);
        assert_eq!(authority, "yard.example:7880");
        assert!(newer.starts_with("/prefix/rtc/v1/validate?join_request="), "{newer}");
        let (_, older) = target("wss://yard.example", SignallingRoute::V0);
        assert!(older.starts_with("/rtc/validate?") && older.contains("protocol="), "{older}");
    }

    #[test]
    fn a_token_that_a_server_repeats_is_not_shown() {
        assert_eq!(without("invalid token: eyJ.a.b, error", "eyJ.a.b"), "invalid token: <token>, error");
    }

    #[test]
    fn clocks_are_compared_in_seconds() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let check = |server, local, expected| {
            let validation = Validation {
                route: SignallingRoute::V1,
                status: 200,
                message: String::new(),
                server_time: server,
                local_time: local,
            };
            assert_eq!(validation.clock_ahead_s(), expected);
        };
        check(Some(at(160)), at(100), Some(60));
        check(Some(at(100)), at(160), Some(-60));
        check(None, at(160), None);
    }
}
