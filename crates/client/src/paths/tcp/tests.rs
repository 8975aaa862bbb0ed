//! Connections over real loopback sockets.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use trackyard_peer::{ACTIVE_PORT, Transport};

use super::*;
use crate::paths::inbox::{Came, Inbox, WAIT_MAX, eventually};

fn candidate() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], ACTIVE_PORT))
}

fn paths() -> (TcpPaths, Inbox) {
    let (inbox, inbound) = Inbox::new();
    (TcpPaths::new(inbound, Handle::current()), inbox)
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn transmit(destination: SocketAddr, contents: &[u8]) -> Transmit {
    Transmit { transport: Transport::Tcp, source: candidate(), destination, contents: contents.to_vec() }
}

async fn accept(listener: &TcpListener) -> TcpStream {
    tokio::time::timeout(WAIT_MAX, listener.accept()).await.expect("nobody connects").unwrap().0
}

async fn read_frame(stream: &mut TcpStream) -> Vec<u8> {
    let bytes = tokio::time::timeout(WAIT_MAX, stream.read_u16()).await.expect("nothing comes").unwrap();
    let mut frame = vec![0; usize::from(bytes)];
    stream.read_exact(&mut frame).await.unwrap();
    frame
}

#[tokio::test]
async fn datagrams_go_both_ways_over_one_connection() {
    let ((mut paths, mut inbox), (listener, address)) = (paths(), listener().await);
    paths.send(Target::Subscriber, transmit(address, b"one"));
    paths.send(Target::Subscriber, transmit(address, b"two"));
    let mut server = accept(&listener).await;
    assert_eq!(read_frame(&mut server).await, b"one");
    assert_eq!(read_frame(&mut server).await, b"two");
    server.write_all(b"\0\x03yes\0\x02no").await.unwrap();
    for contents in [&b"yes"[..], b"no"] {
        let expected = Came::Datagram {
            target: Target::Subscriber,
            transport: Transport::Tcp,
            source: address,
            destination: candidate(),
            contents: contents.to_vec(),
        };
        assert_eq!(inbox.next().await, expected);
    }
    assert!(matches!(paths.health()[..], [(Ends { remote, .. }, TcpHealth::Open)] if remote == address));
    assert_eq!(paths.counters(), TcpCounters::default());
}

#[tokio::test]
async fn each_peer_connection_has_its_own_connection() {
    let ((mut paths, _inbox), (listener, address)) = (paths(), listener().await);
    paths.send(Target::Publisher, transmit(address, b"publisher"));
    let mut publisher = accept(&listener).await;
    paths.send(Target::Subscriber, transmit(address, b"subscriber"));
    let mut subscriber = accept(&listener).await;
    assert_eq!(read_frame(&mut publisher).await, b"publisher");
    assert_eq!(read_frame(&mut subscriber).await, b"subscriber");
}

#[tokio::test]
async fn a_connection_that_broke_is_opened_again_by_what_is_sent_later() {
    let ((mut paths, _inbox), (listener, address)) = (paths(), listener().await);
    paths.send(Target::Publisher, transmit(address, b"first"));
    drop(accept(&listener).await);
    let sending = async {
        loop {
            paths.send(Target::Publisher, transmit(address, b"again"));
            tokio::task::yield_now().await;
        }
    };
    let again = async { read_frame(&mut accept(&listener).await).await };
    let first = async {
        tokio::select! {
            () = sending => unreachable!("it never ends"),
            frame = again => frame,
        }
    };
    assert_eq!(tokio::time::timeout(WAIT_MAX, first).await.expect("it is not opened again"), b"again");
    assert!(paths.counters().not_connected > 0, "what was sent in the pause is counted");
}

#[tokio::test]
async fn a_closed_port_is_told_apart() {
    let ((mut paths, _inbox), (listener, address)) = (paths(), listener().await);
    drop(listener);
    paths.send(Target::Publisher, transmit(address, b"anybody?"));
    let failure = |paths: &TcpPaths| match paths.health().pop() {
        Some((_, TcpHealth::Failed(error))) => Some(error),
        _ => None,
    };
    eventually(|| failure(&paths).is_some()).await;
    let error = failure(&paths).unwrap();
    assert!(
        matches!(&*error, TcpError::Connect(error) if error.kind() == std::io::ErrorKind::ConnectionRefused)
    );
}

#[tokio::test]
async fn a_server_that_does_not_frame_is_left() {
    let ((mut paths, _inbox), (listener, address)) = (paths(), listener().await);
    paths.send(Target::Publisher, transmit(address, b"hello"));
    let mut server = accept(&listener).await;
    server.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    let is_left = |health: &TcpHealth| matches!(health, TcpHealth::Failed(error) if matches!(**error, TcpError::Frame(_)));
    eventually(|| paths.health().iter().any(|(_, health)| is_left(health))).await;
}

#[tokio::test]
async fn a_server_that_reads_nothing_costs_bounded_memory() {
    let ((mut paths, _inbox), (_listener, address)) = (paths(), listener().await);
    // The task does not run in between: what waits is what the queue holds.
    for _ in 0..QUEUE_DATAGRAMS_MAX + 10 {
        paths.send(Target::Publisher, transmit(address, &[7; 1_000]));
    }
    assert_eq!(paths.counters().queue_full, 10);
    paths.send(Target::Publisher, transmit(address, &vec![7; framing::FRAME_BYTES_MAX + 1]));
    assert_eq!(paths.counters().too_long, 1);
}

#[tokio::test]
async fn connections_are_bounded_and_those_that_ended_make_room() {
    let ((mut paths, _inbox), (listener, address)) = (paths(), listener().await);
    let other = |number: u8| SocketAddr::from(([127, 0, 1, number], address.port()));
    for number in 0..=CONNECTIONS_MAX {
        paths.send(Target::Publisher, transmit(other(u8::try_from(number).unwrap()), b"x"));
    }
    assert_eq!(paths.counters().too_many_connections, 1);
    paths.reset();
    paths.send(Target::Publisher, transmit(address, b"x"));
    assert_eq!(read_frame(&mut accept(&listener).await).await, b"x");
    assert_eq!(paths.counters().too_many_connections, 1);
}

#[tokio::test]
async fn dropping_closes_every_connection() {
    let ((mut paths, _inbox), (listener, address)) = (paths(), listener().await);
    paths.send(Target::Publisher, transmit(address, b"bye"));
    let mut server = accept(&listener).await;
    assert_eq!(read_frame(&mut server).await, b"bye");
    drop(paths);
    let end = tokio::time::timeout(Duration::from_secs(5), server.read_u8()).await.unwrap();
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
}
