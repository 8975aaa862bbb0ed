//! HTTP that is none, is slow, or asks for what it may not have.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::interval;
use trackyard_rig::http::{self, UPGRADE};

use super::Target;
use super::udp::noise;

const ROUND_EVERY: Duration = Duration::from_millis(20);
const SLOW: usize = 20;
const DRIP_EVERY: Duration = Duration::from_millis(100);

/// What is answered is answered with a refusal; what is no HTTP may just be closed.
pub(super) async fn garbage(target: Target) -> u64 {
    let (mut random, mut rounds, mut count) = (fastrand::Rng::with_seed(4), interval(ROUND_EVERY), 0);
    while !target.is_over() {
        rounds.tick().await;
        let mut request = match random.u8(..5) {
            0 => noise(&mut random, &[]),
            1 => noise(&mut random, b"GET /rtc?access_token="),
            2 => noise(&mut random, b"POST /rtc/v1 HTTP/9.9\r\n"),
            3 => noise(&mut random, b"GET / HTTP/1.1\r\nContent-Length: -1\r\n"),
            _ => [b"GET / HTTP/1.1\r\nX: ".as_slice(), &vec![b'x'; 2 * 1024 * 1024]].concat(),
        };
        request.extend(b"\r\n\r\n\r\n\r\n");
        if let Ok(answer) = http::exchange(target.http, &request).await {
            assert!((400..506).contains(&answer.status), "{answer:?}");
        }
        count += 1;
    }
    count
}

/// Heads that come a byte at a time.
pub(super) async fn slow_heads(target: Target) -> u64 {
    let mut streams = Vec::new();
    for _ in 0..SLOW {
        streams.push(TcpStream::connect(target.http).await.unwrap());
    }
    let (mut drips, mut count) = (interval(DRIP_EVERY), 0);
    for byte in b"GET / HTTP/1.1\r\nX-Slow: ".iter().chain(std::iter::repeat(&b'x')) {
        drips.tick().await;
        if target.is_over() {
            break;
        }
        for stream in &mut streams {
            // The server may have had enough.
            let _ = stream.write_all(&[*byte]).await;
        }
        count += 1;
    }
    count
}

/// Requests to join that cannot be read, or show nothing: each is told why.
pub(super) async fn bad_joins(target: Target) -> u64 {
    let (mut random, mut rounds, mut count) = (fastrand::Rng::with_seed(5), interval(ROUND_EVERY), 0);
    let token = &target.stranger.token;
    while !target.is_over() {
        rounds.tick().await;
        let text: String = (0..random.usize(1..500)).map(|_| random.alphanumeric()).collect();
        let (query, status) = match random.u8(..4) {
            0 => (format!("access_token={token}&join_request={text}!"), 400),
            1 => (format!("access_token={token}"), 400),
            2 => (format!("access_token={text}"), 401),
            _ => ("join_request=AAAA".to_owned(), 401),
        };
        let answer = http::get(target.http, &format!("/rtc/v1?{query}"), UPGRADE).await.unwrap();
        assert_eq!(answer.status, status, "{query}: {answer:?}");
        assert!(!answer.body.is_empty(), "{query}: it says why");
        assert!(!answer.text().contains(text.as_str()), "{query}: nothing is echoed");
        count += 1;
    }
    count
}
