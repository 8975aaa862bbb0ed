//! Tokens, keys and clocks.

use serde_json::{Value, json};
use trackyard::diagnose::{SignallingRoute, TokenClaims, Validation, ValidationError};

use super::time::{span, unix_s};

/// Servers allow for this much between clocks.
const LEEWAY_S: i64 = 60;
/// Clocks that are further apart are worth a word; the answer's date is to the second and took its time.
const CLOCK_S: u64 = 30;
/// Of the server's text, this much is shown.
const SAID_CHARS_MAX: usize = 200;

/// What the token is good for.
pub(in super::super) fn token_accepted(claims: Option<&TokenClaims>) -> String {
    match claims {
        Some(claims) => format!("accepted as `{}` in `{}`", claims.identity, claims.room),
        None => "accepted".to_owned(),
    }
}

/// What programs want to know.
pub(in super::super) fn token_facts(validation: &Validation) -> Value {
    let route = match validation.route {
        SignallingRoute::V1 => "v1",
        SignallingRoute::V0 => "v0",
    };
    json!({ "route": route, "status": validation.status, "clock_ahead_s": validation.clock_ahead_s() })
}

/// The server's words.
pub(in super::super) fn said(validation: &Validation) -> String {
    let text: String = validation.message.chars().take(SAID_CHARS_MAX).collect();
    if text.is_empty() { "no reason given".to_owned() } else { text }
}

/// The token is accepted, and clocks that are so far apart will not always let that be.
pub(in super::super) fn clock_warning(validation: &Validation) -> Option<String> {
    clocks(validation)
        .map(|clocks| format!("{clocks} Tokens depend on clocks: let both follow a time server."))
}

/// The server does not let the token in.
pub(in super::super) fn token_refused(
    validation: &Validation,
    claims: Option<&TokenClaims>,
    has_key: bool,
) -> String {
    match validation.status {
        401 | 403 => match claims {
            Some(claims) => unauthorised(validation, claims, has_key),
            None => "The token is none: it has to be a JWT of three parts with dots between. Make one with \
                     `trackyard token create`."
                .to_owned(),
        },
        404 if validation.is_room_missing() => {
            let room = claims.map(|claims| claims.room.as_str()).unwrap_or_default();
            format!(
                "The room `{room}` does not exist, and the server does not make rooms by themselves: give an \
                 existing one with --room, create it, or set `room.auto_create: true`."
            )
        }
        404 => "There is no LiveKit-compatible server behind this URL (404 for /rtc/validate): check its port and \
                path, and what the proxy before it passes on."
            .to_owned(),
        300..=399 => format!(
            "The server sends clients elsewhere (status {}), which they do not follow: use the URL that it sends \
             to, mostly wss:// instead of ws://.",
            validation.status
        ),
        400 => format!("The server cannot use the request ({}): check the token's identity and room.", said(validation)),
        429 | 503 => format!(
            "The server is at a limit or stopping ({}): try again later, and look at its log.",
            said(validation)
        ),
        502 | 504 => "A proxy answers and does not reach the server behind it: check that the server runs, and the \
                      proxy's upstream address."
            .to_owned(),
        status => format!("The server answers with status {status} ({}): look at its log.", said(validation)),
    }
}

fn unauthorised(validation: &Validation, claims: &TokenClaims, has_key: bool) -> String {
    let now = unix_s(validation.server_time.unwrap_or(validation.local_time));
    let message = validation.message.to_lowercase();
    let clocks =
        clocks(validation).map(|clocks| format!(" {clocks} Set the wrong one right.")).unwrap_or_default();
    let key = &claims.api_key;
    if message.contains("invalid api key") {
        return format!(
            "The server does not know the API key `{key}`: use a key that is among its `keys`, and check that \
             this is the server that is meant."
        );
    }
    if let Some(expired) = claims.expires_at_unix_s.filter(|end| *end < now && message.contains("expired")) {
        let new = if has_key { "" } else { ": make a new one" };
        return format!(
            "The token has expired {} ago, by the server's clock{new}.{}",
            span(now.abs_diff(expired)),
            if clocks.is_empty() { " The clocks of both machines agree." } else { &clocks }
        );
    }
    if let Some(begin) = claims.not_before_unix_s.filter(|begin| *begin > now + LEEWAY_S) {
        return format!(
            "The token is not valid before another {}, by the server's clock: check the clock of whoever made \
             it.{clocks}",
            span(begin.abs_diff(now))
        );
    }
    if !claims.room_join {
        return "The token's grants do not allow joining: it needs `roomJoin: true` and the room in its `video` \
                grant, as `trackyard token create --room` makes them."
            .to_owned();
    }
    if validation.status == 401 && is_about_signatures(&message) {
        return format!(
            "The token is not signed with the secret of the API key `{key}` as the server has it: check the API \
             secret, and that it belongs to this key."
        );
    }
    format!(
        "The server refuses the token ({}): check its key, secret, dates and grants.{clocks}",
        said(validation)
    )
}

/// In our server's words, in those of official ones, and in those of others.
fn is_about_signatures(message: &str) -> bool {
    ["signature", "cryptographic primitive", "invalid token"].iter().any(|words| message.contains(words))
}

/// How far clocks are apart, if that is too far.
fn clocks(validation: &Validation) -> Option<String> {
    let ahead = validation.clock_ahead_s()?;
    let way = if ahead > 0 { "behind" } else { "ahead of" };
    (ahead.unsigned_abs() > CLOCK_S)
        .then(|| format!("This machine's clock is {} {way} the server's.", span(ahead.unsigned_abs())))
}

/// The server says nothing of the token.
pub(in super::super) fn token_unanswered(error: &ValidationError, is_tls: bool) -> String {
    match error {
        ValidationError::NotHttp if !is_tls => "What answers does not speak HTTP: if the port expects TLS, use \
             wss:// in the URL; otherwise check that the port is the server's."
            .to_owned(),
        ValidationError::NotHttp => {
            "What answers does not speak HTTP: check that the port is the server's.".to_owned()
        }
        ValidationError::Token => {
            "The token has characters that no token has: check that it was copied whole, without quotes and spaces."
                .to_owned()
        }
        ValidationError::NoAnswer { .. } => {
            "The port is open, and nobody answers requests there: the server, or a proxy before it, hangs.".to_owned()
        }
        ValidationError::Broken { .. } if !is_tls => "The connection is closed without an answer: if the port \
             expects TLS, use wss:// in the URL; otherwise look at the proxy before the server."
            .to_owned(),
        other => format!("The server cannot be asked ({other}): look at the server and at the proxy before it."),
    }
}
