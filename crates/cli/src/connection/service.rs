//! The way to a server's API, which all verbs that administer share.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;
use trackyard_api::{ClientOptions, Code, HttpError, RequestError, RoomServiceClient, SetupError};
use trackyard_server::config::{DEV_KEY, DEV_SECRET};

use super::{URL_DEFAULT, certificates, url};
use crate::duration::positive_duration;
use crate::failure::Failure;
use crate::sensitive::Sensitive;
use crate::text::printable;

/// How to get to a server's API.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Service {
    /// The server, of LiveKit or ours
    #[arg(long, value_name = "URL", env = "LIVEKIT_URL", hide_env_values = true, default_value = URL_DEFAULT)]
    url: String,
    /// API key [env: LIVEKIT_API_KEY]
    #[arg(long, value_name = "KEY", requires = "api_secret")]
    api_key: Option<String>,
    /// Its secret; better given in the environment, as others see arguments [env: LIVEKIT_API_SECRET]
    #[arg(long, value_name = "SECRET", requires = "api_key")]
    api_secret: Option<Sensitive>,
    /// Token that allows what is asked for, instead of a key; better given in the environment [env: LIVEKIT_TOKEN]
    #[arg(long, value_name = "TOKEN", conflicts_with_all = ["api_key", "api_secret"])]
    token: Option<Sensitive>,
    /// How long the server may take, such as 500ms or 10s
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = positive_duration)]
    timeout: Duration,
    /// File with certificates in PEM that are trusted beside the system's
    #[arg(long, value_name = "FILE")]
    root_certificate: Option<PathBuf>,
}

impl Service {
    /// What asks the server.
    ///
    /// # Errors
    /// [`Failure::Usage`] if the flags and the environment say too little, or make no sense.
    pub(crate) fn client(&self) -> Result<RoomServiceClient, Failure> {
        let roots = self.root_certificate.as_deref().map(certificates::read).transpose()?.unwrap_or_default();
        let options = ClientOptions { time_max: self.timeout, roots };
        let client = self.credentials(|name| std::env::var(name).ok())?;
        client.and_then(|client| client.options(&options)).map_err(|error| setup(&error))
    }

    /// Flags come before the environment. A key comes before a token of the environment, which as a rule is one to
    /// join with.
    fn credentials(
        &self,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Result<RoomServiceClient, SetupError>, Failure> {
        let env = |name| env(name).filter(|value| !value.is_empty());
        let by_key = |key: String, secret: &str| RoomServiceClient::new(&self.url, key, secret);
        if let Some(token) = &self.token {
            return Ok(RoomServiceClient::with_token(&self.url, token.expose()));
        }
        if let (Some(key), Some(secret)) = (&self.api_key, &self.api_secret) {
            return Ok(by_key(key.clone(), secret.expose()));
        }
        match (env("LIVEKIT_API_KEY"), env("LIVEKIT_API_SECRET"), env("LIVEKIT_TOKEN")) {
            (Some(key), Some(secret), _) => Ok(by_key(key, &secret)),
            (Some(_), None, _) => Err(usage("LIVEKIT_API_KEY is set, and LIVEKIT_API_SECRET is not")),
            (None, Some(_), _) => Err(usage("LIVEKIT_API_SECRET is set, and LIVEKIT_API_KEY is not")),
            (None, None, Some(token)) => Ok(RoomServiceClient::with_token(&self.url, token)),
            (None, None, None) if url::is_loopback(&self.url) => {
                say!(
                    "note: no key is given; using `{DEV_KEY}` and `{DEV_SECRET}`, as `trackyard dev` has them"
                );
                Ok(by_key(DEV_KEY.to_owned(), DEV_SECRET))
            }
            (None, None, None) => Err(usage(
                "nothing to ask with; give --api-key and --api-secret, or --token, \
                 or set LIVEKIT_API_KEY and LIVEKIT_API_SECRET, or LIVEKIT_TOKEN",
            )),
        }
    }
}

/// What the user reads of a request that has not worked, and the exit code with it.
pub(crate) fn refusal(error: RequestError) -> Failure {
    match error {
        RequestError::Http(HttpError::Timeout { .. }) => {
            Failure::TimedOut("the server has not answered in time".to_owned())
        }
        RequestError::Http(HttpError::Connect { .. }) => Failure::Connect(anyhow::Error::new(error)),
        RequestError::NotApi { status } => Failure::Connect(anyhow!(
            "what answers ({status}) is not the API of a server; check --url, and what is in between"
        )),
        RequestError::Refused { ref error, .. } => {
            let message = printable(&error.message).into_owned();
            match error.code {
                Code::NotFound => Failure::NotFound(message),
                Code::Unauthenticated | Code::PermissionDenied => {
                    Failure::Connect(anyhow!("the key or token does not allow this: {message}"))
                }
                code => Failure::Failed(anyhow!("{code}: {message}")),
            }
        }
        error => Failure::Failed(anyhow::Error::new(error)),
    }
}

/// The URL itself is not repeated: people write passwords into them.
fn setup(error: &SetupError) -> Failure {
    usage(&format!("--url: {error}; it looks like wss://host or {URL_DEFAULT}"))
}

fn usage(text: &str) -> Failure {
    Failure::Usage(text.to_owned())
}
