//! What a call that is a text stream says in its header's attributes.

use std::collections::BTreeMap;
use std::time::Duration;

pub(super) const REQUEST_ID: &str = "lk.rpc_request_id";
const METHOD: &str = "lk.rpc_request_method";
const RESPONSE_TIMEOUT_MS: &str = "lk.rpc_request_response_timeout_ms";
const VERSION: &str = "lk.rpc_request_version";

/// The version of calls that are text streams.
pub(super) const VERSION_2: u32 = 2;

/// A call's name, method, timeout and version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RequestAttributes {
    pub(super) id: String,
    pub(super) method: String,
    pub(super) response_timeout: Duration,
    pub(super) version: u32,
}

impl RequestAttributes {
    pub(super) fn write(&self) -> BTreeMap<String, String> {
        let pairs = [
            (REQUEST_ID, self.id.clone()),
            (METHOD, self.method.clone()),
            (RESPONSE_TIMEOUT_MS, self.response_timeout.as_millis().to_string()),
            (VERSION, self.version.to_string()),
        ];
        pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    pub(super) fn read(attributes: &BTreeMap<String, String>) -> Option<Self> {
        let text = |key| attributes.get(key).filter(|value: &&String| !value.is_empty());
        Some(Self {
            id: text(REQUEST_ID)?.clone(),
            method: text(METHOD)?.clone(),
            response_timeout: Duration::from_millis(u64::from(number(text(RESPONSE_TIMEOUT_MS)?)?)),
            version: number(text(VERSION)?)?,
        })
    }
}

/// Official clients write whole numbers, and some a fraction, which is cut off as they do.
fn number(text: &str) -> Option<u32> {
    text.split('.').next().and_then(|whole| whole.parse().ok())
}
