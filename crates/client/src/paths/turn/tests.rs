//! Relays against coturn, over real loopback sockets.

use tokio::net::{TcpListener, UdpSocket};
use tokio::time::timeout;
use trackyard_peer::Transport;

use super::coturn::{Coturn, server, trusting_nobody};
use super::*;
use crate::paths::inbox::{Came, Inbox, WAIT_MAX, eventually};

const TARGET: Target = Target::Publisher;

fn relays(tls: Arc<ClientConfig>) -> (Relays, Inbox) {
    let (inbox, inbound) = Inbox::new();
    (Relays::new(inbound, tls, Handle::current()), inbox)
}

async fn peer() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

fn transmit(source: SocketAddr, destination: SocketAddr, contents: &[u8]) -> Transmit {
    Transmit { transport: Transport::Udp, source, destination, contents: contents.to_vec() }
}

/// The address that a relay has given.
async fn relayed(inbox: &mut Inbox) -> SocketAddr {
    match inbox.next().await {
        Came::Relayed(TARGET, address) => address,
        other => panic!("{other:?} instead of an address"),
    }
}

async fn failures(relays: &Relays) -> Vec<Failure> {
    let failures = || match relays.state(TARGET) {
        RelayState::Failed(failures) => Some(failures),
        _ => None,
    };
    eventually(|| failures().is_some()).await;
    failures().unwrap()
}

/// Datagrams of every length reach a plain socket through the relay, and what it answers comes back.
async fn check_both_ways(relays: &Relays, inbox: &mut Inbox, relayed: SocketAddr) {
    let (socket, address) = peer().await;
    let mut buffer = [0; 2_000];
    for length in (1..=9).chain([1_000, 1_200, 1_201]) {
        let datagram = vec![u8::try_from(length % 256).unwrap(); length];
        relays.send(TARGET, transmit(relayed, address, &datagram)).unwrap();
        let (count, from) = timeout(WAIT_MAX, socket.recv_from(&mut buffer)).await.unwrap().unwrap();
        assert_eq!((&buffer[..count], from), (&datagram[..], relayed));
        socket.send_to(&datagram, relayed).await.unwrap();
        let (target, transport) = (TARGET, Transport::Udp);
        let (source, destination) = (address, relayed);
        let expected = Came::Datagram { target, transport, source, destination, contents: datagram };
        assert_eq!(inbox.next().await, expected);
    }
}

async fn check_carrier(url: fn(&Coturn) -> String) {
    let Some(coturn) = Coturn::start().await else { return };
    let (mut relays, mut inbox) = relays(coturn.trusting());
    relays.set_servers(TARGET, &[server(&[url(&coturn)])]);
    let relayed = relayed(&mut inbox).await;
    assert_eq!(relayed.ip(), coturn.ip());
    let state = relays.state(TARGET);
    assert!(matches!(&state, RelayState::Ready { url: used, .. } if *used == url(&coturn)), "{state:?}");
    check_both_ways(&relays, &mut inbox, relayed).await;
    assert_eq!(relays.counters(), RelayCounters::default());
}

#[tokio::test]
async fn datagrams_go_both_ways_through_a_relay_over_udp() {
    check_carrier(Coturn::udp).await;
}

#[tokio::test]
async fn datagrams_go_both_ways_through_a_relay_over_tcp() {
    check_carrier(Coturn::tcp).await;
}

#[tokio::test]
async fn datagrams_go_both_ways_through_a_relay_over_tls() {
    check_carrier(Coturn::tls).await;
}

#[tokio::test]
async fn wrong_credentials_are_told_and_right_ones_help() {
    let Some(coturn) = Coturn::start().await else { return };
    let (mut relays, mut inbox) = relays(coturn.trusting());
    let urls = [coturn.udp(), coturn.tcp(), coturn.tls()];
    relays.set_servers(TARGET, &[IceServer { credential: "wrong".to_owned(), ..server(&urls) }]);
    let failures = failures(&relays).await;
    assert_eq!(failures.len(), 3);
    for Failure { url, error } in failures {
        assert!(matches!(*error, TurnError::WrongCredentials { code: 401 }), "{url}: {error:?}");
    }
    relays.set_servers(TARGET, &[server(&urls)]);
    let relayed = relayed(&mut inbox).await;
    check_both_ways(&relays, &mut inbox, relayed).await;
}

