//! The query parameters of `/rtc`, v0 (protocol §1.4).

use std::collections::BTreeMap;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use livekit_protocol as pb;
use thiserror::Error;

use super::JoinRequest;
use crate::client::ConnectionSettings;
use crate::convert::sdk_by_name;
use crate::limits::JOIN_REQUEST_BYTES;

/// What v0 query parameters ask for.
#[derive(Debug)]
pub struct JoinQuery {
    /// The request they amount to; without attributes if those are invalid.
    pub request: JoinRequest,
    /// `publish=x`: the identity becomes `identity#x`, and it may not subscribe.
    pub publish: Option<String>,
    /// Why `attributes` cannot be read: refused on validate, ignored on connect.
    pub invalid_attributes: Option<AttributesError>,
}

/// Why the `attributes` parameter is no map of texts.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AttributesError {
    /// More than [`JOIN_REQUEST_BYTES`].
    #[error("attributes are too large")]
    TooLarge,
    /// Not URL-safe base64.
    #[error("attributes are not valid base64")]
    Base64(#[from] base64::DecodeError),
    /// Not a JSON object of texts.
    #[error("attributes are not a JSON object of texts")]
    Json(#[from] serde_json::Error),
}

/// Clients are not of one mind about padding.
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl JoinQuery {
    /// Reads parameters in order; a later one of the same name wins, unknown ones are skipped.
    pub fn parse<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut query = Self::empty();
        for (name, value) in parameters {
            query.set(name, value);
        }
        query
    }

    /// The request, where invalid attributes are not to be ignored.
    ///
    /// # Errors
    /// The attributes are invalid.
    pub fn strict(self) -> Result<JoinRequest, AttributesError> {
        match self.invalid_attributes {
            Some(error) => Err(error),
            None => Ok(self.request),
        }
    }

    fn empty() -> Self {
        let settings = ConnectionSettings { auto_subscribe: true, ..ConnectionSettings::default() };
        let request = JoinRequest { settings, ..JoinRequest::default() };
        Self { request, publish: None, invalid_attributes: None }
    }

    fn set(&mut self, name: &str, value: &str) {
        let request = &mut self.request;
        match name {
            "sid" => value.clone_into(&mut request.participant_sid),
            "reconnect" => request.reconnect = flag(value),
            "publish" => self.publish = (!value.is_empty()).then(|| value.to_owned()),
            "attributes" => self.set_attributes(value),
            _ => {
                self.set_client(name, value);
                self.set_setting(name, value);
            }
        }
    }

    fn set_client(&mut self, name: &str, value: &str) {
        let client = &mut self.request.client;
        match name {
            // A name that is not one of the protocol's stays unknown.
            "sdk" => sdk_by_name(value).clone_into(&mut client.sdk),
            "version" => value.clone_into(&mut client.version),
            "protocol" => client.protocol = value.parse().unwrap_or(0),
            "client_protocol" => client.client_protocol = value.parse().unwrap_or(0),
            "os" => value.clone_into(&mut client.os),
            "browser" => value.clone_into(&mut client.browser),
            "capabilities" => client.capabilities = capabilities(value),
            _ => {}
        }
    }

    fn set_setting(&mut self, name: &str, value: &str) {
        let settings = &mut self.request.settings;
        match name {
            // Empty is as good as absent, and that means yes.
            "auto_subscribe" => settings.auto_subscribe = value.is_empty() || flag(value),
            "auto_subscribe_data_track" => settings.auto_subscribe_data_track = flag(value),
            "adaptive_stream" => settings.adaptive_stream = flag(value),
            "subscriber_allow_pause" => settings.subscriber_allow_pause = flag(value),
            "disable_ice_lite" => settings.disable_ice_lite = flag(value),
            _ => {}
        }
    }

    fn set_attributes(&mut self, value: &str) {
        let (attributes, error) = match attributes(value) {
            Ok(attributes) => (attributes, None),
            Err(error) => (BTreeMap::new(), Some(error)),
        };
        self.request.attributes = attributes;
        self.invalid_attributes = error;
    }
}

fn flag(value: &str) -> bool {
    matches!(value, "1" | "true")
}

/// Names that are not the protocol's are skipped.
fn capabilities(names: &str) -> Vec<i32> {
    let number = |name: &str| pb::client_info::Capability::from_str_name(name.trim()).map(i32::from);
    let mut numbers = Vec::new();
    for capability in names.split(',').filter_map(number) {
        if !numbers.contains(&capability) {
            numbers.push(capability);
        }
    }
    numbers
}

fn attributes(value: &str) -> Result<BTreeMap<String, String>, AttributesError> {
    if value.is_empty() {
        return Ok(BTreeMap::new());
    }
    if value.len() > JOIN_REQUEST_BYTES {
        return Err(AttributesError::TooLarge);
    }
    Ok(serde_json::from_slice(&URL_SAFE.decode(value)?)?)
}
