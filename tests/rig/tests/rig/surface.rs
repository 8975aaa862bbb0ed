//! The HTTP surface, row by row, over real connections (protocol §1.1–§1.3).

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use flate2::Compression;
use flate2::write::GzEncoder;
use trackyard_auth::{Token, VideoGrant};
use trackyard_proto::join::JoinRequest;
use trackyard_rig::http::{self, Answer, UPGRADE};
use trackyard_rig::{LiveClient, Site, token, token_with};

use crate::machine::shared;

const ALL_PATHS: [&str; 4] = ["/rtc", "/rtc/v1", "/rtc/validate", "/rtc/v1/validate"];

/// A server and what is asked of it.
struct Surface {
    site: Site,
}

/// What a client shows and asks for.
#[derive(Clone, Default)]
struct Ask {
    token: Option<String>,
    parameters: String,
    request: JoinRequest,
    /// In place of a join request.
    raw_request: Option<String>,
}

impl Surface {
    async fn start(yaml: &str) -> Self {
        Self { site: Site::start(yaml).await.unwrap() }
    }

    fn http(&self) -> SocketAddr {
        self.site.http()
    }

    async fn ask(&self, path: &str, ask: &Ask) -> Answer {
        let mut query = format!("protocol=17{}", ask.parameters);
        if path.contains("v1") {
            let wrapped = ask.raw_request.clone().unwrap_or_else(|| ask.request.encode_wrapped(false));
            query = format!("{query}&join_request={wrapped}");
        }
        let mut headers =
            ask.token.iter().map(|token| format!("Authorization: Bearer {token}\r\n")).collect();
        if !path.ends_with("validate") {
            headers = format!("{headers}{UPGRADE}");
        }
        let headers = format!("{headers}Origin: https://example.com\r\n");
        http::get(self.http(), &format!("{path}?{query}"), &headers).await.unwrap()
    }

    /// The same answer on each path, readable for browsers.
    async fn check(&self, paths: &[&str], ask: Ask, (status, text): (u16, &str)) {
        for path in paths {
            let answer = self.ask(path, &ask).await;
            assert_eq!((answer.status, answer.text().as_str()), (status, text), "{path}");
            check_cors(&answer, path);
        }
    }

    /// The same status on each path, with some text.
    async fn check_status(&self, paths: &[&str], ask: Ask, status: u16) {
        for path in paths {
            let answer = self.ask(path, &ask).await;
            assert_eq!(answer.status, status, "{path}: {}", answer.text());
            assert!(!answer.text().is_empty(), "{path} says why");
            check_cors(&answer, path);
        }
    }
}

fn check_cors(answer: &Answer, path: &str) {
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}: {:?}", answer.headers);
}

impl Ask {
    fn with(token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..Self::default() }
    }

    fn grant(grant: VideoGrant) -> Self {
        Self::with(token_with("robot", grant))
    }
}

fn unix_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn signed(identity: &str, key: (&str, &str), at: u64) -> String {
    let token = Token::new(identity).room("yard").validity(Duration::from_secs(60));
    token.to_jwt(key.0, key.1, at).unwrap()
}

#[tokio::test]
async fn a_client_that_may_enter_is_validated_and_let_in() {
    let _machine = shared().await;
    let surface = Surface::start("").await;
    let ask = Ask::with(token("robot", "yard"));
    surface.check(&["/rtc/validate", "/rtc/v1/validate"], ask.clone(), (200, "success")).await;
    for path in ["/rtc", "/rtc/v1", "//rtc", "//rtc/v1"] {
        assert_eq!(surface.ask(path, &ask).await.status, 101, "{path}");
    }
}

#[tokio::test]
async fn the_token_is_taken_from_the_header_or_the_query() {
    let _machine = shared().await;
    let surface = Surface::start("").await;
    let good = token("robot", "yard");
    let query = Ask { parameters: format!("&access_token={good}"), ..Ask::default() };
    surface.check(&["/rtc/validate", "/rtc/v1/validate"], query.clone(), (200, "success")).await;
    assert_eq!(surface.ask("/rtc", &query).await.status, 101);
    let both = Ask { token: Some("garbage".to_owned()), ..query };
    surface.check(&ALL_PATHS, both, (401, "invalid authorization token")).await;
}

