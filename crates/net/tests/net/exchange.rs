//! Packets over real connections.

use trackyard_sfu::control::{Command, Event, WorkerId};

use crate::client::{Link, until};
use crate::site::{Member, Site, config, packet};

const FRAMES: u16 = 200;

/// Frames flow, whole and in order.
pub(crate) fn exchange(site: &Site, publisher: &mut Member, subscriber: &mut Member) {
    site.connect((publisher, 7), (subscriber, 9));
    for number in 0..FRAMES {
        publisher.client.publish(&packet(7, number, &[number.to_be_bytes()[1]; 900]));
        publisher.client.look();
    }
    let expected: Vec<Vec<u8>> =
        (0..FRAMES).map(|number| packet(9, number, &[number.to_be_bytes()[1]; 900])).collect();
    until("all frames", &mut [&mut publisher.client, &mut subscriber.client], |clients| {
        clients[1].received.len() >= expected.len()
    });
    assert!(
        subscriber.client.received.iter().eq(&expected),
        "in order, whole, under the subscriber's handle"
    );
    subscriber.client.received.clear();
}

#[test]
fn peers_of_one_worker_exchange_frames_over_udp() {
    let mut site = Site::start(&config(1));
    let mut publisher = site.join(WorkerId(0), Link::udp());
    let mut subscriber = site.join(WorkerId(0), Link::udp());
    exchange(&site, &mut publisher, &mut subscriber);
    site.wait("the account", |stats| {
        let (core, lanes) = (&stats[0].core, &stats[0].lanes);
        core.routed == u64::from(FRAMES)
            && lanes.frames_delivered == u64::from(FRAMES)
            && lanes.dropped_total() == 0
    });
}

/// One peer of each worker, both at the other one's socket.
fn misdirected(site: &mut Site) -> [Member; 2] {
    [WorkerId(0), WorkerId(1)].map(|worker| {
        let link = site.misdirected(worker);
        site.join(worker, link)
    })
}

#[test]
fn a_misdirected_peer_is_served_by_its_worker_after_one_hop() {
    let mut site = Site::start(&config(2));
    let [mut publisher, mut subscriber] = misdirected(&mut site);
    exchange(&site, &mut publisher, &mut subscriber);
    site.wait("counters", |stats| {
        let all_hopped = stats.iter().all(|worker| worker.net.strays_in > 0 && worker.net.strays_out > 0);
        all_hopped
            && stats[0].core.crossings_out == u64::from(FRAMES)
            && stats[1].core.crossings_in == u64::from(FRAMES)
    });
    assert!(site.workers.stats().iter().all(|worker| worker.net.strays_dropped == 0));
}

#[test]
#[cfg(target_os = "linux")]
fn the_kernel_learns_where_a_misdirected_peer_belongs() {
    let mut site = Site::start(&config(2));
    let [mut publisher, mut subscriber] = misdirected(&mut site);
    exchange(&site, &mut publisher, &mut subscriber);
    let hops = |site: &Site| site.workers.stats().iter().map(|worker| worker.net.strays_out).sum::<u64>();
    assert!(hops(&site) > 0);
    // It is told by the next datagram that comes astray once it is time; everything after that comes to its place.
    let comes_to_its_place = (0..200).any(|_| {
        let before = hops(&site);
        exchange(&site, &mut publisher, &mut subscriber);
        hops(&site) == before
    });
    assert!(comes_to_its_place);
}

#[test]
fn ice_tcp_connections_move_to_their_worker() {
    let mut site = Site::start(&config(2));
    let (tcp, udp) = (Link::tcp(site.tcp()), Link::udp());
    let mut over_tcp = site.join(WorkerId(1), tcp);
    let mut over_udp = site.join(WorkerId(0), udp);
    exchange(&site, &mut over_tcp, &mut over_udp);
    let other = Link::tcp(site.tcp());
    let mut subscriber = site.join(WorkerId(0), other);
    exchange(&site, &mut over_udp, &mut subscriber);
    assert_eq!(site.stats(WorkerId(0)).net.tcp_handed_over, 1);
    site.wait("connections", |stats| stats.iter().all(|worker| worker.tcp_connections == 1));
}

#[test]
fn a_closed_peer_takes_its_tcp_connection_along() {
    let mut site = Site::start(&config(1));
    let link = Link::tcp(site.tcp());
    let member = site.join(WorkerId(0), link);
    site.wait("the connection", |stats| stats[0].tcp_connections == 1 && stats[0].peers == 1);
    site.send(WorkerId(0), Command::Close { peer: member.peer });
    site.wait("its end", |stats| stats[0].tcp_connections == 0 && stats[0].peers == 0);
}

#[test]
fn a_packet_for_many_crosses_once() {
    let mut site = Site::start(&config(2));
    let (here, there) = (site.direct(WorkerId(0)), site.direct(WorkerId(1)));
    let mut publisher = site.join(WorkerId(0), here);
    let mut subscribers = vec![site.join(WorkerId(1), there)];
    for _ in 0..3 {
        let link = site.direct(WorkerId(1));
        subscribers.push(site.join(WorkerId(1), link));
    }
    for subscriber in &subscribers {
        site.connect((&publisher, 7), (subscriber, 9));
    }
    for number in 0..FRAMES {
        publisher.client.publish(&packet(7, number, &[1; 900]));
        publisher.client.look();
    }
    let mut clients: Vec<_> = subscribers.iter_mut().map(|member| &mut member.client).collect();
    clients.push(&mut publisher.client);
    until("all frames", &mut clients, |clients| {
        clients[..4].iter().all(|client| client.received.len() == usize::from(FRAMES))
    });
    site.wait("counters", |stats| {
        let frames = u64::from(FRAMES);
        let (here, there) = (&stats[0].core, &stats[1].core);
        here.crossings_out == frames && there.crossings_in == frames && there.forwarded == 4 * frames
    });
}

#[test]
fn peers_go_where_fewest_are() {
    let mut site = Site::start(&config(2));
    for count in 1..=4 {
        let worker = site.workers.place([]);
        site.join(worker, Link::udp());
        site.wait("the load", |stats| stats.iter().map(|worker| worker.peers).sum::<u64>() == count);
    }
    assert!(site.workers.stats().iter().all(|worker| worker.peers == 2));
}

#[test]
fn a_connection_is_told_to_its_room() {
    let mut site = Site::start(&config(1));
    let member = site.join(WorkerId(0), Link::udp());
    let peer = site.event("connected", |event| match event {
        Event::Connected { peer } => Some(peer),
        _ => None,
    });
    assert_eq!(peer, member.peer);
}
