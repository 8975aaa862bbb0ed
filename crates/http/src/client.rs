//! One request after another, over connections that are kept for a while.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;

use crate::error::{HttpError, innermost};
use crate::tls::{self, RootsError};
use crate::url::Url;

/// Connections to one server that are kept while nothing is asked.
const IDLE_CONNECTIONS_MAX: usize = 8;
/// How long they are kept; shorter than servers and proxies in between commonly do.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// How long connecting may take, beside the time for the whole request; other addresses share it.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// The head of an answer.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Asks servers over HTTP/1.1. Cheap to clone: clones share connections.
#[derive(Debug, Clone)]
pub struct HttpClient {
    connections: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// What to send.
#[derive(Debug)]
pub struct Post<'u> {
    /// Where.
    pub url: &'u Url,
    /// Beside those that HTTP itself needs.
    pub headers: HeaderMap,
    /// What.
    pub body: Bytes,
    /// How much of anything is allowed.
    pub limits: Limits,
}

/// How much of anything is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the first step to the last byte of the answer.
    pub time: Duration,
    /// Of the answer's body.
    pub answer_bytes: usize,
}

/// What came back, whatever its status: redirects come back as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// How it went.
    pub status: StatusCode,
    /// What the server says about the body.
    pub headers: HeaderMap,
    /// All of it.
    pub body: Bytes,
}

impl HttpClient {
    /// Trusts the platform's roots and these, certificates in DER.
    ///
    /// # Errors
    /// [`RootsError`] if one is no certificate.
    pub fn new(roots: &[Vec<u8>]) -> Result<Self, RootsError> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_MAX));
        let connector = HttpsConnector::from((tcp, tls::client_config(roots)?));
        let connections = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .http1_max_buf_size(HEAD_BYTES_MAX)
            .build(connector);
        Ok(Self { connections })
    }

    /// Sends a body and waits for all of the answer.
    ///
    /// # Errors
    /// [`HttpError`] if there is no answer within the limits.
    ///
    /// # Cancel safety
    /// Cancelling closes the connection; whether the server has heard is not known then.
    pub async fn post(&self, post: Post<'_>) -> Result<Answer, HttpError> {
        let Post { url, headers, body, limits } = post;
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = url.uri();
        *request.headers_mut() = headers;
        let asked = self.ask(request, limits.answer_bytes);
        timeout(limits.time, asked).await.map_err(|_| HttpError::Timeout { limit: limits.time })?
    }

    async fn ask(&self, request: Request<Full<Bytes>>, bytes_max: usize) -> Result<Answer, HttpError> {
        let response = self.connections.request(request).await.map_err(|error| not_asked(&error))?;
        let (head, body) = response.into_parts();
        let body = whole(body, head.status, bytes_max).await?;
        Ok(Answer { status: head.status, headers: head.headers, body })
    }
}

async fn whole(mut body: Incoming, status: StatusCode, limit: usize) -> Result<Bytes, HttpError> {
    let mut received = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| HttpError::Broken { message: innermost(&error) })?;
        // Trailers say nothing that is wanted.
        let Ok(data) = frame.into_data() else { continue };
        if received.len() + data.len() > limit {
            return Err(HttpError::AnswerTooLarge { status, limit });
        }
        received.extend_from_slice(&data);
    }
    Ok(received.freeze())
}

fn not_asked(error: &Error) -> HttpError {
    let message = innermost(error);
    if error.is_connect() { HttpError::Connect { message } } else { HttpError::Broken { message } }
}
