//! What goes wrong with the server API.

use trackyard_http::tls::RootsError;
use trackyard_http::{HttpError, UrlError};
use trackyard_proto::api::{ApiError, Code};
use trackyard_proto::signal::DecodeError;

/// Why there can be no client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The server's URL.
    #[error("the server's URL cannot be used: {0}")]
    Url(#[from] UrlError),
    /// A root certificate.
    #[error(transparent)]
    Roots(#[from] RootsError),
}

/// Why a request has not worked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// There is no answer. Whether the server has heard is not known, unless no connection came about.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The method's URL is too long.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The server says no.
    #[error("{error}")]
    Refused {
        /// The status of the HTTP answer.
        status: u16,
        /// Its words.
        error: ApiError,
    },
    /// Whatever answers is not the API of a server: a proxy, a page, a server of another kind.
    #[error("the answer ({status}) is not one of the server API")]
    NotApi {
        /// The status of the HTTP answer.
        status: u16,
    },
    /// The server says yes in words that cannot be read.
    #[error("the answer cannot be read: {0}")]
    Answer(#[source] DecodeError),
    /// The token cannot be signed, or is none that HTTP could carry.
    #[error("the request cannot be signed: {message}")]
    Token {
        /// What is wrong with it.
        message: String,
    },
}

impl RequestError {
    /// What kind of failure the server says it is, if the server says so.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Refused { error, .. } => Some(error.code),
            _ => None,
        }
    }

    /// The status of the HTTP answer, if there is one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } | Self::NotApi { status } => Some(*status),
            Self::Http(HttpError::AnswerTooLarge { status, .. }) => Some(status.as_u16()),
            Self::Http(_) | Self::Url(_) | Self::Answer(_) | Self::Token { .. } => None,
        }
    }
}

impl RequestError {
    /// The same without the token, which some servers repeat, and no longer than this.
    pub(crate) fn without(mut self, token: &str, chars_max: usize) -> Self {
        if let Self::Refused { error, .. } = &mut self {
            if !token.is_empty() {
                error.message = error.message.replace(token, "…");
            }
            if let Some((end, _)) = error.message.char_indices().nth(chars_max) {
                error.message.truncate(end);
            }
        }
        self
    }
}

#[cfg(feature = "auth")]
impl From<trackyard_auth::SignError> for RequestError {
    fn from(error: trackyard_auth::SignError) -> Self {
        Self::Token { message: error.to_string() }
    }
}