#[tokio::test]
async fn tokens_that_prove_nothing_are_refused_with_the_protocols_words() {
    let _machine = shared().await;
    let surface = Surface::start("").await;
    surface.check(&ALL_PATHS, Ask::default(), (401, "no permissions to access the room")).await;
    surface.check(&ALL_PATHS, Ask::with("garbage"), (401, "invalid authorization token")).await;
    let unknown = signed("robot", ("stranger", "secret"), unix_s());
    surface.check(&ALL_PATHS, Ask::with(unknown), (401, "invalid API key: stranger")).await;
    for path in ALL_PATHS {
        let headers = format!("Authorization: Basic cm9ib3Q=\r\n{UPGRADE}");
        let answer = http::get(surface.http(), path, &headers).await.unwrap();
        let expected = "invalid authorization header. Must start with Bearer ";
        assert_eq!((answer.status, answer.text().as_str()), (401, expected), "{path}");
    }
}

#[tokio::test]
async fn tokens_that_do_not_hold_are_refused_and_never_echoed() {
    let _machine = shared().await;
    let surface = Surface::start("").await;
    let key = ("devkey", "secret");
    for token in [
        signed("robot", ("devkey", "another"), unix_s()),
        signed("robot", key, unix_s() - 3_600),
        signed("robot", key, unix_s() + 3_600),
    ] {
        for path in ALL_PATHS {
            let answer = surface.ask(path, &Ask::with(token.clone())).await;
            assert_eq!(answer.status, 401, "{path}");
            assert!(answer.text().starts_with("invalid token"), "{path}: {}", answer.text());
            assert!(!answer.text().contains(&token), "{path} echoes the token");
            check_cors(&answer, path);
        }
    }
}

#[tokio::test]
async fn grants_that_do_not_let_in_are_refused() {
    let _machine = shared().await;
    let surface = Surface::start("").await;
    let no_join = VideoGrant { room_join: false, ..VideoGrant::join("yard") };
    surface.check(&ALL_PATHS, Ask::grant(no_join), (401, "no permissions to access the room")).await;
    let no_grant = Token::new("robot").to_jwt("devkey", "secret", unix_s()).unwrap();
    surface.check(&ALL_PATHS, Ask::with(no_grant), (401, "no permissions to access the room")).await;
}

#[tokio::test]
async fn identities_and_rooms_have_bounds() {
    let _machine = shared().await;
    let surface = Surface::start("").await;
    let long = "x".repeat(257);
    surface.check_status(&ALL_PATHS, Ask::with(token("", "yard")), 400).await;
    surface.check_status(&ALL_PATHS, Ask::with(token(&long, "yard")), 400).await;
    surface.check_status(&ALL_PATHS, Ask::with(token("robot", &long)), 400).await;
    surface.check(&ALL_PATHS, Ask::with(token("robot", "")), (400, "no room name")).await;
    let edge = "x".repeat(256);
    let ask = Ask::with(token(&edge, &edge));
    surface.check(&["/rtc/validate", "/rtc/v1/validate"], ask, (200, "success")).await;
}

#[tokio::test]
async fn the_tokens_room_goes_before_the_parameter() {
    let _machine = shared().await;
    let surface = Surface::start("room: {auto_create: false}").await;
    // Only the room that decides is looked for.
    let parameter = Ask { parameters: "&room=other".to_owned(), ..Ask::with(token("robot", "")) };
    surface.check(&ALL_PATHS, parameter, (404, "requested room does not exist")).await;
    let open = Surface::start("").await;
    let parameter = Ask { parameters: "&room=other".to_owned(), ..Ask::with(token("robot", "")) };
    open.check(&["/rtc/validate"], parameter, (200, "success")).await;
    let too_long = format!("&room={}", "x".repeat(257));
    let overridden = Ask { parameters: too_long, ..Ask::with(token("robot", "yard")) };
    open.check(&["/rtc/validate"], overridden, (200, "success")).await;
}

