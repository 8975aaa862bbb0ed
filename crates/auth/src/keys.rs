//! The API keys a server knows.

use std::fmt;

use jsonwebtoken::{DecodingKey, EncodingKey};

use crate::claims::Claims;
use crate::token::{SignError, Token, sign};
use crate::verify::{Verified, VerifyError, verify};

/// API keys and their secrets, in the order they were configured; the first one signs.
#[derive(Clone, Default)]
pub struct Keys {
    keys: Vec<Key>,
}

#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) verifying: DecodingKey,
    pub(crate) signing: EncodingKey,
}

impl Keys {
    /// From pairs of key and secret.
    ///
    /// # Errors
    /// [`KeysError`] if one is empty or a key comes twice; `line` then counts the pairs.
    pub fn new<K, S>(pairs: impl IntoIterator<Item = (K, S)>) -> Result<Self, KeysError>
    where
        K: Into<String>,
        S: AsRef<str>,
    {
        let mut keys = Self::default();
        for (index, (name, secret)) in pairs.into_iter().enumerate() {
            keys.insert(index + 1, name.into(), secret.as_ref())?;
        }
        Ok(keys)
    }

    /// From lines `KEY: SECRET`, as in the environment variable `LIVEKIT_KEYS`. Blank lines are
    /// skipped, and quotes around a secret are taken off.
    ///
    /// # Errors
    /// [`KeysError`] with the line, never with what is on it.
    pub fn parse(lines: &str) -> Result<Self, KeysError> {
        let mut keys = Self::default();
        for (index, line) in lines.lines().enumerate() {
            let (line, number) = (line.trim(), index + 1);
            if line.is_empty() {
                continue;
            }
            let (name, secret) = line.split_once(':').ok_or(KeysError::NoColon { line: number })?;
            keys.insert(number, name.trim().to_owned(), unquoted(secret.trim()))?;
        }
        Ok(keys)
    }

    /// No key is known; nothing can be verified or signed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The API keys without their secrets, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| key.name.as_str())
    }

    /// Checks a token against the time passed in (protocol §1.2).
    ///
    /// # Errors
    /// [`VerifyError`]; its text is the body of the answer.
    pub fn verify(&self, token: &str, now_unix_s: u64) -> Result<Verified, VerifyError> {
        verify(self, token, now_unix_s)
    }

    /// Signs a token with the first key.
    ///
    /// # Errors
    /// [`SignError::NoKey`] if there is none.
    pub fn sign(&self, token: &Token, now_unix_s: u64) -> Result<String, SignError> {
        let key = self.keys.first().ok_or(SignError::NoKey)?;
        sign(key, token, now_unix_s)
    }

    /// Signs a token with the key of this name, as webhooks ask for.
    ///
    /// # Errors
    /// [`SignError::NoKey`] if it is not known.
    pub fn sign_as(&self, api_key: &str, token: &Token, now_unix_s: u64) -> Result<String, SignError> {
        let key = self.get(api_key).ok_or(SignError::NoKey)?;
        sign(key, token, now_unix_s)
    }

    /// A token for later reconnects: these claims, signed with the first key, valid as long as the
    /// original but at least ten minutes (protocol §2).
    ///
    /// # Errors
    /// [`SignError::NoKey`] if there is no key.
    pub fn refresh(
        &self,
        claims: &Claims,
        expires_at_unix_s: u64,
        now_unix_s: u64,
    ) -> Result<String, SignError> {
        self.sign(&Token::refreshed(claims.clone(), expires_at_unix_s, now_unix_s), now_unix_s)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    fn insert(&mut self, line: usize, name: String, secret: &str) -> Result<(), KeysError> {
        if name.is_empty() || secret.is_empty() {
            return Err(KeysError::Empty { line });
        }
        if self.get(&name).is_some() {
            return Err(KeysError::Duplicate { line });
        }
        self.keys.push(Key::new(name, secret));
        Ok(())
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

impl Key {
    pub(crate) fn new(name: String, secret: &str) -> Self {
        let secret = secret.as_bytes();
        let (verifying, signing) = (DecodingKey::from_secret(secret), EncodingKey::from_secret(secret));
        Self { name, verifying, signing }
    }
}

/// Why keys are refused. It never holds a key or secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// Not of the form `KEY: SECRET`.
    #[error("line {line} of the keys is not of the form `KEY: SECRET`")]
    NoColon {
        /// Counted from 1.
        line: usize,
    },
    /// The key or its secret is missing.
    #[error("line {line} of the keys has an empty key or secret")]
    Empty {
        /// Counted from 1.
        line: usize,
    },
    /// The key was there before.
    #[error("line {line} of the keys repeats a key")]
    Duplicate {
        /// Counted from 1.
        line: usize,
    },
}

fn unquoted(secret: &str) -> &str {
    ['"', '\'']
        .into_iter()
        .find_map(|quote| secret.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(secret)
}

#[cfg(test)]
mod tests;
