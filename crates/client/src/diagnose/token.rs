//! What a token says, without knowing whether it is true.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

/// Longer tokens are not looked at.
const TOKEN_BYTES_MAX: usize = 2 * 1024 * 1024;

/// What a token says. Its signature is for the server to check: nothing here is to be relied on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TokenClaims {
    /// The API key that it says has signed it.
    pub api_key: String,
    /// Who it is for.
    pub identity: String,
    /// The room it is for; empty if it names none.
    pub room: String,
    /// Whether it allows joining.
    pub room_join: bool,
    /// Whether it allows publishing data.
    pub can_publish_data: bool,
    /// Whether it allows subscribing.
    pub can_subscribe: bool,
    /// When it ends, in Unix seconds.
    pub expires_at_unix_s: Option<i64>,
    /// When it begins, in Unix seconds.
    pub not_before_unix_s: Option<i64>,
}

#[derive(Deserialize)]
struct Payload {
    #[serde(default)]
    iss: String,
    #[serde(default)]
    sub: String,
    exp: Option<Value>,
    nbf: Option<Value>,
    #[serde(default)]
    video: Video,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Video {
    room: String,
    room_join: bool,
    can_publish: Option<bool>,
    can_publish_data: Option<bool>,
    can_subscribe: Option<bool>,
}

impl TokenClaims {
    /// Reads a token; nothing if it is none.
    #[must_use]
    pub fn read(token: &str) -> Option<Self> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let mut parts = token.split('.');
        let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
        let payload = BASE64_URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        let Payload { iss, sub, exp, nbf, video } = serde_json::from_slice(&payload).ok()?;
        // What a token does not mention is allowed (protocol §2).
        let can_publish = video.can_publish.unwrap_or(true);
        Some(Self {
            api_key: iss,
            identity: sub,
            room: video.room,
            room_join: video.room_join,
            can_publish_data: video.can_publish_data.unwrap_or(can_publish),
            can_subscribe: video.can_subscribe.unwrap_or(true),
            expires_at_unix_s: exp.as_ref().and_then(unix_s),
            not_before_unix_s: nbf.as_ref().and_then(unix_s),
        })
    }
}

/// RFC 7519 allows a fraction.
fn unix_s(value: &Value) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> String {
        format!("eyJ.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn claims_are_read_without_the_secret() {
        let claims = TokenClaims::read(&token(
            r#"{"iss":"key","sub":"robot","exp":100,"nbf":50.5,"video":{"roomJoin":true,"room":"yard","canPublish":false}}"#,
        ));
        let expected = TokenClaims {
            api_key: "key".to_owned(),
            identity: "robot".to_owned(),
            room: "yard".to_owned(),
            room_join: true,
            can_publish_data: false,
            can_subscribe: true,
            expires_at_unix_s: Some(100),
            not_before_unix_s: Some(50),
        };
        assert_eq!(claims, Some(expected));
    }

    #[test]
    fn what_a_token_does_not_mention_is_not_there() {
        let claims = TokenClaims::read(&token("{}")).unwrap();
        assert!(!claims.room_join && claims.can_publish_data && claims.can_subscribe);
        assert_eq!((claims.expires_at_unix_s, claims.not_before_unix_s), (None, None));
    }

    #[test]
    fn what_is_no_token_is_none() {
        for text in ["", "a.b", "a.b.c", "..", &token("[]"), &token("{\"iss\":1}")] {
            assert_eq!(TokenClaims::read(text), None, "{text}");
        }
    }
}