#[tokio::test]
async fn each_way_to_a_relay_fails_in_its_own_words() {
    let Some(coturn) = Coturn::start().await else { return };
    let ip = coturn.ip();
    let closed = |scheme: &str, transport: &str| format!("{scheme}:{ip}:1?transport={transport}");
    let (_silent, silent) = peer().await;
    // A label of 64 characters is no name: nobody needs to be asked.
    let nameless = format!("turns:{}.invalid", "a".repeat(64));
    let urls = [
        closed("turn", "udp"),
        format!("turn:{silent}"),
        closed("turn", "tcp"),
        coturn.tls(),
        nameless,
        closed("turns", "udp"),
    ];
    let results = probe(&[server(&urls)], &trusting_nobody()).await;
    let errors: Vec<_> = results
        .into_iter()
        .zip(&urls)
        .map(|((url, result), asked)| {
            assert_eq!(url, *asked);
            result.unwrap_err()
        })
        .collect();
    assert!(matches!(&*errors[0], TurnError::Unreachable(_)), "{errors:?}");
    assert!(matches!(&*errors[1], TurnError::Timeout), "{errors:?}");
    assert!(matches!(&*errors[2], TurnError::Unreachable(_)), "{errors:?}");
    assert!(matches!(&*errors[3], TurnError::Tls(_)), "{errors:?}");
    assert!(matches!(&*errors[4], TurnError::Resolve(_)), "{errors:?}");
    assert!(matches!(&*errors[5], TurnError::Url(TurnUrlError::Dtls)), "{errors:?}");
}

#[tokio::test]
async fn what_is_no_relay_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("turn:{}?transport=tcp", listener.local_addr().unwrap());
    let answer = async {
        let (stream, _) = listener.accept().await.unwrap();
        stream.writable().await.unwrap();
        stream.try_write(b"\x80no relay").unwrap();
        stream
    };
    let servers = [server(&[url])];
    let tls = trusting_nobody();
    let (results, _stream) = tokio::join!(probe(&servers, &tls), answer);
    assert!(
        matches!(&results[..], [(_, Err(error))] if matches!(**error, TurnError::NotTurn(_))),
        "{results:?}"
    );
}

#[tokio::test]
async fn a_probe_names_an_address_at_each_relay_and_gives_it_back() {
    let Some(coturn) = Coturn::start_with(&["--user-quota=1"]).await else { return };
    let tls = coturn.trusting();
    for url in [coturn.tls(), coturn.udp(), coturn.tcp()] {
        // This user may have one address, for ten minutes unless it is given back; coturn takes a moment for that.
        let servers = [server(&["stun:127.0.0.1".to_owned(), url])];
        let probing = async {
            loop {
                match probe(&servers, &tls).await.pop().unwrap() {
                    (_, Ok(relayed)) => return relayed,
                    (_, Err(error)) => assert!(matches!(*error, TurnError::QuotaReached), "{error:?}"),
                }
            }
        };
        assert_eq!(timeout(WAIT_MAX, probing).await.unwrap().ip(), coturn.ip());
    }
}

#[tokio::test]
async fn a_relay_that_is_silent_does_not_keep_others_from_being_used() {
    let Some(coturn) = Coturn::start().await else { return };
    let (_silent, address) = peer().await;
    let (mut relays, mut inbox) = relays(coturn.trusting());
    let silent = format!("turn:{address}?transport=udp");
    relays.set_servers(TARGET, &[server(&[silent, coturn.tcp()])]);
    relayed(&mut inbox).await;
    let state = relays.state(TARGET);
    assert!(matches!(&state, RelayState::Ready { url, .. } if *url == coturn.tcp()), "{state:?}");
}

#[tokio::test]
async fn a_relay_that_was_lost_is_used_again_when_it_is_back() {
    let Some(mut coturn) = Coturn::start().await else { return };
    let (mut relays, mut inbox) = relays(coturn.trusting());
    relays.set_servers(TARGET, &[server(&[coturn.tcp()])]);
    let former = relayed(&mut inbox).await;
    coturn.stop();
    let lost = failures(&relays).await;
    assert!(
        matches!(&lost[..], [Failure { error, .. }] if matches!(**error, TurnError::Closed | TurnError::Broken(_)))
    );
    let (_socket, address) = peer().await;
    relays.send(TARGET, transmit(former, address, b"too late")).expect("it is still the relay's");
    assert_eq!(relays.counters().not_ready, 1);
    coturn.start_again().await;
    let relayed = relayed(&mut inbox).await;
    check_both_ways(&relays, &mut inbox, relayed).await;
}

#[tokio::test]
async fn dropping_gives_the_address_back() {
    let Some(coturn) = Coturn::start_with(&["--user-quota=1"]).await else { return };
    let (mut first, mut inbox) = relays(coturn.trusting());
    first.set_servers(TARGET, &[server(&[coturn.udp()])]);
    relayed(&mut inbox).await;
    let (mut second, mut inbox) = relays(coturn.trusting());
    second.set_servers(TARGET, &[server(&[coturn.udp()])]);
    let refused = failures(&second).await;
    assert!(matches!(*refused[0].error, TurnError::QuotaReached), "{refused:?}");
    drop(first);
    relayed(&mut inbox).await;
}

