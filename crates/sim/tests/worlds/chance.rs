//! Random scripts: whatever clients do and links do to them, the promises hold. The same seed gives
//! the same run, to the last byte.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use trackyard_proto::Permission;
use trackyard_sfu::room::{Admin, ParticipantChange};
use trackyard_sim::link::LinkConfig;
use trackyard_sim::world::{ClientId, MessageRealm, NodeConfig, SeatConfig, World};

use crate::figures::figure;
use crate::support::{begin, frame, lane_totals, seat};
use crate::view::{Known, View};

const STEPS: u32 = 120;
/// Who there is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cast {
    /// `None`: a few, as the seed says.
    pub(crate) workers: Option<u16>,
    /// Workers die now and then.
    pub(crate) workers_die: bool,
    pub(crate) seats_max: usize,
    pub(crate) identities: u8,
}

const FEW: Cast = Cast { workers: None, workers_die: false, seats_max: 8, identities: 6 };
/// A client that is gone has been removed, and the room has closed, after this.
const ALL_OVER: Duration = Duration::from_secs(60);
/// Everything that was said has been heard after this, with presence told twice a second.
const SETTLED: Duration = Duration::from_secs(4);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    /// Anything.
    Any,
    /// Nothing is lost or under way, and nobody goes while frames do. Frames are single packets.
    Perfect,
}

struct Player {
    id: ClientId,
    view: View,
    alive: bool,
    /// Its signal connection is cut.
    away: bool,
}

struct Script {
    world: World<MessageRealm>,
    random: fastrand::Rng,
    players: Vec<Player>,
    links: Links,
    cast: Cast,
    frames: u32,
    deaths: u64,
    digest: DefaultHasher,
}

/// What a run has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    datagrams: u64,
    events: u64,
    pub(crate) frames: u64,
    early_packets: u64,
    pub(crate) hops: u64,
    pub(crate) crossings: u64,
    pub(crate) deaths: u64,
}

