//! What goes wrong with requests.

use std::error::Error;
use std::time::Duration;

use http::StatusCode;

/// Why a text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// Not of the form `scheme://host/path`.
    #[error("not an address of the form `https://host/path`")]
    NotAnAddress,
    /// Another scheme, or none.
    #[error("an address begins with `http://` or `https://`")]
    NotHttp,
    /// Nothing between scheme and path.
    #[error("the address has no host")]
    NoHost,
    /// A name and a password in the address.
    #[error("the address may not hold a name or password")]
    Login,
    /// Longer than any server takes.
    #[error("the address is too long")]
    TooLong,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The server's name is not known, nothing listens there, or its certificate is not trusted.
    #[error("cannot connect: {message}")]
    Connect {
        /// In the words of whoever knows.
        message: String,
    },
    /// Not within the time allowed.
    #[error("no answer within {} s", .limit.as_secs_f64())]
    Timeout {
        /// How long was waited.
        limit: Duration,
    },
    /// The connection has ended early, or what came is not HTTP.
    #[error("the connection broke: {message}")]
    Broken {
        /// In the words of whoever knows.
        message: String,
    },
    /// The answer's body is longer than asked for.
    #[error("the answer ({status}) is longer than {limit} bytes")]
    AnswerTooLarge {
        /// What its head says.
        status: StatusCode,
        /// How much was asked for.
        limit: usize,
    },
}

/// The last cause says most.
pub(crate) fn innermost(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