#[tokio::test]
async fn another_network_means_another_address() {
    let Some(coturn) = Coturn::start().await else { return };
    let (mut relays, mut inbox) = relays(coturn.trusting());
    relays.restart();
    relays.set_servers(TARGET, &[server(&[coturn.udp()])]);
    let before = relayed(&mut inbox).await;
    relays.restart();
    let after = relayed(&mut inbox).await;
    assert_ne!(before, after);
    check_both_ways(&relays, &mut inbox, after).await;
    let (_socket, address) = peer().await;
    assert!(relays.send(TARGET, transmit(before, address, b"gone")).is_ok(), "it was the relay's");
}

#[tokio::test]
async fn fresh_credentials_keep_the_address_and_other_relays_do_not() {
    let Some(coturn) = Coturn::start().await else { return };
    let (mut relays, mut inbox) = relays(coturn.trusting());
    relays.set_servers(TARGET, &[server(&[coturn.udp()])]);
    let before = relayed(&mut inbox).await;
    relays.set_servers(TARGET, &[IceServer { credential: "fresh".to_owned(), ..server(&[coturn.udp()]) }]);
    check_both_ways(&relays, &mut inbox, before).await;
    relays.set_servers(TARGET, &[server(&[coturn.tcp()])]);
    assert_ne!(relayed(&mut inbox).await, before);
    relays.set_servers(TARGET, &[]);
    eventually(|| matches!(relays.state(TARGET), RelayState::Unused)).await;
}

#[tokio::test]
async fn a_peer_that_the_relay_refuses_costs_the_others_nothing() {
    let Some(coturn) = Coturn::start_with(&["--allow-loopback-peers", "--denied-peer-ip=127.0.0.2"]).await
    else {
        return;
    };
    let (mut relays, mut inbox) = relays(coturn.trusting());
    relays.set_servers(TARGET, &[server(&[coturn.tcp()])]);
    let relayed = relayed(&mut inbox).await;
    let denied = SocketAddr::from(([127, 0, 0, 2], 9));
    relays.send(TARGET, transmit(relayed, denied, b"no")).unwrap();
    eventually(|| relays.counters().not_allowed == 1).await;
    let ipv6 = SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 9));
    relays.send(TARGET, transmit(relayed, ipv6, b"out of reach")).unwrap();
    eventually(|| relays.counters().not_allowed == 2).await;
    check_both_ways(&relays, &mut inbox, relayed).await;
}

#[tokio::test]
async fn what_does_not_fit_the_queue_is_dropped_and_counted() {
    let Some(coturn) = Coturn::start().await else { return };
    let (mut relays, mut inbox) = relays(coturn.trusting());
    relays.set_servers(TARGET, &[server(&[coturn.udp()])]);
    let relayed = relayed(&mut inbox).await;
    let (_socket, address) = peer().await;
    // The task does not run in between: what waits is what the queue holds.
    for _ in 0..QUEUE_DATAGRAMS_MAX + 10 {
        relays.send(TARGET, transmit(relayed, address, b"x")).unwrap();
    }
    assert_eq!(relays.counters().queue_full, 10);
}

#[tokio::test]
async fn what_is_not_sent_from_a_relay_is_given_back() {
    let (relays, _inbox) = relays(trusting_nobody());
    let own = SocketAddr::from(([127, 0, 0, 1], 5_000));
    let back = relays.send(TARGET, transmit(own, own, b"not yours")).unwrap_err();
    assert_eq!(back.contents, b"not yours");
    assert!(matches!(relays.state(TARGET), RelayState::Unused));
}

#[test]
fn relays_are_tried_udp_first_and_are_bounded() {
    let urls: Vec<_> = ["turns:a", "stun:a", "turn:a?transport=tcp", "turn:a", "turn:b:x", "turn:c"]
        .into_iter()
        .map(str::to_owned)
        .collect();
    let order: Vec<_> = candidates(&[server(&urls)]).into_iter().map(|candidate| candidate.text).collect();
    assert_eq!(order, ["turn:a", "turn:c", "turn:a?transport=tcp", "turns:a", "turn:b:x"]);
    let many: Vec<_> = (0..100).map(|number| format!("turn:relay{number}")).collect();
    assert_eq!(candidates(&[server(&many)]).len(), CANDIDATES_MAX);
}
