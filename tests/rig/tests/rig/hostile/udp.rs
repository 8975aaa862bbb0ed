//! Datagrams that nobody should send.

use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::interval;
use trackyard_bench::soak::Hostile;

use super::Target;

/// Sockets that a sender changes between.
const SOCKETS: usize = 16;
/// Datagrams of one round.
const ROUND: usize = 5;
const ROUND_EVERY: Duration = Duration::from_millis(2);

async fn sockets(target: &Target) -> Vec<UdpSocket> {
    let mut sockets = Vec::new();
    for _ in 0..SOCKETS {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
        socket.connect(target.udp).await.unwrap();
        sockets.push(socket);
    }
    sockets
}

async fn flood(target: Target, mut make: impl FnMut(&mut fastrand::Rng) -> Vec<u8>) -> u64 {
    let (sockets, mut random) = (sockets(&target).await, fastrand::Rng::with_seed(1));
    let mut rounds = interval(ROUND_EVERY);
    let mut count = 0;
    while !target.is_over() {
        rounds.tick().await;
        for _ in 0..ROUND {
            let datagram = make(&mut random);
            // A full buffer loses it: the flood is as thick as it can be.
            let _ = sockets[random.usize(..SOCKETS)].try_send(&datagram);
        }
        count += 1;
    }
    count
}

/// Noise, and the beginnings of what could be STUN, DTLS and media.
pub(super) async fn garbage(target: Target) -> u64 {
    let mut hostile = Hostile::new(2, target.ufrag.clone());
    flood(target, move |_| hostile.datagram()).await
}

/// Binding requests to nobody, to somebody unknown, and to the bystander.
pub(super) async fn stun_flood(target: Target) -> u64 {
    let (mut known, mut unknown) = (Hostile::new(3, target.ufrag.clone()), Hostile::new(4, "unknown"));
    flood(target, move |random| match random.u8(..3) {
        0 => unknown.nameless(),
        1 => unknown.forged(),
        _ => known.forged(),
    })
    .await
}

/// Random bytes after these, with a generator that the caller shares among several kinds of attack.
pub(super) fn noise(random: &mut fastrand::Rng, start: &[u8]) -> Vec<u8> {
    let mut bytes = start.to_vec();
    bytes.extend((0..random.usize(..1_400)).map(|_| random.u8(..)));
    bytes
}
