//! What the SDK refuses, in its words.

use std::error::Error;

/// Why a call has come to nothing.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The error's name.
    pub(crate) reason: String,
    pub(crate) message: String,
}

impl Failure {
    /// The caller has asked for what cannot be.
    pub(crate) fn misuse(message: impl Into<String>) -> Self {
        Self { reason: "Misuse".to_owned(), message: message.into() }
    }
}

impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { reason: variant(&error), message: error.to_string() }
    }
}

/// The name of an enum's variant.
pub(crate) fn variant(value: &impl std::fmt::Debug) -> String {
    let shown = format!("{value:?}");
    shown.chars().take_while(|letter| letter.is_alphanumeric()).collect()
}
