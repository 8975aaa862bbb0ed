//! Accepts HTTP connections: bounded in number, in the time a request's head may take, and in age.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Layer;
use tower::util::MapRequestLayer;
use tracing::{debug, warn};

/// Connections served at once on one address; more wait in the listener's backlog.
const CONNECTIONS_MAX: usize = 20_000;
/// A request whose head takes longer is cut off.
const HEAD_MAX: Duration = Duration::from_secs(10);
/// How long connections last until they are upgraded.
const PATIENCE: Patience =
    Patience { age_max: Duration::from_secs(60), farewell_max: Duration::from_secs(30) };
/// Bytes of a request's head: a token may hold 512 KiB of metadata. The request target itself is bounded
/// to 64 KiB by the HTTP library.
const HEAD_BYTES_MAX: usize = 1024 * 1024;
/// Pause when the process has run out of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `router` on `listener` until told to stop, then lets requests under way end.
pub(crate) async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let connections = TaskTracker::new();
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    while let Some((stream, address, permit)) = accept(&listener, &permits, &stop).await {
        let terms = Terms { stop: stop.clone(), patience: PATIENCE, _permit: permit };
        connections.spawn(connection(stream, address, router.clone(), terms));
    }
    connections.close();
    connections.wait().await;
}

async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    loop {
        let permit = stop.run_until_cancelled(Arc::clone(permits).acquire_owned()).await?.ok()?;
        match stop.run_until_cancelled(listener.accept()).await? {
            Ok((stream, address)) => return Some((stream, address, permit)),
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// On which terms a connection is served.
struct Terms {
    stop: CancellationToken,
    patience: Patience,
    /// Held for as long as it is served.
    _permit: OwnedSemaphorePermit,
}

/// How long a connection is served that is not upgraded, as one of which nothing is ever read could
/// else keep its place for good.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// From then on no further request is taken.
    age_max: Duration,
    /// The last answer has to be out after this.
    farewell_max: Duration,
}

async fn connection(stream: TcpStream, address: SocketAddr, router: Router, terms: Terms) {
    // Signalling is small messages that someone waits for.
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "TCP_NODELAY could not be set");
    }
    let service = MapRequestLayer::new(move |request| prepare(request, address)).layer(router);
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .with_upgrades();
    tokio::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => Ok(ended),
        // Over: by age, or because the server stops.
        _ = timeout(terms.patience.age_max, terms.stop.cancelled()) => {
            served.as_mut().graceful_shutdown();
            timeout(terms.patience.farewell_max, served).await
        }
    };
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!(%address, %error, "HTTP connection ended"),
        Err(_) => debug!(%address, "HTTP connection cut off: its last answer was not taken"),
    }
}

/// Notes who asks, and takes the second slash off `//rtc`, which clients build from a URL that ends in one.
fn prepare<B>(mut request: Request<B>, address: SocketAddr) -> Request<B> {
    request.extensions_mut().insert(ConnectInfo(address));
    if let Some(uri) = without_double_slash(request.uri()) {
        *request.uri_mut() = uri;
    }
    request
}

fn without_double_slash(uri: &Uri) -> Option<Uri> {
    let text = uri.path_and_query()?.as_str();
    let rest = text.strip_prefix("//")?;
    let path: PathAndQuery = format!("/{}", rest.trim_start_matches('/')).parse().ok()?;
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::AsyncWriteExt;

    use super::*;

    fn check(given: &str, expected: &str) {
        let request = Request::builder().uri(given).body(()).unwrap();
        let prepared = prepare(request, SocketAddr::from(([127, 0, 0, 1], 1)));
        assert_eq!(prepared.uri().to_string(), expected);
    }

    #[tokio::test]
    async fn a_connection_of_which_nothing_is_read_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let (stream, address) = listener.accept().await.unwrap();
        let router = Router::new().route("/", get(|| async { vec![0; 64 * 1024 * 1024] }));
        let place = Arc::new(Semaphore::new(1));
        let brief = Duration::from_millis(50);
        let terms = Terms {
            stop: CancellationToken::new(),
            patience: Patience { age_max: brief, farewell_max: brief },
            _permit: Arc::clone(&place).acquire_owned().await.unwrap(),
        };
        let served = timeout(Duration::from_secs(10), connection(stream, address, router, terms));
        served.await.expect("it is not served for good");
        assert_eq!(place.available_permits(), 1);
        drop(client);
    }

    #[test]
    fn a_double_slash_is_collapsed() {
        check("//rtc?a=1", "/rtc?a=1");
        check("///rtc/v1", "/rtc/v1");
        check("/rtc//x", "/rtc//x");
        check("/", "/");
    }
}
