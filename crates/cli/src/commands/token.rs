//! `trackyard token create`: access for one participant or program.

use std::time::Duration;

use anyhow::Context;
use clap::builder::NonEmptyStringValueParser;
use clap::{ArgAction, Args, Subcommand};
use serde_json::json;
use trackyard_auth::{NamePatterns, Token as AccessToken, TrackNames, VideoGrant};
use trackyard_server::config::{DEV_KEY, DEV_SECRET, parse_duration};

use crate::failure::Failure;
use crate::pair::pair;
use crate::{Outcome, clock, output};

/// Make access tokens
#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    Create(Box<Create>),
}

/// Make an access token, signed here; no server is asked
#[derive(Debug, Args)]
#[command(after_help = "\
With --room the token lets its bearer join that room, unless only --admin, --create or --list is given.
Patterns of track names: `*` and `?` stay between slashes, `**` goes across them, `{a,b}` is a choice.

Examples:
  trackyard token create --dev --room yard --identity robot-1
  trackyard token create --room yard --identity viewer --can-publish=false --can-publish-data=false
  trackyard token create --room yard --identity robot-1 --publish-tracks 'robot-1/**' --attribute site=north
  eval \"$(trackyard token create --dev --room yard --identity me --url ws://localhost:7880)\"")]
pub(crate) struct Create {
    /// Who it is for; unique in the room
    #[arg(long, short, value_name = "NAME")]
    identity: Option<String>,
    /// Room to join or administer
    #[arg(long, short, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    room: Option<String>,
    /// Name to show to others
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// First metadata of the participant
    #[arg(long, value_name = "TEXT")]
    metadata: Option<String>,
    /// First attribute of the participant; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    attribute: Vec<(String, String)>,
    /// How long it is valid, such as 30m or 24h
    #[arg(long, value_name = "DURATION", default_value = "6h", value_parser = validity)]
    valid_for: Duration,
    #[command(flatten)]
    grants: Grants,
    #[command(flatten)]
    signer: Signer,
    /// Print LIVEKIT_URL=… and LIVEKIT_TOKEN=… instead of the token alone
    #[arg(long, value_name = "URL", conflicts_with = "json")]
    url: Option<String>,
    /// Print the token and what it says in JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Grants")]
struct Grants {
    /// Join the room; what --room means by itself
    #[arg(long, requires = "room")]
    join: bool,
    /// Administer the room
    #[arg(long, requires = "room")]
    admin: bool,
    /// Create rooms
    #[arg(long)]
    create: bool,
    /// List rooms
    #[arg(long)]
    list: bool,
    /// Stay unseen by others
    #[arg(long)]
    hidden: bool,
    /// Publish audio, video and data [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    can_publish: Option<bool>,
    /// Publish data, whatever --can-publish says [default: as --can-publish]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    can_publish_data: Option<bool>,
    /// Subscribe to others [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    can_subscribe: Option<bool>,
    /// Change one's own name, metadata and attributes [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    can_update_own_metadata: Option<bool>,
    /// Data tracks that may be published, by name; may be repeated [default: all]
    #[arg(long, value_name = "PATTERN")]
    publish_tracks: Vec<String>,
    /// Data tracks that may be subscribed to, by name; may be repeated [default: all]
    #[arg(long, value_name = "PATTERN")]
    subscribe_tracks: Vec<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Signed with")]
struct Signer {
    /// API key
    #[arg(long, value_name = "KEY", env = "LIVEKIT_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// Its secret; better given in the environment, as others see arguments
    #[arg(long, value_name = "SECRET", env = "LIVEKIT_API_SECRET", hide_env_values = true)]
    api_secret: Option<String>,
    /// The key of development servers: `devkey` with `secret`
    #[arg(long)]
    dev: bool,
}

impl Create {
    pub(crate) fn run(self) -> Outcome {
        let (key, secret) = self.signer.pair()?;
        let token = self.token()?;
        let now = clock::unix_s();
        let jwt = token.to_jwt(&key, &secret, now).context("the token cannot be signed")?;
        let text = match &self.url {
            _ if self.json => return self.print_json(&key, &jwt, now),
            Some(url) => format!("LIVEKIT_URL={url}\nLIVEKIT_TOKEN={jwt}\n"),
            None => format!("{jwt}\n"),
        };
        Ok(output::print(&text)?)
    }

    fn token(&self) -> Result<AccessToken, Failure> {
        let grant = self.grants.video(self.room.as_deref());
        let identity = self.identity.clone().unwrap_or_default();
        if grant.room_join && identity.is_empty() {
            return Err(Failure::Usage("a token to join a room needs --identity".to_owned()));
        }
        if !(grant.room_join || grant.room_admin || grant.room_create || grant.room_list) {
            return Err(Failure::Usage("a token needs --room, --create or --list".to_owned()));
        }
        let mut token = AccessToken::new(identity)
            .grant(grant)
            .track_names(self.grants.track_names()?)
            .validity(self.valid_for);
        if let Some(name) = &self.name {
            token = token.name(name);
        }
        if let Some(metadata) = &self.metadata {
            token = token.metadata(metadata);
        }
        Ok(self.attribute.iter().fold(token, |token, (key, value)| token.attribute(key, value)))
    }

    fn print_json(&self, key: &str, jwt: &str, now: u64) -> Outcome {
        Ok(output::print_json(&json!({
            "token": jwt,
            "api_key": key,
            "identity": self.identity,
            "room": self.room,
            "expires_at": now.saturating_add(self.valid_for.as_secs()),
            "video": self.grants.video(self.room.as_deref()),
            "track_names": self.grants.track_names()?,
        }))?)
    }
}

impl Grants {
    fn video(&self, room: Option<&str>) -> VideoGrant {
        let other = self.admin || self.create || self.list;
        VideoGrant {
            room: room.unwrap_or_default().to_owned(),
            room_join: room.is_some() && (self.join || !other),
            room_admin: self.admin,
            room_create: self.create,
            room_list: self.list,
            hidden: self.hidden,
            can_publish: self.can_publish,
            can_publish_data: self.can_publish_data,
            can_subscribe: self.can_subscribe,
            can_update_own_metadata: self.can_update_own_metadata,
            ..VideoGrant::default()
        }
    }

    fn track_names(&self) -> Result<TrackNames, Failure> {
        Ok(TrackNames {
            publish_tracks: patterns("--publish-tracks", &self.publish_tracks)?,
            subscribe_tracks: patterns("--subscribe-tracks", &self.subscribe_tracks)?,
        })
    }
}

fn patterns(flag: &str, texts: &[String]) -> Result<Option<NamePatterns>, Failure> {
    if texts.is_empty() {
        return Ok(None);
    }
    NamePatterns::new(texts).map(Some).map_err(|error| Failure::Usage(format!("{flag}: {error}")))
}

impl Signer {
    fn pair(&self) -> Result<(String, String), Failure> {
        if self.dev {
            return Ok((DEV_KEY.to_owned(), DEV_SECRET.to_owned()));
        }
        let set = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
        set(&self.api_key).zip(set(&self.api_secret)).ok_or_else(|| {
            let text = "no key to sign with; give --api-key and --api-secret, set LIVEKIT_API_KEY and LIVEKIT_API_SECRET, or use --dev";
            Failure::Usage(text.to_owned())
        })
    }
}

fn validity(text: &str) -> Result<Duration, String> {
    let valid = parse_duration(text).filter(|duration| duration.as_secs() > 0);
    valid.ok_or_else(|| "it takes a duration of at least a second, such as 30m or 24h".to_owned())
}
