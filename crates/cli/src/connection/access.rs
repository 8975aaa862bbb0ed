//! By what right a room is joined: a token that was given, or tokens made with a key.

use std::time::Duration;

use trackyard::Token as RoomToken;
use trackyard_auth::{SignError, Token, VideoGrant};
use trackyard_server::config::{DEV_KEY, DEV_SECRET};

use super::{Connection, Role, url};
use crate::clock;
use crate::failure::Failure;
use crate::sensitive::Sensitive;
use crate::text::printable;

/// A token of ours serves one join, and a new one is made for the next.
const VALIDITY: Duration = Duration::from_secs(5 * 60);
/// The room that `trackyard dev` is for unless told otherwise.
const DEV_ROOM: &str = "demo";

/// By what right a room is joined.
#[derive(Debug, Clone)]
pub(super) enum Access {
    /// A token, which says who it is.
    Token(Sensitive),
    /// A key, with which tokens are made.
    Key { key: String, secret: Sensitive, room: String, identity: String },
}

impl Access {
    /// Flags come before the environment, and a token before a key.
    pub(super) fn find(args: &Connection, env: impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let env = |name| env(name).filter(|value| !value.is_empty());
        if let Some(token) = &args.token {
            return Ok(Self::Token(token.clone()));
        }
        if let (Some(key), Some(secret)) = (&args.api_key, &args.api_secret) {
            return Self::by_key(args, (key.clone(), secret.clone()), None);
        }
        if let Some(token) = env("LIVEKIT_TOKEN") {
            return Ok(Self::Token(token.into()));
        }
        match (env("LIVEKIT_API_KEY"), env("LIVEKIT_API_SECRET")) {
            (Some(key), Some(secret)) => Self::by_key(args, (key, secret.into()), None),
            (Some(_), None) => Err(usage("LIVEKIT_API_KEY is set, and LIVEKIT_API_SECRET is not")),
            (None, Some(_)) => Err(usage("LIVEKIT_API_SECRET is set, and LIVEKIT_API_KEY is not")),
            (None, None) if url::is_loopback(&args.url) => Self::by_development_key(args),
            (None, None) => Err(usage(
                "nothing to join with; give --token, or --api-key and --api-secret with --room, \
                 or set LIVEKIT_TOKEN, or LIVEKIT_API_KEY and LIVEKIT_API_SECRET",
            )),
        }
    }

    fn by_development_key(args: &Connection) -> Result<Self, Failure> {
        let room = args.room.as_deref().unwrap_or(DEV_ROOM);
        say!(
            "note: no key is given; joining `{}` with `{DEV_KEY}` and `{DEV_SECRET}`, as `trackyard dev` has them",
            printable(room)
        );
        Self::by_key(args, (DEV_KEY.to_owned(), DEV_SECRET.to_owned().into()), Some(DEV_ROOM))
    }

    fn by_key(
        args: &Connection,
        (key, secret): (String, Sensitive),
        room: Option<&str>,
    ) -> Result<Self, Failure> {
        let room = args.room.as_deref().or(room).ok_or_else(|| usage("a key needs --room"))?.to_owned();
        // Whoever joins under a name that is taken puts the other out.
        let identity = || format!("trackyard-{:08x}", fastrand::u32(..));
        let identity = args.identity.clone().unwrap_or_else(identity);
        Ok(Self::Key { key, secret, room, identity })
    }

    /// What to show at one join, as text.
    pub(super) fn text(&self, role: Role, suffix: &str) -> Result<Sensitive, SignError> {
        match self {
            Self::Token(token) => Ok(token.clone()),
            Self::Key { key, secret, room, identity } => {
                let token = Token::new(format!("{identity}{suffix}")).grant(grant(room, role));
                token.validity(VALIDITY).to_jwt(key, secret.expose(), clock::unix_s()).map(Sensitive::from)
            }
        }
    }

    /// What to show at each join.
    pub(super) fn token(&self, role: Role, suffix: &str) -> RoomToken {
        match self {
            Self::Token(token) => token.expose().into(),
            Self::Key { key, secret, room, identity } => {
                let token = Token::new(format!("{identity}{suffix}")).grant(grant(room, role));
                let (token, key, secret) = (token.validity(VALIDITY), key.clone(), secret.clone());
                RoomToken::provider(move || {
                    std::future::ready(token.to_jwt(&key, secret.expose(), clock::unix_s()))
                })
            }
        }
    }
}

/// No more than the role needs.
fn grant(room: &str, role: Role) -> VideoGrant {
    let join = VideoGrant::join(room);
    match role {
        Role::Observer => VideoGrant {
            hidden: true,
            can_publish: Some(false),
            can_publish_data: Some(false),
            can_subscribe: Some(true),
            ..join
        },
        Role::Publisher | Role::Editor => VideoGrant {
            can_publish_data: Some(true),
            can_subscribe: Some(true),
            can_update_own_metadata: (role == Role::Editor).then_some(true),
            ..join
        },
    }
}

fn usage(text: &str) -> Failure {
    Failure::Usage(text.to_owned())
}

#[cfg(test)]
mod tests;