#[tokio::test]
async fn a_missing_room_is_told_in_the_words_that_clients_look_for() {
    let _machine = shared().await;
    let surface = Surface::start("room: {auto_create: false}").await;
    let ask = Ask::with(token("robot", "yard"));
    surface.check(&ALL_PATHS, ask, (404, "requested room does not exist")).await;
}

#[tokio::test]
async fn join_requests_that_cannot_be_read_are_refused() {
    let _machine = shared().await;
    let surface = Surface::start("").await;
    let v1 = ["/rtc/v1", "/rtc/v1/validate"];
    let with = |raw: &str| Ask { raw_request: Some(raw.to_owned()), ..Ask::with(token("robot", "yard")) };
    surface.check(&v1, with(""), (400, "join_request is required")).await;
    for raw in ["%%%", "AAAA!", "____", "CAESAA", "CGMSAA=="] {
        surface.check_status(&v1, with(raw), 400).await;
    }
    let nobody = Ask { token: None, ..with("AAAA") };
    surface.check(&v1, nobody, (401, "no permissions to access the room")).await;
    surface.check(&v1, with(&bomb(2 * 1024 * 1024)), (400, "join request too large")).await;
}

/// `WrappedJoinRequest{compression: GZIP, join_request}` of so many zeros.
fn bomb(bytes: usize) -> String {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&vec![0; bytes]).unwrap();
    let inner = gzip.finish().unwrap();
    let mut wrapped = vec![0x08, 0x01, 0x12];
    let mut length = inner.len();
    while length >= 0x80 {
        wrapped.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    wrapped.push(length as u8);
    wrapped.extend(inner);
    URL_SAFE.encode(wrapped)
}

