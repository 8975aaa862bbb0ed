//! Requests over HTTP/1.1, with and without TLS, in which everything has a bound: the time they take, the
//! answer's length, and the connections that are kept for the next one. It never follows redirects, and never asks
//! proxies of the environment.

mod client;
mod error;
pub mod tls;
mod url;

pub use client::{Answer, HttpClient, Limits, Post};
pub use error::{HttpError, UrlError};
pub use url::Url;
