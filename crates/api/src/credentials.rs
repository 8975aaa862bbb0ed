//! What a request shows to be allowed.

use std::fmt;

use trackyard_proto::api::Method;

use crate::error::RequestError;
#[cfg(feature = "auth")]
use {crate::clock, std::time::Duration, trackyard_auth::Token, trackyard_auth::VideoGrant};

/// How long a request's own token is valid: clocks of backends and servers may be apart.
#[cfg(feature = "auth")]
const VALIDITY: Duration = Duration::from_secs(5 * 60);

/// What a request shows to be allowed.
#[derive(Clone)]
pub(crate) enum Credentials {
    /// Somebody else's token, as it is.
    Token(String),
    /// An API key, with which each request has a token that allows it and nothing else.
    #[cfg(feature = "auth")]
    Key { api_key: String, secret: String },
}

/// What a request is about, as far as it needs to be allowed.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(feature = "auth"), expect(dead_code, reason = "only a token of its own needs to know"))]
pub(crate) struct Scope<'r> {
    pub(crate) method: Method,
    pub(crate) room: &'r str,
    pub(crate) destination: &'r str,
}

impl Credentials {
    /// The token for a request.
    #[cfg_attr(
        not(feature = "auth"),
        expect(unused_variables, clippy::unnecessary_wraps, reason = "signing a token needs both")
    )]
    pub(crate) fn token(&self, scope: Scope<'_>) -> Result<String, RequestError> {
        match self {
            Self::Token(token) => Ok(token.clone()),
            #[cfg(feature = "auth")]
            Self::Key { api_key, secret } => {
                let token = Token::new("").grant(grant(scope)).validity(VALIDITY);
                Ok(token.to_jwt(api_key, secret, clock::unix_s())?)
            }
        }
    }
}

/// What a method needs (protocol §10), and no more.
#[cfg(feature = "auth")]
fn grant(Scope { method, room, destination }: Scope<'_>) -> VideoGrant {
    match method {
        Method::CreateRoom | Method::DeleteRoom => VideoGrant { room_create: true, ..VideoGrant::default() },
        Method::ListRooms => VideoGrant { room_list: true, ..VideoGrant::default() },
        _ => VideoGrant {
            room_admin: true,
            room: room.to_owned(),
            destination_room: destination.to_owned(),
            ..VideoGrant::default()
        },
    }
}

/// Never shows a token or a secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(_) => f.write_str("Token"),
            #[cfg(feature = "auth")]
            Self::Key { api_key, .. } => f.debug_tuple("Key").field(api_key).finish(),
        }
    }
}
