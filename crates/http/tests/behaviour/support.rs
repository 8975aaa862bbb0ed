//! A server that says what it is told to, byte by byte.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use trackyard_http::{Answer, HttpClient, HttpError, Limits, Post, Url};

/// Serves until it is dropped.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) connections: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Site {
    /// Answers each request with these bytes, and closes the connection afterwards if asked to.
    pub(crate) async fn saying(answer: impl Into<Vec<u8>>, closing: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let (answer, counter) = (answer.into(), Arc::clone(&connections));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut served = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::Relaxed);
                let answer = answer.clone();
                served.spawn(async move { converse(stream, &answer, closing).await });
            }
        });
        Self { address, connections, _tasks: tasks }
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        format!("http://{}{path}", self.address).parse().unwrap()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// Answers requests that end in `!`.
pub(crate) async fn converse<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, answer: &[u8], closing: bool) {
    let mut request = Vec::new();
    while let Ok(count) = stream.read_buf(&mut request).await {
        if count == 0 {
            return;
        }
        if request.ends_with(b"!") {
            request.clear();
            if stream.write_all(answer).await.is_err() || closing {
                return;
            }
        }
    }
}

pub(crate) fn limits() -> Limits {
    Limits { time: Duration::from_secs(20), answer_bytes: 1_024 }
}

pub(crate) async fn post(url: &Url, limits: Limits) -> Result<Answer, HttpError> {
    let client = HttpClient::new(&[]).unwrap();
    client.post(Post { url, headers: HeaderMap::new(), body: Bytes::from_static(b"hello!"), limits }).await
}
