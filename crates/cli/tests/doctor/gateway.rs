//! What stands between a client and a server: it passes signalling on, with TLS or without, and may tell other
//! ports for data than the server's.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// A gateway before a server. Dropping it ends it.
pub(crate) struct Gateway {
    address: SocketAddr,
    _task: JoinSet<()>,
}

/// How a gateway treats what it passes on.
#[derive(Clone, Default)]
pub(crate) struct Manner {
    pub(crate) tls: Option<Arc<ServerConfig>>,
    /// Ports of candidates, and what is said in their place; both have five digits.
    pub(crate) ports: Vec<(u16, u16)>,
    /// The newer route is not known.
    pub(crate) is_old: bool,
}

impl Gateway {
    pub(crate) async fn start(server: SocketAddr, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let manner = manner.clone();
                // How a connection ends is for its client to notice.
                connections.spawn(async move { drop(serve(stream, server, manner).await) });
            }
        });
        Self { address, _task: task }
    }

    pub(crate) fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }
}

async fn serve(mut client: TcpStream, server: SocketAddr, manner: Manner) -> io::Result<()> {
    if manner.is_old {
        let mut begin = [0; 11];
        client.peek(&mut begin).await?;
        if &begin == b"GET /rtc/v1" {
            client.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await?;
            // What has not been read would turn the end into a reset.
            return tokio::io::copy(&mut client, &mut tokio::io::sink()).await.map(drop);
        }
    }
    let server = TcpStream::connect(server).await?;
    match manner.tls {
        Some(tls) => {
            let client = TlsAcceptor::from(tls).accept(client).await?;
            pass(client, server, &manner.ports).await
        }
        None => pass(client, server, &manner.ports).await,
    }
}

async fn pass<C: AsyncRead + AsyncWrite>(
    client: C,
    server: TcpStream,
    ports: &[(u16, u16)],
) -> io::Result<()> {
    let (mut from_client, mut to_client) = tokio::io::split(client);
    let (mut from_server, mut to_server) = server.into_split();
    tokio::select! {
        ended = tokio::io::copy(&mut from_client, &mut to_server) => ended.map(drop),
        ended = rewrite(&mut from_server, &mut to_client, ports) => ended,
    }
}

/// Servers send WebSocket frames as they are, so ports of the same length take each other's place.
async fn rewrite(
    reader: &mut (impl AsyncRead + Unpin),
    writer: &mut (impl AsyncWrite + Unpin),
    ports: &[(u16, u16)],
) -> io::Result<()> {
    let words = |port: u16| format!(" 127.0.0.1 {port} typ ").into_bytes();
    let pairs: Vec<_> = ports.iter().map(|(from, to)| (words(*from), words(*to))).collect();
    let mut held = Vec::new();
    while reader.read_buf(&mut held).await? > 0 {
        for (from, to) in &pairs {
            assert_eq!(from.len(), to.len(), "ports have the same number of digits");
            while let Some(at) = held.windows(from.len()).position(|window| window == from) {
                held[at..at + to.len()].copy_from_slice(to);
            }
        }
        // What may be the beginning of such words waits for its end.
        let begins =
            |count: &usize| pairs.iter().any(|(from, _)| from.starts_with(&held[held.len() - count..]));
        let kept = (1..held.len().min(20)).rev().find(begins).unwrap_or(0);
        let rest = held.split_off(held.len() - kept);
        writer.write_all(&held).await?;
        writer.flush().await?;
        held = rest;
    }
    Ok(())
}
