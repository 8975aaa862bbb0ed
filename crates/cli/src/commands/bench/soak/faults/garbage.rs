//! Strangers send what nobody should, on every port.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout};
use trackyard_bench::soak::Hostile;

use super::{Findings, Ground};
use crate::commands::bench::soak::site::Site;

const LASTS: Duration = Duration::from_secs(5);
/// Sockets that datagrams come from.
const SOCKETS: usize = 16;
/// Datagrams of one round.
const ROUND: usize = 5;
const ROUND_EVERY: Duration = Duration::from_millis(2);
const CONNECTION_EVERY: Duration = Duration::from_millis(20);
/// How the answer to what is no request begins.
const REFUSED: [u8; 12] = *b"HTTP/1.1 400";
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// WebSocket frames with a mask of zeros: a binary one of 126 bytes and more.
const FRAME_HEAD: [u8; 2] = [0x82, 0xfe];

pub(super) async fn run(ground: &Ground) -> anyhow::Result<Findings> {
    let Ground { site, seed, .. } = ground;
    let before = site.metrics().await?;
    let end = Instant::now() + LASTS;
    let mut attacks = JoinSet::new();
    attacks.spawn(datagrams(site.udp, (*seed, end)));
    attacks.spawn(connections(site.tcp, (seed.wrapping_add(1), end)));
    attacks.spawn(garbage_requests(site.http, (seed.wrapping_add(2), end)));
    let requests: anyhow::Result<Vec<String>> = (0..4).map(|number| request(site, number)).collect();
    attacks.spawn(signals(site.http, (seed.wrapping_add(3), end), requests?));
    let mut findings = Findings::default();
    let mut sent = 0;
    while let Some(attacked) = attacks.join_next().await {
        let (name, count) = attacked.context("a stranger has panicked")??;
        findings.tell(name, count as f64);
        sent += count;
    }
    let after = site.metrics().await?;
    let counted = |series: &str| after.sum(series) - before.sum(series);
    // What is no HTTP was refused, or it would not have come as far as here.
    for (what, series) in [
        ("garbage on UDP", "trackyard_worker_garbage_"),
        ("frames of no connection on TCP", "trackyard_net_tcp_unclaimed"),
        ("signal messages that are none", "trackyard_signal_undecodable"),
    ] {
        findings.expect(counted(series) > 0.0, || format!("the server has not counted {what}"));
    }
    findings.tell("garbage_counted", counted("trackyard_worker_garbage_"));
    findings.expect(sent > 0, || "no garbage was sent".to_owned());
    Ok(findings)
}

type Sent = anyhow::Result<(&'static str, u64)>;

async fn datagrams(server: SocketAddr, (seed, end): (u64, Instant)) -> Sent {
    let mut sockets = Vec::new();
    for _ in 0..SOCKETS {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        socket.connect(server).await?;
        sockets.push(socket);
    }
    let (mut hostile, mut rounds, mut count) = (Hostile::new(seed, "unknown"), interval(ROUND_EVERY), 0);
    while rounds.tick().await < end {
        for number in 0..ROUND {
            // A full buffer loses it: the flood is as thick as it can be.
            let sent = sockets[(count as usize + number) % SOCKETS].try_send(&hostile.datagram());
            count += u64::from(sent.is_ok());
        }
    }
    Ok(("garbage_datagrams", count))
}

/// A connection for each piece of garbage, framed by a length (RFC 4571); the server may have had enough before its
/// end.
async fn connections(server: SocketAddr, (seed, end): (u64, Instant)) -> Sent {
    let (mut hostile, mut due, mut count) = (Hostile::new(seed, "unknown"), interval(CONNECTION_EVERY), 0);
    while due.tick().await < end {
        let Ok(mut stream) = TcpStream::connect(server).await else { continue };
        let _ = stream.write_all(&hostile.noise(&[4, 0])).await;
        count += 1;
    }
    Ok(("garbage_connections", count))
}

/// Requests that are none, each of which is refused.
async fn garbage_requests(server: SocketAddr, (seed, end): (u64, Instant)) -> Sent {
    let (mut hostile, mut due, mut count) = (Hostile::new(seed, "unknown"), interval(CONNECTION_EVERY), 0);
    while due.tick().await < end {
        let mut stream = TcpStream::connect(server).await.context("no connection for HTTP")?;
        let request = [hostile.noise(b"GET /rtc?access_token="), b"\r\n\r\n".to_vec()].concat();
        stream.write_all(&request).await.context("garbage is not read to its end")?;
        let mut status = [0; REFUSED.len()];
        let answered = timeout(ANSWER_MAX, stream.read_exact(&mut status)).await;
        answered.context("garbage is not answered")?.context("garbage is not answered")?;
        let text = String::from_utf8_lossy(&status);
        ensure!(status == REFUSED, "garbage over HTTP is answered with `{text}`");
        count += 1;
    }
    Ok(("garbage_requests_refused", count))
}

/// What opens a signal connection.
fn request(site: &Site, number: usize) -> anyhow::Result<String> {
    let token = site.token(&format!("stranger-{number}"), "garbage")?;
    Ok(format!(
        "GET /rtc?access_token={token} HTTP/1.1\r\nHost: soak\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ))
}

/// Participants whose messages are none, one after the other.
async fn signals(server: SocketAddr, (seed, end): (u64, Instant), requests: Vec<String>) -> Sent {
    let (mut hostile, mut due, mut count) = (Hostile::new(seed, "unknown"), interval(CONNECTION_EVERY), 0);
    let mut streams = Vec::new();
    for request in &requests {
        let mut stream = TcpStream::connect(server).await?;
        stream.write_all(request.as_bytes()).await?;
        // The server reads nothing else before it has answered.
        stream.readable().await?;
        streams.push(stream);
    }
    ensure!(!streams.is_empty(), "there is nobody to send garbage");
    while due.tick().await < end {
        let at = count as usize % streams.len();
        let mut message = FRAME_HEAD.to_vec();
        let mut garbage = hostile.noise(&[0xff; 200]);
        garbage.truncate(usize::from(u16::MAX));
        message.extend(u16::try_from(garbage.len()).unwrap_or(u16::MAX).to_be_bytes());
        message.extend([0; 4]);
        message.extend(garbage);
        if streams[at].write_all(&message).await.is_err() {
            // It has had enough of this one; the next is as bad.
            streams[at] = TcpStream::connect(server).await?;
            streams[at].write_all(requests[at].as_bytes()).await?;
            streams[at].readable().await?;
        }
        count += 1;
    }
    Ok(("garbage_signal_messages", count))
}