impl Script {
    fn new(seed: u64, links: Links, cast: Cast) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let workers = cast.workers.unwrap_or_else(|| random.u16(2..=4));
        let config = NodeConfig { workers, ..NodeConfig::default() };
        let mut world = World::new(MessageRealm::new(begin()), config, seed);
        world.record_trace();
        let digest = DefaultHasher::new();
        Self { world, random, players: Vec::new(), links, cast, frames: 0, deaths: 0, digest }
    }

    fn play(mut self) -> Outcome {
        for _ in 0..STEPS {
            self.act();
            let pause = if self.random.u8(..12) == 0 { 1_500 } else { self.random.u64(..80) };
            self.world.run_for(Duration::from_millis(pause));
            self.observe();
            self.check_accounts();
        }
        self.settle();
        self.check_views();
        if self.links == Links::Perfect {
            self.check_deliveries();
        }
        self.end();
        self.outcome()
    }

    fn act(&mut self) {
        if self.cast.workers_die && self.random.u8(..30) == 0 {
            self.deaths += 1;
            let workers = self.world.node().workers();
            return self.world.fail_worker(self.random.u16(..workers));
        }
        match self.random.u8(..100) {
            0..12 => self.join(),
            12..15 if self.links == Links::Any => self.leave(),
            15..18 => self.cut(),
            18..25 => self.come_back(),
            25..37 => self.publish(),
            37..41 => self.unpublish(),
            41..57 => self.subscribe(),
            57..60 => self.unsubscribe(),
            60..64 => self.change_permission(),
            _ => self.push(),
        }
    }

    fn join(&mut self) {
        if self.players.iter().filter(|player| player.alive).count() >= self.cast.seats_max {
            return;
        }
        let identity = format!("p{}", self.random.u8(..self.cast.identities));
        let mut config = seat(&identity, self.random.bool());
        if self.links == Links::Any {
            self.worsen(&mut config);
        }
        let id = self.world.join(config);
        self.players.push(Player { id, view: View::default(), alive: true, away: false });
    }

    fn worsen(&mut self, config: &mut SeatConfig) {
        for link in [&mut config.up, &mut config.down] {
            link.delay = Duration::from_millis(self.random.u64(..40));
            link.loss = if self.random.u8(..3) == 0 { 0.05 } else { 0.0 };
            link.rate_bps = (self.random.u8(..4) == 0).then(|| self.random.u64(1_000_000..10_000_000));
        }
    }

    fn leave(&mut self) {
        if let Some(at) = self.someone() {
            let id = self.players[at].id;
            self.world.with(id, |client, now| client.leave(now));
        }
    }

    fn cut(&mut self) {
        if let Some(at) = self.someone() {
            self.players[at].away = true;
            self.world.cut_signal(self.players[at].id);
        }
    }

    fn come_back(&mut self) {
        let Some(at) = self.someone() else { return };
        if self.players[at].view.sid.is_empty() {
            return;
        }
        let id = self.players[at].id;
        self.players[at].away = false;
        match self.random.u8(..3) {
            0 => self.world.resume_unnoticed(id),
            1 => self.world.resume(id),
            _ => {
                self.world.resume(id);
                self.world.resume_unnoticed(id);
            }
        }
    }

    fn publish(&mut self) {
        let Some(at) = self.someone() else { return };
        let handle = self.random.u16(1..4);
        self.world.with(self.players[at].id, |client, _| client.publish(handle, &format!("t{handle}")));
    }

    fn unpublish(&mut self) {
        let Some(at) = self.someone() else { return };
        let handle = self.random.u16(1..4);
        self.players[at].view.published.remove(&handle);
        self.world.with(self.players[at].id, |client, _| client.unpublish(handle));
    }

    fn subscribe(&mut self) {
        if let Some((id, sid)) = self.someones_track() {
            self.world.with(id, |client, _| client.subscribe(&sid));
        }
    }

    fn unsubscribe(&mut self) {
        if let Some((id, sid)) = self.someones_track() {
            self.world.with(id, |client, _| client.unsubscribe(&sid));
        }
    }

    fn change_permission(&mut self) {
        if self.world.node().room("room").is_none() {
            return;
        }
        let permission = Permission {
            can_subscribe: self.random.u8(..4) > 0,
            can_publish: true,
            can_publish_data: self.random.u8(..4) > 0,
            can_publish_sources: Vec::new(),
            hidden: self.random.u8(..8) == 0,
            recorder: false,
            can_update_metadata: false,
            agent: false,
            can_subscribe_metrics: false,
        };
        let identity = format!("p{}", self.random.u8(..self.cast.identities));
        let change = ParticipantChange { permission: Some(permission), ..ParticipantChange::default() };
        let now = self.world.now();
        self.world.node().admin("room", Admin::UpdateParticipant { identity, change }, now);
    }

    fn push(&mut self) {
        for _ in 0..4 {
            let Some(at) = self.someone() else { return };
            let handles: Vec<_> = self.players[at].view.published.keys().copied().collect();
            let Some(handle) = self.random.choice(handles) else { continue };
            self.frames += 1;
            let bytes_max = if self.links == Links::Any { 60_000 } else { 15_000 };
            let bytes = if self.random.u8(..6) == 0 { self.random.usize(4..bytes_max) } else { 600 };
            let payload = frame(self.frames, bytes);
            self.world.with(self.players[at].id, |client, now| client.push(handle, &payload, now));
        }
    }

    fn someone(&mut self) -> Option<usize> {
        let alive: Vec<_> = (0..self.players.len()).filter(|at| self.players[*at].alive).collect();
        self.random.choice(alive)
    }

    /// Someone, and a track it knows of.
    fn someones_track(&mut self) -> Option<(ClientId, String)> {
        let at = self.someone()?;
        let known: Vec<_> =
            self.players[at].view.known.values().flat_map(|(_, tracks)| tracks).cloned().collect();
        Some((self.players[at].id, self.random.choice(known)?))
    }

    fn observe(&mut self) {
        let begin = self.world.now() - self.world.elapsed();
        for player in &mut self.players {
            let events = self.world.events(player.id);
            for (at, event) in &events {
                (player.id.0, *at - begin).hash(&mut self.digest);
                // Instants inside are those of the event itself, and not the same in another run.
                let text = match event {
                    trackyard_sim::client::ClientEvent::Frame(frame) => {
                        format!("{} {} {:?}", frame.sid, frame.number, frame.payload.len())
                    }
                    other => format!("{other:?}"),
                };
                text.hash(&mut self.digest);
            }
            player.view.take(events);
            if player.view.ended {
                player.alive = false;
            }
        }
    }

    /// Every frame that a lane was given was delivered, dropped for a reason, or waits.
    fn check_accounts(&mut self) {
        let mut totals = lane_totals(&mut self.world);
        let (buried, mut waiting) = self.world.node().buried();
        totals += buried;
        for id in 0..self.world.node().workers() {
            waiting += self.world.node().worker(id).frames_waiting();
        }
        assert_eq!(totals.frames_in, totals.frames_delivered + totals.dropped_total() + waiting);
        let received: u64 = self.players.iter().map(|player| player.view.frames).sum();
        assert!(received <= totals.frames_delivered, "{received} received of {}", totals.frames_delivered);
    }

    /// What a lane has delivered has been received, or came before its handle.
    fn check_deliveries(&mut self) {
        let received = |player: &Player| player.view.frames + player.view.early_packets;
        let received: u64 = self.players.iter().map(received).sum();
        assert_eq!(received, lane_totals(&mut self.world).frames_delivered);
    }

    /// Everyone is back, and everything has been heard.
    fn settle(&mut self) {
        for at in 0..self.players.len() {
            let Player { id, alive, away, .. } = self.players[at];
            if alive {
                self.world.seat(id).up().set_config(LinkConfig::default());
                self.world.seat(id).down().set_config(LinkConfig::default());
            }
            if alive && away {
                self.players[at].away = false;
                self.world.resume(id);
            }
        }
        self.world.run_for(SETTLED);
        self.observe();
    }

    /// Each client that is still there sees what the room itself sees.
    fn check_views(&mut self) {
        let room: Known = match self.world.node().room("room") {
            None => Known::new(),
            Some(room) => room
                .participants()
                .filter(|info| !info.permission.hidden)
                .map(|info| {
                    let tracks: BTreeSet<_> =
                        info.data_tracks.iter().map(|track| track.sid.clone()).collect();
                    (info.identity.clone(), (info.sid.clone(), tracks))
                })
                .collect(),
        };
        for player in self.players.iter().filter(|player| player.alive) {
            let mut expected = room.clone();
            expected.retain(|_, (sid, _)| *sid != player.view.sid);
            assert_eq!(player.view.known, expected, "what {:?} knows, and what there is", player.id);
            player.view.assert_no_strays();
        }
    }

    /// Everybody goes, some without a word, and nothing is left.
    fn end(&mut self) {
        for at in 0..self.players.len() {
            let id = self.players[at].id;
            if self.players[at].alive && self.random.u8(..3) > 0 {
                self.world.with(id, |client, now| client.leave(now));
            } else {
                self.world.seat(id).up().set_up(false);
                self.world.cut_signal(id);
            }
        }
        self.world.run_for(ALL_OVER);
        self.observe();
        self.check_accounts();
        assert_eq!(self.world.node().rooms(), 0, "rooms");
        assert_eq!(self.world.node().claims(), 0, "claims");
        for id in 0..self.world.node().workers() {
            assert_eq!(self.world.node().worker(id).peers(), 0, "peers of worker {id}");
        }
        let totals = lane_totals(&mut self.world);
        assert_eq!(totals.frames_in, totals.frames_delivered + totals.dropped_total(), "nothing waits");
    }

    fn outcome(mut self) -> Outcome {
        Outcome {
            datagrams: self.world.trace(),
            events: self.digest.finish(),
            frames: self.players.iter().map(|player| player.view.frames).sum(),
            early_packets: self.players.iter().map(|player| player.view.early_packets).sum(),
            hops: self.world.node().hops(),
            crossings: (0..self.world.node().workers())
                .map(|id| self.world.node().worker(id).counters().crossings_out)
                .sum(),
            deaths: self.deaths,
        }
    }
}

