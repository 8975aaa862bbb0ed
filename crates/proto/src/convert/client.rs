//! What a client says about itself, and its join request.

use livekit_protocol as pb;
use pb::request_response::Request as EchoWire;

use super::description::{Kind, description};
use crate::client::{ClientInfo, ConnectionSettings};
use crate::join::JoinRequest;
use crate::signal::Echo;

/// SDKs by their number on the wire.
const SDKS: [&str; 16] = [
    "",
    "js",
    "swift",
    "android",
    "flutter",
    "go",
    "unity",
    "reactnative",
    "rust",
    "python",
    "cpp",
    "unityweb",
    "node",
    "unreal",
    "esp32",
    "dotnet",
];

/// An SDK by the name it gives itself in a query: the protocol's own name for it, or empty.
pub(crate) fn sdk_by_name(name: &str) -> &'static str {
    let name = if name == "ios" { "swift" } else { name };
    SDKS.into_iter().find(|sdk| *sdk == name).unwrap_or("")
}

fn sdk_number(name: &str) -> i32 {
    let position = SDKS.iter().position(|sdk| *sdk == name).unwrap_or(0);
    i32::try_from(position).unwrap_or(0)
}

fn sdk_name(number: i32) -> &'static str {
    usize::try_from(number).ok().and_then(|number| SDKS.get(number)).copied().unwrap_or("")
}

impl From<pb::ClientInfo> for ClientInfo {
    fn from(info: pb::ClientInfo) -> Self {
        Self {
            sdk: sdk_name(info.sdk).to_owned(),
            version: info.version,
            protocol: info.protocol,
            client_protocol: info.client_protocol,
            capabilities: info.capabilities,
            os: info.os,
            browser: info.browser,
        }
    }
}

impl From<&ClientInfo> for pb::ClientInfo {
    fn from(info: &ClientInfo) -> Self {
        Self {
            sdk: sdk_number(sdk_by_name(&info.sdk)),
            version: info.version.clone(),
            protocol: info.protocol,
            client_protocol: info.client_protocol,
            capabilities: info.capabilities.clone(),
            os: info.os.clone(),
            browser: info.browser.clone(),
            ..Self::default()
        }
    }
}

impl From<pb::ConnectionSettings> for ConnectionSettings {
    fn from(settings: pb::ConnectionSettings) -> Self {
        Self {
            auto_subscribe: settings.auto_subscribe,
            auto_subscribe_data_track: settings.auto_subscribe_data_track.unwrap_or(false),
            adaptive_stream: settings.adaptive_stream,
            subscriber_allow_pause: settings.subscriber_allow_pause.unwrap_or(false),
            disable_ice_lite: settings.disable_ice_lite,
        }
    }
}

impl From<ConnectionSettings> for pb::ConnectionSettings {
    fn from(settings: ConnectionSettings) -> Self {
        Self {
            auto_subscribe: settings.auto_subscribe,
            adaptive_stream: settings.adaptive_stream,
            subscriber_allow_pause: settings.subscriber_allow_pause.then_some(true),
            disable_ice_lite: settings.disable_ice_lite,
            auto_subscribe_data_track: settings.auto_subscribe_data_track.then_some(true),
        }
    }
}

impl From<pb::JoinRequest> for JoinRequest {
    fn from(request: pb::JoinRequest) -> Self {
        let add_track = |request| Echo(Box::new(EchoWire::AddTrack(request)));
        Self {
            client: request.client_info.unwrap_or_default().into(),
            settings: request.connection_settings.unwrap_or_default().into(),
            metadata: request.metadata,
            attributes: request.participant_attributes.into_iter().collect(),
            publisher_offer: request.publisher_offer.map(Into::into),
            add_tracks: request.add_track_requests.into_iter().map(add_track).collect(),
            reconnect: request.reconnect,
            participant_sid: request.participant_sid,
        }
    }
}

impl From<&JoinRequest> for pb::JoinRequest {
    fn from(request: &JoinRequest) -> Self {
        let attributes = request.attributes.iter().map(|(key, value)| (key.clone(), value.clone()));
        Self {
            client_info: Some((&request.client).into()),
            connection_settings: Some(request.settings.into()),
            metadata: request.metadata.clone(),
            participant_attributes: attributes.collect(),
            add_track_requests: request.add_tracks.iter().filter_map(add_track).collect(),
            publisher_offer: request.publisher_offer.as_ref().map(|offer| description(offer, Kind::Offer)),
            reconnect: request.reconnect,
            participant_sid: request.participant_sid.clone(),
            ..Self::default()
        }
    }
}

fn add_track(echo: &Echo) -> Option<pb::AddTrackRequest> {
    match echo.0.as_ref() {
        EchoWire::AddTrack(request) => Some(request.clone()),
        _ => None,
    }
}
