//! Clients whose address changes.

use std::time::{Duration, Instant};

use trackyard_sfu::control::{Command, Event, WorkerId};

use crate::client::until;
use crate::site::{Member, Site, config, packet};

/// A publisher on one worker, its subscriber on the other.
struct Pair {
    publisher: Member,
    subscriber: Member,
    next: u16,
}

impl Pair {
    fn new(site: &mut Site) -> Self {
        let (here, there) = (site.direct(WorkerId(0)), site.direct(WorkerId(1)));
        let publisher = site.join(WorkerId(0), here);
        let subscriber = site.join(WorkerId(1), there);
        site.connect((&publisher, 7), (&subscriber, 9));
        Self { publisher, subscriber, next: 0 }
    }

    /// Publishes a frame every few milliseconds until one that was sent from now on arrives. The
    /// channel is a lossy one: what is sent before the server knows the new place may be gone.
    fn assert_flows(&mut self) {
        let (first, mut due) = (self.next, Instant::now());
        let (publisher, subscriber) = (&mut self.publisher.client, &mut self.subscriber.client);
        let deadline = due + crate::client::PATIENCE;
        while !subscriber.received.iter().any(|bytes| u16::from_be_bytes([bytes[4], bytes[5]]) >= first) {
            assert!(Instant::now() < deadline, "no frame arrives");
            if Instant::now() >= due {
                publisher.publish(&packet(7, self.next, b"frame"));
                self.next += 1;
                due += Duration::from_millis(5);
            }
            std::thread::yield_now();
            publisher.look();
            subscriber.look();
        }
    }

    /// Lets both look until a binding request from the new place has reached the publisher's worker.
    fn wait_for_stray(&mut self, site: &Site, before: u64) {
        let clients = &mut [&mut self.publisher.client, &mut self.subscriber.client];
        until("a binding request", clients, |_| site.stats(WorkerId(0)).net.strays_in > before);
    }
}

#[test]
fn a_client_behind_a_translator_that_changes_its_mind_is_found_again() {
    let mut site = Site::start(&config(2));
    let mut pair = Pair::new(&mut site);
    pair.assert_flows();
    pair.publisher.client.rebind(site.misdirected(WorkerId(0)));
    let before = site.stats(WorkerId(0)).net.strays_in;
    pair.wait_for_stray(&site, before);
    pair.assert_flows();
}

#[test]
fn an_ice_restart_from_elsewhere_keeps_the_frames_flowing() {
    let mut site = Site::start(&config(2));
    let mut pair = Pair::new(&mut site);
    pair.assert_flows();
    pair.publisher.client.rebind(site.misdirected(WorkerId(0)));
    let sdp = pair.publisher.client.restart_ice();
    site.send(WorkerId(0), Command::Offer { peer: pair.publisher.peer, id: 2, sdp });
    let answer = site.event("the second answer", |event| match event {
        Event::Answer { id: 2, sdp, .. } => Some(sdp),
        _ => None,
    });
    let before = site.stats(WorkerId(0)).net.strays_in;
    pair.publisher.client.accept(&answer);
    pair.wait_for_stray(&site, before);
    pair.assert_flows();
    assert_eq!(site.stats(WorkerId(0)).core.peers_lost, 0);
}

#[test]
fn a_forged_request_takes_no_address_away() {
    let mut site = Site::start(&config(2));
    let mut pair = Pair::new(&mut site);
    pair.assert_flows();
    let before = site.stats(WorkerId(0)).net;
    let elsewhere = pair.subscriber.client.server_ufrag.clone();
    pair.publisher.client.forge(site.udp(), &elsewhere);
    site.wait("the forged request", |stats| stats[0].net.strays_out > before.strays_out);
    pair.assert_flows();
    assert_eq!(site.stats(WorkerId(0)).net.unclaimed, before.unclaimed, "the publisher is still known");
}
