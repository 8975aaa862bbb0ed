//! Checks a token (protocol §1.2, §2).

use jsonwebtoken::errors::ErrorKind;
use serde_json::{Map, Value};

use crate::claims::Claims;
use crate::crypto::{ALGORITHM, ensure_backend, signature_only};
use crate::keys::{Key, Keys};
use crate::payload::Payload;

/// How far the clocks of minter and server may be apart.
pub const LEEWAY_S: u64 = 60;

/// A longer token is not looked at. The largest legal one holds 512 KiB of metadata and 64 KiB of
/// attributes, in base64.
pub const TOKEN_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Bytes of an unknown issuer that are given back.
const ISSUER_BYTES_MAX: usize = 256;

/// A token that has been checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// The key that signed it.
    pub api_key: String,
    /// What it says.
    pub claims: Claims,
    /// When it ends; the leeway is not included.
    pub expires_at_unix_s: u64,
}

/// Why a token is refused. The text is what the client is told; it never holds the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Not a JWT, or not signed with HMAC-SHA256.
    #[error("invalid authorization token")]
    Unparsable,
    /// The issuer is no configured key.
    #[error("invalid API key: {issuer}")]
    UnknownKey {
        /// As the token has it, cut to 256 bytes.
        issuer: String,
    },
    /// The signature is not that of the key's secret.
    #[error("invalid token, error: signature does not match")]
    BadSignature,
    /// Well signed, but a claim has the wrong type.
    #[error("invalid token, error: malformed claims")]
    BadClaims,
    /// Well signed, but it never ends.
    #[error("invalid token, error: no expiry")]
    NoExpiry,
    /// It ended more than the leeway ago.
    #[error("invalid token, error: token is expired")]
    Expired,
    /// It begins later than the leeway from now.
    #[error("invalid token, error: token is not valid yet")]
    NotYetValid,
}

pub(crate) fn verify(keys: &Keys, token: &str, now_unix_s: u64) -> Result<Verified, VerifyError> {
    ensure_backend();
    let issuer = claimed_issuer(token).ok_or(VerifyError::Unparsable)?;
    let Some(key) = keys.get(&issuer) else {
        return Err(VerifyError::UnknownKey { issuer: shortened(issuer) });
    };
    let mut payload = signed_payload(key, token)?;
    let expires_at_unix_s = check_times(&payload, now_unix_s)?;
    if payload.claims.identity.is_empty() {
        payload.claims.identity = payload.jti.unwrap_or_default();
    }
    Ok(Verified { api_key: issuer, claims: payload.claims, expires_at_unix_s })
}

/// Who claims to have signed it; empty if the token does not say.
fn claimed_issuer(token: &str) -> Option<String> {
    if token.len() > TOKEN_BYTES_MAX {
        return None;
    }
    let header = jsonwebtoken::decode_header(token).ok()?;
    // A critical header that is not understood must not be passed over (RFC 7515 §4.1.11).
    if header.alg != ALGORITHM || header.crit.is_some() {
        return None;
    }
    let mut claims: Map<String, Value> = jsonwebtoken::dangerous::insecure_decode_claims(token).ok()?;
    match claims.remove("iss").unwrap_or_default() {
        Value::Null => Some(String::new()),
        Value::String(issuer) => Some(issuer),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn signed_payload(key: &Key, token: &str) -> Result<Payload, VerifyError> {
    let decoded = jsonwebtoken::decode::<Payload>(token, &key.verifying, &signature_only());
    decoded.map(|data| data.claims).map_err(|error| match error.kind() {
        ErrorKind::Json(_) => VerifyError::BadClaims,
        // Whatever else fails, this key did not sign this token.
        _ => VerifyError::BadSignature,
    })
}

/// Returns when the token ends.
fn check_times(payload: &Payload, now_unix_s: u64) -> Result<u64, VerifyError> {
    let expires_at = payload.exp.ok_or(VerifyError::NoExpiry)?.unix_s();
    if now_unix_s > expires_at.saturating_add(LEEWAY_S) {
        return Err(VerifyError::Expired);
    }
    let not_before = payload.nbf.map_or(0, |date| date.unix_s());
    if now_unix_s.saturating_add(LEEWAY_S) < not_before {
        return Err(VerifyError::NotYetValid);
    }
    Ok(expires_at)
}

fn shortened(mut issuer: String) -> String {
    let end = issuer.len().min(ISSUER_BYTES_MAX);
    let end = (0..=end).rev().find(|end| issuer.is_char_boundary(*end)).unwrap_or(0);
    issuer.truncate(end);
    issuer
}

#[cfg(test)]
mod tests;
