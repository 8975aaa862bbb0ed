//! What scenarios share: waiting for what clients see, and numbered frames.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use trackyard_lanes::{DropReason, LaneStats};
use trackyard_sim::client::{ClientEvent, ReceivedFrame};
use trackyard_sim::world::{ClientId, Realm, SeatConfig, World};
use trackyard_sim::{GuestEvent, MixedWorld};

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

/// Lets time pass until a client of either kind sees what `pick` looks for.
pub(crate) fn sees<R: Realm, T>(
    world: &mut MixedWorld<R>,
    client: ClientId,
    patience: Duration,
    pick: impl Fn(&GuestEvent) -> Option<T>,
) -> T {
    let mut found = None;
    let in_time = world.run_until(patience, |world| {
        let events = world.events(client);
        found = found.take().or_else(|| events.iter().find_map(|(_, event)| pick(event)));
        found.is_some()
    });
    assert!(in_time, "client {client:?} did not see it in {patience:?}");
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
    let mut frame = number.to_be_bytes().to_vec();
    let skipped = number as usize * 31 % 1_021;
    frame.extend_from_slice(&pattern()[skipped..][..bytes.saturating_sub(4)]);
    frame
}

/// Bytes without a short period, so that a piece in the wrong place shows.
fn pattern() -> &'static [u8] {
    static PATTERN: OnceLock<Vec<u8>> = OnceLock::new();
    PATTERN.get_or_init(|| {
        let mut random = fastrand::Rng::with_seed(99);
        (0..2_200_000).map(|_| random.u8(..)).collect()
    })
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

/// No packet that is none, none under an unknown handle, no handle before its announcement, and no
/// description that could not be used.
pub(crate) fn assert_clean(events: &[(Instant, ClientEvent)]) {
    for (_, event) in events {
        match event {
            ClientEvent::UnknownHandle(_) | ClientEvent::Malformed | ClientEvent::Failed(_) => {
                panic!("unexpected {event:?}")
            }
            ClientEvent::Handle { announced, handle } => {
                assert!(announced, "handle {handle:?} before its track's announcement");
            }
            _ => {}
        }
    }
}

/// Both directions of a path: half the round trip each way, a rate towards the client.
pub(crate) fn path(seat: &mut SeatConfig, round_trip: Duration, down_bps: Option<u64>) {
    seat.up.delay = round_trip / 2;
    seat.down.delay = round_trip / 2;
    seat.down.rate_bps = down_bps;
}

/// Where virtual time begins.
#[expect(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]
pub(crate) fn begin() -> Instant {
    Instant::now()
}

/// What the lanes of all workers have counted.
pub(crate) fn lane_totals<R: Realm>(world: &mut World<R>) -> LaneStats {
    let mut totals = LaneStats::default();
    for id in 0..world.node().workers() {
        totals += world.node().worker(id).lane_totals();
    }
    totals
}

/// Drops by reason, those that happened.
pub(crate) fn drops(totals: &LaneStats) -> String {
    let happened = DropReason::ALL.into_iter().filter(|reason| totals.dropped(*reason) > 0);
    let texts: Vec<_> =
        happened.map(|reason| format!("{} {}", reason.label(), totals.dropped(reason))).collect();
    format!("delivered {} of {}, {}", totals.frames_delivered, totals.frames_in, texts.join(", "))
}
