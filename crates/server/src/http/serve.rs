//! Accepts HTTP connections: bounded in number, in all and from one address, in the size of a request's head
//! and the time it may take, and in age.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use prometheus_client::metrics::counter::Counter;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Layer;
use tower::util::MapRequestLayer;
use tracing::{debug, warn};

use super::places::{Place, Places};

/// Connections served at once on one address; more wait in the listener's backlog.
const CONNECTIONS_MAX: usize = 20_000;
/// Of these, from one address, as for ICE/TCP. A connection that is upgraded counts no longer.
const PER_ADDRESS_MAX: usize = 256;
/// What the others are told.
const TOO_MANY: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 39\r\nConnection: close\r\n\r\ntoo many connections from this address\n";
/// A request whose head takes longer is cut off.
const HEAD_MAX: Duration = Duration::from_secs(10);
/// How long connections last until they are upgraded.
const PATIENCE: Patience =
    Patience { age_max: Duration::from_secs(60), farewell_max: Duration::from_secs(30) };
/// Bytes of a request's head, which whoever connects may make the server hold: the request target, which the
/// HTTP library bounds to 64 KiB, and a token in a header that holds as much.
const HEAD_BYTES_MAX: usize = 128 * 1024;
/// Pause when the process has run out of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often that is said.
const WARNING_PAUSE: Duration = Duration::from_secs(10);

/// Serves `router` on `listener` until told to stop, then lets requests under way end. Connections that
/// are refused are counted in `refused`.
pub(crate) async fn serve(listener: TcpListener, router: Router, stop: CancellationToken, refused: Counter) {
    let connections = TaskTracker::new();
    let mut gate = Gate::new(listener, refused);
    while let Some(entrant) = stop.run_until_cancelled(gate.next()).await {
        let Entrant { stream, address, permit, place } = entrant;
        let terms = Terms { stop: stop.clone(), patience: PATIENCE, _permit: permit, _place: place };
        connections.spawn(connection(stream, address, router.clone(), terms));
    }
    connections.close();
    connections.wait().await;
}

/// Lets connections in as long as there are places.
struct Gate {
    listener: TcpListener,
    permits: Arc<Semaphore>,
    places: Arc<Places>,
    refused: Counter,
    failures: Failures,
}

/// A connection that is let in.
struct Entrant {
    stream: TcpStream,
    address: SocketAddr,
    permit: OwnedSemaphorePermit,
    place: Place,
}

impl Gate {
    fn new(listener: TcpListener, refused: Counter) -> Self {
        let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        Self {
            listener,
            permits,
            places: Places::new(PER_ADDRESS_MAX),
            refused,
            failures: Failures::default(),
        }
    }

    async fn next(&mut self) -> Entrant {
        loop {
            let permit = Arc::clone(&self.permits).acquire_owned().await.expect("it is never closed");
            let (stream, address) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    if let Some(count) = self.failures.due(Instant::now()) {
                        warn!(%error, count, "connections could not be accepted");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            match self.places.take(address.ip()) {
                Some(place) => return Entrant { stream, address, permit, place },
                None => self.refuse(&stream),
            }
        }
    }

    /// Waits for nothing, neither for the request nor for the answer to be taken.
    fn refuse(&self, stream: &TcpStream) {
        self.refused.inc();
        if let Err(error) = stream.try_write(TOO_MANY) {
            debug!(%error, "a connection was refused without a word");
        }
    }
}

/// Failures to accept, of which as many may come as there are pauses.
#[derive(Debug, Default)]
struct Failures {
    unsaid: u64,
    said: Option<Instant>,
}

impl Failures {
    /// Counts one more; how many there have been since it was last said, if it is to be said now.
    fn due(&mut self, now: Instant) -> Option<u64> {
        self.unsaid += 1;
        if self.said.is_some_and(|said| now.saturating_duration_since(said) < WARNING_PAUSE) {
            return None;
        }
        self.said = Some(now);
        Some(std::mem::take(&mut self.unsaid))
    }
}

/// On which terms a connection is served.
struct Terms {
    stop: CancellationToken,
    patience: Patience,
    /// Held for as long as it is served, as is the next.
    _permit: OwnedSemaphorePermit,
    _place: Place,
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
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

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
            _place: Places::new(1).take(address.ip()).unwrap(),
        };
        let served = timeout(Duration::from_secs(10), connection(stream, address, router, terms));
        served.await.expect("it is not served for good");
        assert_eq!(place.available_permits(), 1);
        drop(client);
    }

    #[test]
    fn failures_to_accept_are_said_now_and_then() {
        let (mut failures, now) = (Failures::default(), Instant::now());
        assert_eq!(failures.due(now), Some(1));
        assert!((1..=50).all(|step| failures.due(now + ACCEPT_PAUSE * step).is_none()));
        assert_eq!(failures.due(now + WARNING_PAUSE), Some(51));
    }

    #[tokio::test]
    async fn who_has_no_place_left_is_told_so() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let refused = Counter::default();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        Gate::new(listener, refused.clone()).refuse(&stream);
        drop(stream);
        let mut text = String::new();
        client.read_to_string(&mut text).await.unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 429 "), "{head}");
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{text}");
        assert_eq!(refused.get(), 1);
    }

    #[tokio::test]
    async fn a_head_has_a_largest_size() {
        let status = |head: String| async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let stop = CancellationToken::new();
            let router = Router::new().route("/", get(|| async { "ok" }));
            let server = tokio::spawn(serve(listener, router, stop.clone(), Counter::default()));
            client.write_all(head.as_bytes()).await.unwrap();
            let mut status = [0; 12];
            client.read_exact(&mut status).await.unwrap();
            stop.cancel();
            drop(client);
            server.await.unwrap();
            String::from_utf8(status.to_vec()).unwrap()
        };
        let head = |bytes| format!("GET / HTTP/1.1\r\nHost: x\r\nAuthorization: {}", "x".repeat(bytes));
        assert_eq!(status(head(100 * 1024) + "\r\n\r\n").await, "HTTP/1.1 200");
        let mut endless = head(HEAD_BYTES_MAX);
        endless.truncate(HEAD_BYTES_MAX);
        assert_eq!(status(endless).await, "HTTP/1.1 431");
    }

    #[test]
    fn a_double_slash_is_collapsed() {
        check("//rtc?a=1", "/rtc?a=1");
        check("///rtc/v1", "/rtc/v1");
        check("/rtc//x", "/rtc//x");
        check("/", "/");
    }
}
