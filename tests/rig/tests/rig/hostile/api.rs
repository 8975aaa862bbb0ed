//! Requests to the API that cannot be read, never end, or come without a right.

use std::time::Duration;

use tokio::time::interval;
use trackyard_auth::VideoGrant;
use trackyard_rig::{http, token_with};

use super::Target;
use super::udp::noise;

const ROUND_EVERY: Duration = Duration::from_millis(20);
const PATH: &str = "POST /twirp/livekit.RoomService/";

/// What is wrong is answered so, and never by a failure of the server.
pub(super) async fn garbage(target: Target) -> u64 {
    let grant = VideoGrant {
        room_create: true,
        room_list: true,
        room_admin: true,
        room: "yard".to_owned(),
        ..VideoGrant::default()
    };
    let admin = token_with("admin", grant);
    let (mut random, mut rounds, mut count) = (fastrand::Rng::with_seed(9), interval(ROUND_EVERY), 0);
    while !target.is_over() {
        rounds.tick().await;
        let (method, kind, body) = match random.u8(..7) {
            0 => ("CreateRoom", "application/json", noise(&mut random, b"{")),
            1 => ("SendData", "application/protobuf", noise(&mut random, &[0x0a, 4])),
            2 => ("UpdateParticipant", "application/json", b"[".repeat(100_000)),
            3 => ("UpdateRoomMetadata", "application/json", wrong_metadata()),
            4 => ("PerformRpc", "application/protobuf", vec![0x0a; 65_000]),
            5 => ("NoSuchMethod", "application/json", b"{}".to_vec()),
            _ => ("ListRooms", "text/plain", b"{}".to_vec()),
        };
        let token = if random.bool() { admin.as_str() } else { &target.stranger.token };
        let head = format!(
            "{PATH}{method} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            target.http,
            body.len(),
        );
        // The server need not read all of what it refuses.
        if let Ok(answer) = http::exchange(target.http, &[head.as_bytes(), &body].concat()).await {
            assert!((400..500).contains(&answer.status), "{method}: {answer:?}");
            assert!(!answer.text().contains(token), "{method}: nothing is echoed");
        }
        count += 1;
    }
    count
}

/// More than a room may have.
fn wrong_metadata() -> Vec<u8> {
    format!(r#"{{"room":"yard","metadata":"{}"}}"#, "m".repeat(600 * 1024)).into_bytes()
}

/// Bodies that are announced and never come.
pub(super) async fn endless(target: Target) -> u64 {
    use tokio::io::AsyncWriteExt;

    let mut streams = Vec::new();
    let token = &target.stranger.token;
    let head = format!(
        "{PATH}ListRooms HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 10000000\r\n\r\n",
    );
    for _ in 0..10 {
        let mut stream = tokio::net::TcpStream::connect(target.http).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        streams.push(stream);
    }
    let (mut drips, mut count) = (interval(Duration::from_millis(100)), 0);
    while !target.is_over() {
        drips.tick().await;
        for stream in &mut streams {
            // The server may have had enough.
            let _ = stream.write_all(b" ").await;
        }
        count += 1;
    }
    count
}