/// Runs a script and names the seed if it fails.
fn play(seed: u64, links: Links) -> Outcome {
    play_with(seed, links, FEW)
}

/// The same with another cast.
pub(crate) fn play_with(seed: u64, links: Links, cast: Cast) -> Outcome {
    match std::panic::catch_unwind(|| Script::new(seed, links, cast).play()) {
        Ok(outcome) => outcome,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map_or("", String::as_str);
            panic!("seed {seed}, {links:?} links: {text}");
        }
    }
}

#[test]
fn promises_hold_on_any_links() {
    let outcomes: Vec<_> = (0..500).map(|seed| play(seed, Links::Any)).collect();
    let sum = |count: fn(&Outcome) -> u64| outcomes.iter().map(count).sum::<u64>();
    let frames = sum(|outcome| outcome.frames);
    figure("scripts, message level: frames received", frames);
    figure("scripts, message level: packets before their handle", sum(|outcome| outcome.early_packets));
    assert!(frames > 4_000, "the scripts exercise little: {frames} frames");
    let hops = sum(|outcome| outcome.hops);
    assert!(hops > 10_000, "datagrams come to the right worker too often: {hops} hops");
}

#[test]
fn what_is_delivered_is_received_on_perfect_links() {
    let frames: u64 = (1_000..1_250).map(|seed| play(seed, Links::Perfect).frames).sum();
    assert!(frames > 4_000, "the scripts exercise little: {frames} frames");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in 2_000..2_100 {
        assert_eq!(play(seed, Links::Any), play(seed, Links::Any), "seed {seed}");
    }
    assert_ne!(play(1, Links::Any), play(2, Links::Any), "seeds make a difference");
}
