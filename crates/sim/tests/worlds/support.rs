//! What scenarios share: waiting for what clients see, and numbered frames.

use std::time::{Duration, Instant};

use trackyard_sim::client::{ClientEvent, ReceivedFrame};
use trackyard_sim::world::{ClientId, Realm, SeatConfig, World};

/// Long enough for anything that happens at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A client of room `room`, in one mode or the other.
pub(crate) fn seat(identity: &str, single: bool) -> SeatConfig {
    let mut seat = SeatConfig::new("room", identity);
    seat.client.single = single;
    seat
}

/// Lets time pass until the client sees what `pick` looks for; everything else is passed over.
pub(crate) fn wait<R: Realm, T>(
    world: &mut World<R>,
    client: ClientId,
    mut pick: impl FnMut(&ClientEvent) -> Option<T>,
) -> T {
    let mut found = None;
    let in_time = world.run_until(PATIENCE, |world| {
        let events = world.events(client);
        found = found.take().or_else(|| events.iter().find_map(|(_, event)| pick(event)));
        found.is_some()
    });
    assert!(in_time, "client {client:?} did not see it in {PATIENCE:?}");
    found.expect("just seen")
}

/// Joins and waits until data can be sent and received.
pub(crate) fn join<R: Realm>(world: &mut World<R>, seat: SeatConfig) -> ClientId {
    let single = seat.client.single;
    let client = world.join(seat);
    let mut open = 0;
    wait(world, client, |event| {
        open += u32::from(matches!(event, ClientEvent::ChannelOpen(..)));
        (open == if single { 3 } else { 6 }).then_some(())
    });
    client
}

/// Publishes and waits for the sid.
pub(crate) fn publish<R: Realm>(world: &mut World<R>, client: ClientId, handle: u16, name: &str) -> String {
    world.with(client, |client, _| client.publish(handle, name));
    wait(world, client, |event| match event {
        ClientEvent::Published(info) if info.pub_handle == handle => Some(info.sid.clone()),
        _ => None,
    })
}

/// Subscribes and waits for the handle, which must come after the announcement.
pub(crate) fn subscribe<R: Realm>(world: &mut World<R>, client: ClientId, sid: &str) -> u16 {
    world.with(client, |client, _| client.subscribe(sid));
    wait(world, client, |event| match event {
        ClientEvent::Handle { handle, announced } if handle.track.track_sid == sid => {
            assert!(announced, "a handle before its track's announcement");
            Some(handle.handle)
        }
        _ => None,
    })
}

/// A frame whose bytes follow from its number and size.
pub(crate) fn frame(number: u32, bytes: usize) -> Vec<u8> {
    let mut frame: Vec<u8> = number.to_be_bytes().to_vec();
    frame.extend((4..bytes).map(|at| (at as u32).wrapping_mul(number.wrapping_add(7)).to_be_bytes()[2]));
    frame.truncate(bytes.max(4));
    frame
}

/// The number of a frame that is intact; panics on any other.
pub(crate) fn check_frame(received: &ReceivedFrame) -> u32 {
    let number = u32::from_be_bytes(received.payload[..4].try_into().expect("four bytes"));
    assert_eq!(received.payload, frame(number, received.payload.len()), "wrong bytes in frame {number}");
    number
}

/// Numbers and times of the intact frames among events; their order must be the publisher's.
pub(crate) fn frames(events: &[(Instant, ClientEvent)]) -> Vec<(Instant, u32)> {
    let frames: Vec<_> = events
        .iter()
        .filter_map(|(at, event)| match event {
            ClientEvent::Frame(frame) => Some((*at, check_frame(frame))),
            _ => None,
        })
        .collect();
    assert!(frames.is_sorted_by_key(|(_, number)| *number), "frames out of order");
    frames
}
