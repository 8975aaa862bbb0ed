//! Rooms and participants, asked for over HTTP (protocol §10).

mod methods;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use trackyard_http::{Answer, HttpClient, Limits, Post, Url};
use trackyard_proto::Encoding;
use trackyard_proto::api::{ApiError, Code, Message, Method};

use crate::credentials::{Credentials, Scope};
use crate::error::{RequestError, SetupError};

/// How long a request may take unless told otherwise.
const TIME_MAX: Duration = Duration::from_secs(10);
/// Of a refusal.
const REFUSAL_CHARS_MAX: usize = 256;

/// Asks a server about its rooms and their participants, Trackyard or LiveKit. Cheap to clone: clones share
/// connections.
///
/// ```no_run
/// use trackyard_api::{Code, RoomServiceClient};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let rooms = RoomServiceClient::new("wss://data.example.org", "my-key", "my-secret")?;
/// for room in rooms.list_rooms(&[]).await? {
///     println!("{}: {} participants", room.name, room.num_participants);
/// }
/// match rooms.remove_participant("yard", "robot-1").await {
///     Err(error) if error.code() == Some(Code::NotFound) => println!("it was not there"),
///     other => other?,
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct RoomServiceClient {
    http: HttpClient,
    base: Url,
    credentials: Credentials,
    time_max: Duration,
}

/// What a client needs beside a server and a key.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// How long a request may take, 10 s by default.
    pub time_max: Duration,
    /// Certificates in DER that are trusted beside the platform's.
    pub roots: Vec<Vec<u8>>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self { time_max: TIME_MAX, roots: Vec::new() }
    }
}

impl RoomServiceClient {
    /// Asks the server at `url` (`https`, `http`, `wss` or `ws`) with an API key: each request is given a token that
    /// allows it, and nothing else.
    ///
    /// # Errors
    /// [`SetupError`] if the URL is none.
    #[cfg(feature = "auth")]
    pub fn new(url: &str, api_key: impl Into<String>, secret: impl Into<String>) -> Result<Self, SetupError> {
        let credentials = Credentials::Key { api_key: api_key.into(), secret: secret.into() };
        Self::open(url, credentials, &ClientOptions::default())
    }

    /// Asks with somebody's token, which has to allow what is asked for.
    ///
    /// # Errors
    /// [`SetupError`] if the URL is none.
    pub fn with_token(url: &str, token: impl Into<String>) -> Result<Self, SetupError> {
        Self::open(url, Credentials::Token(token.into()), &ClientOptions::default())
    }

    fn open(url: &str, credentials: Credentials, options: &ClientOptions) -> Result<Self, SetupError> {
        let http = HttpClient::new(&options.roots)?;
        Ok(Self { http, base: base(url)?, credentials, time_max: options.time_max })
    }

    /// The same with other options. Connections are made anew.
    ///
    /// # Errors
    /// [`SetupError`] if a root is no certificate.
    pub fn options(self, options: &ClientOptions) -> Result<Self, SetupError> {
        let http = HttpClient::new(&options.roots)?;
        Ok(Self { http, time_max: options.time_max, ..self })
    }

    /// The same with another token, over the same connections.
    #[must_use]
    pub fn token(&self, token: impl Into<String>) -> Self {
        Self { credentials: Credentials::Token(token.into()), ..self.clone() }
    }

    /// Asks, and waits for the answer.
    async fn ask<Q: Message, A: Message>(&self, request: &Q, ask: Ask<'_>) -> Result<A, RequestError> {
        let token = self.credentials.token(ask.scope)?;
        let encoding = encoding(ask.scope.method);
        let url = self.base.below(&ask.scope.method.path())?;
        let post = Post {
            url: &url,
            headers: headers(&token, encoding)?,
            body: Bytes::from(request.encode(encoding)),
            limits: Limits { time: self.time_max + ask.patience, answer_bytes: A::BYTES_MAX },
        };
        let answer = self.http.post(post).await?;
        read(&answer, encoding).map_err(|error| error.without(&token, REFUSAL_CHARS_MAX))
    }
}

/// How to ask.
#[derive(Debug, Clone, Copy)]
struct Ask<'r> {
    scope: Scope<'r>,
    /// How long the server itself may wait for somebody.
    patience: Duration,
}

/// Signalling and the API are at the same place.
fn base(url: &str) -> Result<Url, SetupError> {
    let url = url.trim();
    let url = match url.split_once("://") {
        Some(("ws", rest)) => format!("http://{rest}"),
        Some(("wss", rest)) => format!("https://{rest}"),
        _ => url.to_owned(),
    };
    Ok(url.parse()?)
}

/// What is our own has JSON alone.
fn encoding(method: Method) -> Encoding {
    if method == Method::PatchRoomMetadata { Encoding::Json } else { Encoding::Binary }
}

fn headers(token: &str, encoding: Encoding) -> Result<HeaderMap, RequestError> {
    let bearer = HeaderValue::try_from(format!("Bearer {token}"));
    let mut bearer = bearer
        .map_err(|_| RequestError::Token { message: "the token has characters of no token".to_owned() })?;
    bearer.set_sensitive(true);
    let content_type = match encoding {
        Encoding::Binary => "application/protobuf",
        Encoding::Json => "application/json",
    };
    Ok(HeaderMap::from_iter([
        (header::AUTHORIZATION, bearer),
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
    ]))
}

fn read<A: Message>(answer: &Answer, encoding: Encoding) -> Result<A, RequestError> {
    let status = answer.status.as_u16();
    if !answer.status.is_success() {
        let error = ApiError::decode(&answer.body).or_else(|| token_refused(answer));
        let error = error.ok_or(RequestError::NotApi { status })?;
        return Err(RequestError::Refused { status, error });
    }
    // A page that says hello with a 200 is no answer either, though an empty one would pass for a message.
    if content_type(answer).starts_with("text/") {
        return Err(RequestError::NotApi { status });
    }
    A::decode(&answer.body, encoding).map_err(RequestError::Answer)
}

/// Servers look at tokens before they look for methods, and say in plain text what is wrong with one (protocol §1.2);
/// some repeat it.
fn token_refused(answer: &Answer) -> Option<ApiError> {
    let is_text = matches!(content_type(answer), "") || content_type(answer).starts_with("text/plain");
    let text = String::from_utf8_lossy(&answer.body);
    let is_refusal = answer.status == StatusCode::UNAUTHORIZED && is_text;
    is_refusal.then(|| ApiError::new(Code::Unauthenticated, text.trim()))
}

fn content_type(answer: &Answer) -> &str {
    answer.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
