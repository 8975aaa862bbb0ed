//! The way into a room, which all verbs that are clients share.

mod access;
mod administration;
mod certificates;
mod encryption;
mod service;
pub(crate) mod url;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use trackyard::{ConnectError, Room, RoomEvents, RoomOptions, SignalError};

use self::access::Access;
use crate::duration::positive_duration;
use crate::failure::Failure;
use crate::sensitive::Sensitive;

pub(crate) use self::service::{Service, refusal};

const URL_DEFAULT: &str = "ws://localhost:7880";

/// How to get into a room.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// The server, of LiveKit or ours
    #[arg(long, value_name = "URL", env = "LIVEKIT_URL", hide_env_values = true, default_value = URL_DEFAULT)]
    pub(crate) url: String,
    /// Room to join; what a token does not need [default with the key of `trackyard dev`: demo]
    #[arg(long, short, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) room: Option<String>,
    /// Who to join as; what a token does not need [default: a name with a random end]
    #[arg(long, short, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) identity: Option<String>,
    /// API key [env: LIVEKIT_API_KEY]
    #[arg(long, value_name = "KEY", requires = "api_secret")]
    api_key: Option<String>,
    /// Its secret; better given in the environment, as others see arguments [env: LIVEKIT_API_SECRET]
    #[arg(long, value_name = "SECRET", requires = "api_key")]
    api_secret: Option<Sensitive>,
    /// Token to join with instead of a key; better given in the environment [env: LIVEKIT_TOKEN]
    #[arg(long, value_name = "TOKEN", conflicts_with_all = ["api_key", "api_secret"])]
    token: Option<Sensitive>,
    /// How long to wait for the connection, and then for what is asked for, such as 500ms or 10s
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = positive_duration)]
    pub(crate) timeout: Duration,
    /// File with certificates in PEM that are trusted beside the system's
    #[arg(long, value_name = "FILE")]
    root_certificate: Option<PathBuf>,
    /// Passphrase of end-to-end encryption; better given in the environment
    #[arg(long, value_name = "TEXT", env = "TRACKYARD_E2EE_PASSPHRASE", hide_env_values = true)]
    e2ee_passphrase: Option<Sensitive>,
    /// Use a peer connection for each direction, as older servers need
    #[arg(long)]
    dual: bool,
}

/// What a client is in a room for; its token allows no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Receives, and is not seen by others.
    Observer,
    /// Publishes and receives, and is seen.
    Publisher,
    /// The same, and changes its own attributes.
    Editor,
}

/// Everything that is needed to join as often as is liked.
#[derive(Debug, Clone)]
pub(crate) struct Entrance {
    url: String,
    access: Access,
    options: RoomOptions,
}

impl Connection {
    /// Reads what the flags and the environment say, files included.
    ///
    /// # Errors
    /// [`Failure::Usage`] if it is too little, or makes no sense.
    pub(crate) fn entrance(&self) -> Result<Entrance, Failure> {
        let access = Access::find(self, |name| std::env::var(name).ok())?;
        Ok(Entrance { url: self.url.clone(), access, options: self.options()? })
    }

    /// What a room is connected to with, whoever connects.
    ///
    /// # Errors
    /// The root certificate cannot be read, or the passphrase is none.
    pub(crate) fn options(&self) -> Result<RoomOptions, Failure> {
        let mut options =
            RoomOptions::new().with_connect_timeout(self.timeout).with_single_peer_connection(!self.dual);
        if let Some(path) = &self.root_certificate {
            options = options.with_root_certificates(certificates::read(path)?);
        }
        if let Some(passphrase) = self.passphrase() {
            options = options.with_encryption(encryption::by_passphrase(passphrase)?);
        }
        Ok(options)
    }

    /// Whether end-to-end encryption is asked for; an empty variable asks for nothing.
    pub(crate) fn passphrase(&self) -> Option<&Sensitive> {
        self.e2ee_passphrase.as_ref().filter(|passphrase| !passphrase.expose().is_empty())
    }
}

impl Entrance {
    /// A room of a server, by a key; each who joins says by a suffix who it is.
    pub(crate) fn by_key((url, room): (&str, &str), (key, secret): (&str, &Sensitive)) -> Self {
        let access = Access::Key {
            key: key.to_owned(),
            secret: secret.clone(),
            room: room.to_owned(),
            identity: "trackyard".to_owned(),
        };
        Self { url: url.to_owned(), access, options: RoomOptions::new() }
    }

    /// The same with a peer connection for each direction, or one for both.
    pub(crate) fn with_dual(mut self, is_dual: bool) -> Self {
        self.options = self.options.with_single_peer_connection(!is_dual);
        self
    }

    /// Joins under a name that is told apart from others by this suffix, unless a token says who it is.
    ///
    /// # Errors
    /// As [`connect`].
    pub(crate) async fn join(&self, role: Role, suffix: &str) -> Result<(Room, RoomEvents), Failure> {
        let token = self.access.token(role, suffix);
        Room::connect(&self.url, token, self.options.clone()).await.map_err(failure)
    }

    /// A token for one join, for those that look at it themselves.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub(crate) fn token_text(&self, role: Role, suffix: &str) -> Result<Sensitive, Failure> {
        let signed = self.access.text(role, suffix).context("the token cannot be signed");
        Ok(signed?)
    }

    /// What a room is connected to with.
    pub(crate) fn options(&self) -> &RoomOptions {
        &self.options
    }

    /// The server's URL, as given.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The same room by way of another URL.
    pub(crate) fn by_way_of(mut self, url: String) -> Self {
        self.url = url;
        self
    }

    /// The same with encryption, and with keys that no other client of this process waits for.
    ///
    /// # Errors
    /// When no keys can be made of the passphrase.
    pub(crate) fn encrypted(mut self, passphrase: &Sensitive) -> Result<Self, Failure> {
        self.options = self.options.with_encryption(encryption::by_passphrase(passphrase)?);
        Ok(self)
    }

    /// Whether a token says who joins, so that each who joins puts out the one before.
    pub(crate) fn is_for_one(&self) -> bool {
        matches!(self.access, Access::Token(_))
    }
}

/// Joins the room.
///
/// # Errors
/// [`Failure::Usage`] if the flags and the environment say too little, [`Failure::Connect`] if no
/// connection comes about.
pub(crate) async fn connect(args: &Connection, role: Role) -> Result<(Room, RoomEvents), Failure> {
    args.entrance()?.join(role, "").await
}

/// What the user reads of it. The URL itself is not repeated: people write passwords into them.
fn failure(error: ConnectError) -> Failure {
    match error {
        ConnectError::Url { message, .. } => {
            Failure::Usage(format!("--url: {message}; it looks like wss://host or {URL_DEFAULT}"))
        }
        ConnectError::Signal(SignalError::Tls { host, message }) => Failure::Connect(anyhow!(
            "no TLS with `{host}` ({message}): check the certificate's name, dates and issuer; \
             a private issuer's is given with --root-certificate"
        )),
        other => Failure::Connect(other.into()),
    }
}
