//! Start, end and death of workers.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use trackyard_net::{SendErrorReason, StartError, Workers, start};
use trackyard_sfu::control::{Command, Event, PeerId, RoomKey, RouteBatch, WorkerId};

use crate::client::{Link, PATIENCE, until};
use crate::exchange::exchange;
use crate::site::{ROOM, Site, config, loopback};

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn nothing_new() -> Command {
    Command::Route(RouteBatch { room: ROOM, version: 1, changes: Vec::new() })
}

fn shut_down(workers: &Workers) {
    workers.shutdown(Instant::now() + PATIENCE).unwrap();
}

#[test]
fn shutdown_ends_threads_and_closes_every_descriptor() {
    let mut site = Site::start(&config(2));
    // What the process opens once for good is open now.
    shut_down(&site.workers);
    let before = descriptors();
    for round in 0..3 {
        let sink = |_: RoomKey, _: Event| {};
        let workers = start(&config(2), &sink).unwrap();
        site.workers = workers.clone();
        let _greeted = Link::tcp(site.tcp());
        site.wait("the connection", |stats| stats[0].tcp_connections == 1);
        let start = Instant::now();
        shut_down(&workers);
        assert!(start.elapsed() < Duration::from_secs(5));
        drop(_greeted);
        assert_eq!(descriptors(), before, "round {round}");
        let refused = workers.send(WorkerId(1), nothing_new()).unwrap_err();
        assert_eq!(refused.reason, SendErrorReason::WorkerGone);
        assert!(matches!(refused.command, Command::Route(_)), "given back");
    }
}

#[test]
fn clients_are_told_goodbye_on_shutdown() {
    let mut site = Site::start(&config(2));
    let mut member = site.join(WorkerId(1), Link::udp());
    shut_down(&site.workers);
    until("the end", &mut [&mut member.client], |clients| clients[0].has_ended());
    assert_eq!(site.stats(WorkerId(1)).peers, 0);
}

#[test]
fn a_dead_worker_is_noticed_and_the_others_go_on() {
    let site = Site::start(&config(1));
    let sink = |_: RoomKey, event: Event| {
        assert!(!matches!(event, Event::Applied { version: 666, .. }), "a defect");
    };
    let workers = start(&config(2), &sink).unwrap();
    let poison = Command::Route(RouteBatch { room: ROOM, version: 666, changes: Vec::new() });
    workers.send(WorkerId(0), poison).unwrap();
    until("its death", &mut [], |_| workers.stats()[0].deaths == 1);
    workers.send(WorkerId(1), nothing_new()).unwrap();
    assert!(workers.stats()[1].is_alive && workers.stats()[1].deaths == 0);
    until("its next life", &mut [], |_| workers.stats()[0].is_alive);
    workers.send(WorkerId(0), nothing_new()).unwrap();
    shut_down(&workers);
    drop(site);
}

#[test]
fn a_worker_that_begins_anew_has_the_same_sockets_and_nothing_else() {
    let mut site = Site::start(&config(2));
    let (udp, tcp) = (site.udp(), site.tcp());
    let over_udp = site.join(WorkerId(0), Link::udp());
    let over_tcp = site.join(WorkerId(0), Link::tcp(tcp));
    let other = site.join(WorkerId(1), Link::udp());
    site.wait("three peers", |stats| (stats[0].peers, stats[1].peers) == (2, 1));
    let before = site.stats(WorkerId(0));
    site.workers.fail(WorkerId(0));
    site.wait("its death", |stats| stats[0].deaths == 1 && stats[0].is_alive);
    let after = site.stats(WorkerId(0));
    assert_eq!((after.peers, after.tcp_connections, after.commands_waiting), (0, 0, 0));
    assert!(after.core.datagrams_in >= before.core.datagrams_in, "no counter goes back");
    assert_eq!(after.core.peers_opened, before.core.peers_opened);
    assert_eq!(site.stats(WorkerId(1)).peers, 1, "the other worker's peer is still there");
    // What the dead had claimed is nobody's: the same clients' datagrams go nowhere.
    let known = [&over_udp, &over_tcp].map(|member| member.client.server_ufrag.clone());
    assert_eq!((site.udp(), site.tcp()), (udp, tcp));
    let mut again = site.join(WorkerId(0), Link::udp());
    assert!(!known.contains(&again.client.server_ufrag));
    let mut over_tcp = site.join(WorkerId(0), Link::tcp(tcp));
    site.wait("both are back", |stats| stats[0].peers == 2);
    let mut other = other;
    exchange(&site, &mut other, &mut again);
    exchange(&site, &mut over_tcp, &mut other);
    assert!(!other.client.has_ended());
}

#[test]
fn a_worker_that_dies_again_and_again_rests_and_comes_back() {
    let site = Site::start(&config(1));
    for death in 1..=3 {
        site.wait("a life", |stats| stats[0].is_alive);
        site.workers.fail(WorkerId(0));
        site.wait("its death", |stats| stats[0].deaths == death);
    }
    site.wait("its next life", |stats| stats[0].is_alive);
    site.send(WorkerId(0), nothing_new());
    shut_down(&site.workers);
}

#[test]
fn a_resting_worker_can_be_stopped() {
    let site = Site::start(&config(1));
    for death in 1..=4 {
        site.wait("a life", |stats| stats[0].is_alive);
        site.workers.fail(WorkerId(0));
        site.wait("its death", |stats| stats[0].deaths == death);
    }
    let refused = site.workers.send(WorkerId(0), nothing_new()).unwrap_err();
    assert_eq!(refused.reason, SendErrorReason::WorkerGone);
    shut_down(&site.workers);
}

#[test]
fn a_burst_of_placements_is_spread_before_anyone_is_counted() {
    let site = Site::start(&config(2));
    let placed: Vec<_> = (0..4).map(|_| site.workers.place([]).0).collect();
    assert_eq!(placed, [0, 1, 0, 1]);
}

#[test]
fn a_room_is_kept_together_until_it_grows() {
    let site = Site::start(&config(2));
    let mut of_room = [0, 0];
    for _ in 0..8 {
        let served = [0, 1].map(|id| (WorkerId(id), of_room[usize::from(id)]));
        of_room[usize::from(site.workers.place(served).0)] += 1;
        assert!(of_room[1] == 0 || of_room[0] >= 4, "{of_room:?}");
    }
    assert_eq!(of_room, [4, 4]);
}

#[test]
fn an_unknown_worker_is_gone() {
    let site = Site::start(&config(1));
    let close = Command::Close { peer: PeerId(1) };
    assert_eq!(site.workers.send(WorkerId(9), close).unwrap_err().reason, SendErrorReason::WorkerGone);
}

#[test]
fn what_cannot_start_says_why() {
    let _site = Site::start(&config(1));
    let refused = |config: &trackyard_net::NetConfig| start(config, &|_: RoomKey, _: Event| {}).unwrap_err();
    assert!(matches!(refused(&config(0)), StartError::WorkerCount(0)));
    let mut nowhere = config(1);
    (nowhere.udp, nowhere.tcp) = (Vec::new(), Vec::new());
    assert!(matches!(refused(&nowhere), StartError::NoAddress));
    let taken = UdpSocket::bind(loopback()).unwrap();
    let mut occupied = config(2);
    occupied.udp = vec![taken.local_addr().unwrap()];
    assert!(matches!(refused(&occupied), StartError::Bind { .. }));
    let mut unnamed = config(1);
    (unnamed.udp, unnamed.tcp) = (vec!["0.0.0.0:0".parse().unwrap()], Vec::new());
    assert!(matches!(refused(&unnamed), StartError::NothingAdvertised));
}
