//! What announcing many tracks costs a watcher, and how soon each is announced (protocol §5.2).

use std::collections::HashMap;
use std::time::{Duration, Instant};

use trackyard_sim::client::ClientEvent;
use trackyard_sim::world::{ClientId, MessageRealm, NodeConfig, World};

use crate::figures::figure;
use crate::support::{PATIENCE, begin, join, seat};

/// A track is announced no later than this after its publication was confirmed.
const ANNOUNCED_WITHIN: Duration = Duration::from_millis(250);

struct Cost {
    bytes: u64,
    latest: Duration,
    took: Duration,
}

struct Stage {
    world: World<MessageRealm>,
    publisher: ClientId,
    watcher: ClientId,
    confirmed: HashMap<String, Instant>,
    announced: HashMap<String, Instant>,
}

impl Stage {
    /// Messages take at most `delay`, each way.
    fn new(delay: Duration) -> Self {
        let config = NodeConfig { counts_signal_bytes: true, delay_max: delay / 2, ..NodeConfig::default() };
        let mut world = World::new(MessageRealm::new(begin()), config, 1);
        let mut publisher = seat("publisher", true);
        publisher.signal_delay = delay;
        let publisher = join(&mut world, publisher);
        // What a watcher's own connection adds is not the server's.
        let mut watcher = seat("watcher", true);
        watcher.signal_delay = Duration::ZERO;
        let watcher = join(&mut world, watcher);
        world.run_for(Duration::from_secs(2));
        Self { world, publisher, watcher, confirmed: HashMap::new(), announced: HashMap::new() }
    }

    fn publish(&mut self, count: u16, in_flight: usize) -> Cost {
        let before = self.world.node().signal_bytes(self.watcher);
        let begin = self.world.now();
        for index in 1..=count {
            self.world.with(self.publisher, |client, _| client.publish(index, &format!("track-{index}")));
            self.wait(usize::from(index).saturating_sub(in_flight - 1));
        }
        self.wait(usize::from(count));
        let took = self.world.now() - begin;
        self.world.run_for(Duration::from_secs(1));
        self.observe();
        assert_eq!(self.announced.len(), usize::from(count), "announced to the watcher");
        let bytes = self.world.node().signal_bytes(self.watcher) - before;
        let wait = |(sid, at): (&String, &Instant)| self.announced[sid].saturating_duration_since(*at);
        Cost { bytes, latest: self.confirmed.iter().map(wait).max().unwrap_or_default(), took }
    }

    /// Until so many publications are confirmed.
    fn wait(&mut self, confirmed: usize) {
        let limit = self.world.now() + PATIENCE;
        while self.confirmed.len() < confirmed {
            assert!(self.world.now() < limit, "{} of {confirmed} confirmed", self.confirmed.len());
            self.world.run_for(Duration::from_micros(50));
            self.observe();
        }
    }

    fn observe(&mut self) {
        for (at, event) in self.world.events(self.publisher) {
            if let ClientEvent::Published(info) = event {
                self.confirmed.insert(info.sid.clone(), at);
            }
        }
        for (at, event) in self.world.events(self.watcher) {
            if let ClientEvent::Update(infos) = event {
                for track in infos.iter().flat_map(|info| &info.data_tracks) {
                    self.announced.entry(track.sid.clone()).or_insert(at);
                }
            }
        }
    }
}

fn announcing_is_linear(name: &str, in_flight: usize, delay: Duration) -> Cost {
    let one = Stage::new(delay).publish(1_000, in_flight);
    let two = Stage::new(delay).publish(2_000, in_flight);
    let ratio = two.bytes as f64 / one.bytes as f64;
    figure(format!("1,000 tracks, {name}: bytes to one watcher"), one.bytes);
    figure(format!("1,000 tracks, {name}: publication took ms"), one.took.as_millis());
    figure(format!("1,000 tracks, {name}: bytes of 2,000 / bytes of 1,000"), format!("{ratio:.2}"));
    figure(format!("1,000 tracks, {name}: latest announcement ms"), one.latest.max(two.latest).as_millis());
    assert!(ratio <= 2.3, "{ratio:.2} times the bytes for twice the tracks");
    assert!(one.latest.max(two.latest) <= ANNOUNCED_WITHIN, "{:?} {:?}", one.latest, two.latest);
    one
}

#[test]
fn announcing_tracks_published_one_by_one_costs_linear_bytes() {
    let cost = announcing_is_linear("one by one", 1, Duration::from_micros(100));
    assert!(cost.bytes <= 500_000, "{} bytes for 1,000 tracks", cost.bytes);
}

#[test]
fn announcing_tracks_published_64_at_a_time_costs_linear_bytes() {
    let cost = announcing_is_linear("64 in flight", 64, Duration::from_millis(2));
    assert!(cost.bytes <= 500_000, "{} bytes for 1,000 tracks", cost.bytes);
}

/// A publisher that takes seconds for a thousand tracks makes more lists; they are paced all the same.
#[test]
fn announcing_tracks_published_slowly_costs_linear_bytes() {
    announcing_is_linear("one by one, slowly", 1, Duration::from_millis(2));
}

/// The lists that a watcher is sent while tens of thousands are published add up to a few of the last one.
#[test]
fn announcing_tens_of_thousands_of_tracks_costs_linear_bytes() {
    let [few, many] =
        [16_384, 32_768].map(|count| Stage::new(Duration::from_micros(500)).publish(count, 1_024));
    let ratio = many.bytes as f64 / few.bytes as f64;
    figure("32,768 tracks, 1,024 in flight: bytes to one watcher".to_owned(), many.bytes);
    figure("32,768 tracks, 1,024 in flight: bytes / bytes of 16,384".to_owned(), format!("{ratio:.2}"));
    assert!(ratio <= 2.0 * 1.3, "{ratio:.2} times the bytes for twice the tracks");
    assert!(many.took < Duration::from_secs(1), "{:?}: in virtual time only the way is counted", many.took);
}