#[tokio::test]
async fn state_without_permission_is_refused() {
    let _machine = shared().await;
    let surface = Surface::start("").await;
    let v1 = ["/rtc/v1", "/rtc/v1/validate"];
    let request = JoinRequest { metadata: "mine".to_owned(), ..JoinRequest::default() };
    let metadata = Ask { request, ..Ask::with(token("robot", "yard")) };
    surface.check_status(&v1, metadata.clone(), 401).await;
    let attributes = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
    let request = JoinRequest { attributes, ..JoinRequest::default() };
    surface.check_status(&v1, Ask { request, ..Ask::with(token("robot", "yard")) }, 401).await;
    let v0 = format!("&attributes={}", URL_SAFE.encode(r#"{"a":"b"}"#));
    let query = Ask { parameters: v0, ..Ask::with(token("robot", "yard")) };
    surface.check_status(&["/rtc", "/rtc/validate"], query, 401).await;
    let may = VideoGrant { can_update_own_metadata: Some(true), ..VideoGrant::join("yard") };
    let allowed = Ask { token: Some(token_with("robot", may)), ..metadata };
    surface.check(&["/rtc/v1/validate"], allowed, (200, "success")).await;
}

#[tokio::test]
async fn attributes_that_cannot_be_read_are_told_on_validate_and_ignored_on_connect() {
    let _machine = shared().await;
    let surface = Surface::start("").await;
    let ask = Ask { parameters: "&attributes=%25%25".to_owned(), ..Ask::with(token("robot", "yard")) };
    surface.check_status(&["/rtc/validate"], ask.clone(), 400).await;
    assert_eq!(surface.ask("/rtc", &ask).await.status, 101);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_room_is_told_by_connecting_and_not_by_validating() {
    let _machine = shared().await;
    let surface = Surface::start("room: {max_participants: 1}").await;
    let (_first, _) = LiveClient::join(surface.site.client("first", "yard")).await.unwrap();
    let ask = Ask::with(token("second", "yard"));
    surface.check(&["/rtc/validate", "/rtc/v1/validate"], ask.clone(), (200, "success")).await;
    surface.check_status(&["/rtc", "/rtc/v1"], ask.clone(), 500).await;
    // Another session of who is inside takes its own place.
    assert_eq!(surface.ask("/rtc", &Ask::with(token("first", "yard"))).await.status, 101);
    let metrics = surface.site.metrics().await.unwrap();
    assert_eq!(metrics.room_event("refused_full"), 2.0);
    assert_eq!(metrics.get("trackyard_joins_refused_total", "status=\"500\""), 2.0);
}

#[tokio::test]
async fn requests_that_ask_for_no_upgrade_find_nothing() {
    let _machine = shared().await;
    let surface = Surface::start("").await;
    let headers = format!("Authorization: Bearer {}\r\nOrigin: https://a.b\r\n", token("robot", "yard"));
    for path in ["/rtc", "/rtc/v1", "/rtc/v1?join_request=AAAA"] {
        let answer = http::get(surface.http(), path, &headers).await.unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (404, ""), "{path}");
        check_cors(&answer, path);
    }
    for path in ["/settings/regions", "/nothing", "/rtc/v2", "/demo/"] {
        let answer = http::get(surface.http(), path, &headers).await.unwrap();
        assert_eq!(answer.status, 404, "{path}");
        check_cors(&answer, path);
    }
}

#[tokio::test]
async fn the_root_answers_get_and_head() {
    let _machine = shared().await;
    let surface = Surface::start("").await;
    let origin = "Origin: https://example.com\r\n";
    let get = http::get(surface.http(), "/", origin).await.unwrap();
    assert_eq!((get.status, get.text().as_str()), (200, "OK"));
    check_cors(&get, "/");
    let head = http::request(surface.http(), "HEAD /", origin).await.unwrap();
    assert_eq!((head.status, head.body.len()), (200, 0));
    check_cors(&head, "/");
}

#[tokio::test]
async fn browsers_may_ask_from_any_page() {
    let _machine = shared().await;
    let surface = Surface::start("").await;
    let headers = "Origin: https://example.com\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n";
    for path in ["/rtc/validate", "/twirp/livekit.RoomService/ListRooms"] {
        let answer = http::request(surface.http(), &format!("OPTIONS {path}"), headers).await.unwrap();
        assert_eq!(answer.status, 200, "{path}");
        check_cors(&answer, path);
        assert_eq!(answer.header("access-control-allow-headers"), Some("*"));
        assert_eq!(answer.header("access-control-max-age"), Some("86400"));
        let methods = answer.header("access-control-allow-methods").unwrap();
        for method in ["OPTIONS", "HEAD", "GET", "POST", "PATCH", "DELETE"] {
            assert!(methods.contains(method), "{method} in {methods}");
        }
    }
}

#[tokio::test]
async fn metrics_and_health_answer_on_the_main_port() {
    let _machine = shared().await;
    let surface = Surface::start("").await;
    for (path, text) in [("/healthz", "ok"), ("/readyz", "ready")] {
        let answer = http::get(surface.http(), path, "").await.unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (200, text), "{path}");
    }
    let metrics = http::get(surface.http(), "/metrics", "").await.unwrap();
    assert_eq!(metrics.status, 200);
    assert!(metrics.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    assert!(metrics.text().contains("trackyard_rooms 0") && metrics.text().ends_with("# EOF\n"));
    for header in ["X-Forwarded-For: 203.0.113.9", "Forwarded: for=203.0.113.9", "X-Real-IP: 203.0.113.9"] {
        let passed_on = http::get(surface.http(), "/metrics", &format!("{header}\r\n")).await.unwrap();
        assert_eq!(passed_on.status, 403, "{header}: a proxy on this machine asks for a stranger");
    }
}

#[tokio::test]
async fn metrics_with_a_port_of_their_own_are_only_there() {
    let _machine = shared().await;
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let surface = Surface::start(&format!("prometheus_port: {port}")).await;
    assert_eq!(http::get(surface.http(), "/metrics", "").await.unwrap().status, 404);
    let own = surface.site.metrics_port().expect("a port for metrics");
    assert_eq!(own.port(), port);
    assert_eq!(http::get(own, "/metrics", "").await.unwrap().status, 200);
    assert_eq!(http::get(own, "/", "").await.unwrap().status, 404, "nothing else is there");
}
