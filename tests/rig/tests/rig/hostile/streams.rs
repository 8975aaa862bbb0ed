//! ICE/TCP connections that do not keep to the framing, or to nothing at all.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};
use trackyard_bench::soak::Hostile;

use super::Target;

/// The server ends a bad connection by then.
const PATIENCE: Duration = Duration::from_secs(15);
const ROUND_EVERY: Duration = Duration::from_millis(20);
/// Slow connections at once.
const SLOW: usize = 20;
const DRIP_EVERY: Duration = Duration::from_millis(100);

/// A frame shorter than it says it is, and then the end.
pub(super) async fn partial_frames(target: Target) -> u64 {
    let (mut hostile, mut rounds, mut count) = (Hostile::new(2, ""), interval(ROUND_EVERY), 0);
    while !target.is_over() {
        rounds.tick().await;
        // The server may turn the connection away when there are too many of them.
        let Ok(mut stream) = TcpStream::connect(target.tcp).await else { continue };
        let _ = stream.write_all(&[&[4, 0], hostile.noise(&[]).as_slice()].concat()).await;
        count += 1;
    }
    count
}

/// A frame that comes a byte at a time.
pub(super) async fn slow_loris(target: Target) -> u64 {
    let whole = Hostile::new(3, target.ufrag.clone()).forged();
    let frame = [&u16::try_from(whole.len()).unwrap().to_be_bytes(), whole.as_slice()].concat();
    let mut streams = Vec::new();
    for _ in 0..SLOW {
        streams.push(TcpStream::connect(target.tcp).await.unwrap());
    }
    let (mut drips, mut count) = (interval(DRIP_EVERY), 0);
    for byte in frame.iter().cycle() {
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

/// A length that no frame has: the connection is ended before the bytes come.
pub(super) async fn oversize(target: Target) -> u64 {
    let (mut rounds, mut count) = (interval(ROUND_EVERY), 0);
    while !target.is_over() {
        rounds.tick().await;
        let Ok(mut stream) = TcpStream::connect(target.tcp).await else { continue };
        if stream.write_all(&[0xff, 0xff, 0, 1]).await.is_ok() {
            let mut rest = Vec::new();
            let ended = timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
            assert!(ended.is_ok(), "the server keeps a connection that announces 65,535 bytes");
            assert!(rest.is_empty(), "and answers it");
        }
        count += 1;
    }
    count
}
