//! Clients whose address changes.

use trackyard_sfu::control::{Command, Event, WorkerId};

use crate::client::until;
use crate::site::{Member, Site, config, packet};

/// Waits for a frame that has just been sent.
fn wait_for_flow(publisher: &mut Member, subscriber: &mut Member) {
    until("a frame", &mut [&mut publisher.client, &mut subscriber.client], |clients| {
        !clients[1].received.is_empty()
    });
    subscriber.client.received.clear();
}

fn pair(site: &mut Site) -> (Member, Member) {
    let (here, there) = (site.direct(WorkerId(0)), site.direct(WorkerId(1)));
    let mut publisher = site.join(WorkerId(0), here);
    let mut subscriber = site.join(WorkerId(1), there);
    site.connect((&publisher, 7), (&subscriber, 9));
    publisher.client.publish(&packet(7, 0, b"before"));
    wait_for_flow(&mut publisher, &mut subscriber);
    (publisher, subscriber)
}

#[test]
fn a_client_behind_a_translator_that_changes_its_mind_is_found_again() {
    let mut site = Site::start(&config(2));
    let (mut publisher, mut subscriber) = pair(&mut site);
    publisher.client.rebind(site.misdirected(WorkerId(0)));
    // Lost, or held until the next binding request tells where it comes from.
    publisher.client.publish(&packet(7, 1, b"at once"));
    let before = site.stats(WorkerId(0)).net.strays_in;
    until("a binding request", &mut [&mut publisher.client, &mut subscriber.client], |_| {
        site.stats(WorkerId(0)).net.strays_in > before
    });
    subscriber.client.received.clear();
    publisher.client.publish(&packet(7, 2, b"after"));
    wait_for_flow(&mut publisher, &mut subscriber);
}

#[test]
fn an_ice_restart_from_elsewhere_keeps_the_frames_flowing() {
    let mut site = Site::start(&config(2));
    let (mut publisher, mut subscriber) = pair(&mut site);
    publisher.client.rebind(site.misdirected(WorkerId(0)));
    let sdp = publisher.client.restart_ice();
    site.send(WorkerId(0), Command::Offer { peer: publisher.peer, id: 2, sdp });
    let answer = site.event("the second answer", |event| match event {
        Event::Answer { id: 2, sdp, .. } => Some(sdp),
        _ => None,
    });
    publisher.client.accept(&answer);
    let before = site.stats(WorkerId(0)).net.strays_in;
    until("the first check", &mut [&mut publisher.client, &mut subscriber.client], |_| {
        site.stats(WorkerId(0)).net.strays_in > before
    });
    publisher.client.publish(&packet(7, 1, b"after"));
    wait_for_flow(&mut publisher, &mut subscriber);
    assert_eq!(site.stats(WorkerId(0)).core.peers_lost, 0);
}
