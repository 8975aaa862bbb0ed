//! A join request as the query parameters of `/rtc`, v0 (protocol §1.4).

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;

use super::JoinRequest;

impl JoinRequest {
    /// The query of a client, without `?`. There is no parameter for metadata and descriptions.
    #[must_use]
    pub fn encode_query(&self) -> String {
        let mut query = String::new();
        let client = &self.client;
        add(&mut query, "sdk", &client.sdk);
        add(&mut query, "version", &client.version);
        add(&mut query, "protocol", &client.protocol.to_string());
        add(&mut query, "client_protocol", &client.client_protocol.to_string());
        add(&mut query, "os", &client.os);
        add(&mut query, "auto_subscribe", flag(self.settings.auto_subscribe));
        add(&mut query, "disable_ice_lite", flag(self.settings.disable_ice_lite));
        if self.reconnect {
            add(&mut query, "reconnect", flag(true));
            add(&mut query, "sid", &self.participant_sid);
        }
        if !self.attributes.is_empty() {
            let json = serde_json::json!(self.attributes).to_string();
            add(&mut query, "attributes", &URL_SAFE.encode(json));
        }
        query
    }
}

fn flag(value: bool) -> &'static str {
    if value { "1" } else { "0" }
}

fn add(query: &mut String, name: &str, value: &str) {
    if value.is_empty() {
        return;
    }
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str(name);
    query.push('=');
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            query.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(query, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::client::{ClientInfo, ConnectionSettings};
    use crate::join::JoinQuery;

    use super::*;

    #[test]
    fn a_query_says_what_a_request_says() {
        let client = ClientInfo {
            sdk: "rust".to_owned(),
            version: "0.1.0+a b".to_owned(),
            protocol: 17,
            os: "linux".to_owned(),
            ..ClientInfo::default()
        };
        let request = JoinRequest {
            client,
            settings: ConnectionSettings { auto_subscribe: true, ..ConnectionSettings::default() },
            attributes: [("a&b".to_owned(), "ü=".to_owned())].into(),
            reconnect: true,
            participant_sid: "PA_x".to_owned(),
            ..JoinRequest::default()
        };
        let query = request.encode_query();
        let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap());
        let decoded: Vec<(String, String)> = pairs
            .map(|(name, value)| {
                (name.to_owned(), value.replace("%2B", "+").replace("%20", " ").replace("%3D", "="))
            })
            .collect();
        let read = JoinQuery::parse(decoded.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        assert!(read.invalid_attributes.is_none());
        assert_eq!(read.request, request);
    }
}
