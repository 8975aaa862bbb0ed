//! How the API says that something did not work (protocol §10).

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares the codes once, with their words and statuses.
macro_rules! codes {
    ($($(#[$doc:meta])+ $name:ident = $word:literal, $status:literal,)+) => {
        /// What kind of failure it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])+ $name,)+
        }

        impl Code {
            /// All of them.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$name),+];

            /// As it stands in an answer.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }

            /// The status of the HTTP answer.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status),+ }
            }
        }
    };
}

codes! {
    /// Something else.
    Unknown = "unknown", 500,
    /// It was called off, or took too long at the far end.
    Canceled = "canceled", 408,
    /// The request says something that cannot be.
    InvalidArgument = "invalid_argument", 400,
    /// The request cannot be read.
    Malformed = "malformed", 400,
    /// It took too long.
    DeadlineExceeded = "deadline_exceeded", 408,
    /// There is no such thing.
    NotFound = "not_found", 404,
    /// There is no such method.
    BadRoute = "bad_route", 404,
    /// There is such a thing already.
    AlreadyExists = "already_exists", 409,
    /// Not with these rights.
    PermissionDenied = "permission_denied", 403,
    /// Not without a token that allows it.
    Unauthenticated = "unauthenticated", 401,
    /// Too much.
    ResourceExhausted = "resource_exhausted", 429,
    /// Not in this state.
    FailedPrecondition = "failed_precondition", 412,
    /// Somebody else was first.
    Aborted = "aborted", 409,
    /// Outside of what there is.
    OutOfRange = "out_of_range", 400,
    /// This server does not do that.
    Unimplemented = "unimplemented", 501,
    /// Something broke.
    Internal = "internal", 500,
    /// Not now.
    Unavailable = "unavailable", 503,
    /// Something was lost.
    DataLoss = "data_loss", 503,
}

/// A failure as the API says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiError {
    /// What kind of failure it is.
    pub code: Code,
    /// What went wrong.
    #[serde(rename = "msg", default)]
    pub message: String,
    /// More of it, for programs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub meta: BTreeMap<String, String>,
}

impl ApiError {
    /// A failure of this kind.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), meta: BTreeMap::new() }
    }

    /// With something more for programs.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.meta.insert(key.to_owned(), value.into());
        self
    }

    /// The body of the answer.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // Texts under texts can always be written.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads the body of an answer; `None` if it is no failure of the API.
    #[must_use]
    pub fn decode(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }
}

impl From<String> for Code {
    /// A word that nobody knows is an unknown failure.
    fn from(word: String) -> Self {
        Self::ALL.into_iter().find(|code| code.word() == word).unwrap_or(Self::Unknown)
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.word().to_owned()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for ApiError {}
