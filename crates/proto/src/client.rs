//! What a client says about itself when it connects (protocol §1.4).

/// The client's software (`ClientInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientInfo {
    /// The SDK's lower-case name as in the `sdk` query parameter, `swift` for `ios`; empty if unknown.
    pub sdk: String,
    /// The SDK's version.
    pub version: String,
    /// Signalling protocol; decides what the server may send (protocol §1.9).
    pub protocol: i32,
    /// Client-to-client protocol, copied to `ParticipantInfo`.
    pub client_protocol: i32,
    /// Numbers of capabilities, copied to `ParticipantInfo`.
    pub capabilities: Vec<i32>,
    /// Operating system.
    pub os: String,
    /// Browser name; ICE-lite is off for Firefox (protocol §4.7).
    pub browser: String,
}

/// How the client wants to be served (`ConnectionSettings`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools, reason = "they are flags on the wire")]
pub struct ConnectionSettings {
    /// Subscribe to media by itself. Absent means false in a join request, true in a query.
    pub auto_subscribe: bool,
    /// Subscribe to data tracks by itself; official clients discard such handles (protocol §5.3).
    pub auto_subscribe_data_track: bool,
    /// The client manages layers of what it receives.
    pub adaptive_stream: bool,
    /// The server may pause video when a link is short.
    pub subscriber_allow_pause: bool,
    /// The client wants full ICE.
    pub disable_ice_lite: bool,
}
