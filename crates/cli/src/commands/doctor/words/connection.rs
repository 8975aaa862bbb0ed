//! Signalling, relays, the connection and its frames.

use trackyard::diagnose::{Echo, EchoError, RelayFailure};
use trackyard::{ConnectError, SignalError};

/// Signalling fails though the token is accepted.
pub(in super::super) fn signalling(error: &ConnectError) -> String {
    let websocket = match error {
        ConnectError::Signal(SignalError::Protocol { message }) => Some(message.clone()),
        // What asks for a WebSocket arrives as an ordinary request, whose answer is one of these.
        ConnectError::Signal(SignalError::Refused {
            status: status @ (200..=299 | 400 | 404 | 426), ..
        }) => Some(format!("status {status}")),
        _ => None,
    };
    if let Some(why) = websocket {
        return format!(
            "The token is accepted, and the WebSocket is not opened ({why}): a proxy that does not pass \
             WebSockets on is the usual cause. Let it pass `Upgrade` and `Connection`."
        );
    }
    match error {
        ConnectError::Signal(SignalError::Timeout) => {
            "The token is accepted, and the server does not answer the join in time: look at the server's log, and \
             for a proxy that holds WebSockets back."
                .to_owned()
        }
        ConnectError::Ended { reason } => format!("The server ends the session at once ({reason:?}): see its log."),
        other => format!("The token is accepted, and joining fails: {other}."),
    }
}

/// A relay gives no address.
pub(in super::super) fn relay(url: &str, failure: &RelayFailure) -> String {
    let advice = match failure {
        RelayFailure::Resolve { .. } => "correct its name in the server's configuration, or its DNS record",
        RelayFailure::NoAnswer | RelayFailure::Unreachable { .. } => {
            "check that it runs, and open its port in the firewalls"
        }
        RelayFailure::Tls { .. } => "check its certificate",
        RelayFailure::WrongCredentials => "make the server's TURN secret the relay's, and check both clocks",
        _ => "look at the relay's log",
    };
    format!("The relay {url} is of no use ({failure}): {advice}.")
}

/// The connection does not come up though the server answers at its addresses.
pub(in super::super) fn connection(error: &ConnectError) -> String {
    match error {
        ConnectError::NoPath { .. } => {
            "Signalling works and the server answers at its addresses, and no connection for data comes up: \
             something on the way lets short requests pass and drops the handshake. Look for a firewall that \
             inspects packets, and for a path that drops packets of 1,200 bytes."
                .to_owned()
        }
        other => format!("{other}."),
    }
}

/// No frames could be sent.
pub(in super::super) fn echo_error(error: &EchoError) -> String {
    let advice = match error {
        EchoError::Publish(_) | EchoError::Subscribe(_) => {
            "Check the token's grants (`canPublishData`, `canSubscribe`, patterns of track names), and whether the \
             server is old: it needs data tracks."
        }
        EchoError::NotAnnounced => {
            "The server does not tell others of the track: it may be too old for data tracks."
        }
        _ => "See the server's log.",
    };
    format!("The connection is up, and frames do not get through: {error}. {advice}")
}

/// Frames of this size do not arrive.
pub(in super::super) fn echo_lost(bytes: usize) -> String {
    if bytes <= 1_000 {
        "The connection is up, and frames do not come back: look at the server's log, and at its rules for tracks."
            .to_owned()
    } else {
        format!(
            "Small frames come back, and those of {bytes} bytes do not: the path loses packets, or drops large \
             ones. Look for a small MTU (VPNs) and for loss."
        )
    }
}

/// Frames arrived after some that did not.
pub(in super::super) fn echo_repeated(echo: &Echo) -> Option<String> {
    (echo.sent > 1).then(|| {
        format!(
            "Of {} frames of {} bytes {} did not arrive: the path loses packets.",
            echo.sent,
            echo.bytes,
            echo.sent - 1
        )
    })
}
