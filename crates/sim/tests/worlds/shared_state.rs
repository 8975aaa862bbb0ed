//! What participants say of themselves, changed by many at once while some come, go and lose their connection: in the
//! end everyone sees the same (protocol §7).

use std::collections::BTreeMap;
use std::time::Duration;

use trackyard_proto::ParticipantInfo;
use trackyard_session::{
    EngineEvent, ProfileChange, ProfileEvent, SessionConfig, SessionEvent, SignalVersion,
};
use trackyard_sfu::room::{Admin, ParticipantChange};
use trackyard_sim::link::LinkConfig;
use trackyard_sim::world::{ClientId, MessageRealm, NodeConfig};
use trackyard_sim::{GuestEvent, MixedWorld};

use crate::figures::figure;
use crate::support::{begin, seat};

const STEPS: u32 = 60;
const PLAYERS_MAX: usize = 6;
/// Whoever has lost its connection is back, and everything has been told.
const SETTLED: Duration = Duration::from_secs(60);

/// What there is to see of a participant.
type Seen = (String, String, String, BTreeMap<String, String>);

fn seen(info: &ParticipantInfo) -> (String, Seen) {
    let ParticipantInfo { identity, sid, name, metadata, attributes, .. } = info;
    (identity.clone(), (sid.clone(), name.clone(), metadata.clone(), attributes.clone()))
}

struct Script {
    world: MixedWorld<MessageRealm>,
    random: fastrand::Rng,
    /// Those that have not left, by identity.
    players: BTreeMap<String, ClientId>,
    next: u32,
    /// By client, what was asked for and not answered yet.
    asked: BTreeMap<ClientId, usize>,
    answered: u64,
}

impl Script {
    fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let config = NodeConfig { workers: random.u16(2..=3), ..NodeConfig::default() };
        let world = MixedWorld::with_inhabitants(MessageRealm::new(begin()), config, seed);
        let (players, asked) = Default::default();
        Self { world, random, players, next: 0, asked, answered: 0 }
    }

    fn play(mut self) -> u64 {
        for _ in 0..STEPS {
            self.act();
            let pause = if self.random.u8(..10) == 0 { 2_000 } else { self.random.u64(..60) };
            self.world.run_for(Duration::from_millis(pause));
        }
        self.settle();
        self.check();
        self.answered
    }

    fn act(&mut self) {
        match self.random.u8(..100) {
            0..15 => self.join(),
            15..20 => self.leave(),
            20..28 => self.break_signal(),
            28..34 => self.break_path(),
            34..42 => self.administer(),
            _ => self.change(),
        }
    }

    fn join(&mut self) {
        if self.players.len() >= PLAYERS_MAX {
            return;
        }
        self.next += 1;
        let identity = format!("p{}", self.next);
        let mut config = seat(&identity, true);
        config.grant.can_update_own_metadata = Some(true);
        config.up.loss = if self.random.bool() { 0.05 } else { 0.0 };
        config.down.loss = config.up.loss;
        config.signal_delay = Duration::from_millis(self.random.u64(1..40));
        let version = if self.random.bool() { SignalVersion::V1 } else { SignalVersion::V0 };
        let attributes = BTreeMap::from([("born".to_owned(), self.next.to_string())]);
        let session =
            SessionConfig { version, attributes, seed: self.random.u64(..), ..SessionConfig::default() };
        let client = self.world.connect(config, session);
        self.players.insert(identity, client);
    }

    fn leave(&mut self) {
        let Some((identity, client)) = self.someone() else { return };
        self.world.with(client, |guest, now| guest.session().close(now));
        self.players.remove(&identity);
    }

    /// What was said and not yet heard is lost.
    fn break_signal(&mut self) {
        if let Some((_, client)) = self.someone() {
            self.world.break_signal(client);
        }
    }

    /// Shorter than it takes to be given up, or longer.
    fn break_path(&mut self) {
        let Some((_, client)) = self.someone() else { return };
        self.world.seat(client).set_reachable(false);
        self.world.break_signal(client);
        let pause = if self.random.bool() { 3 } else { 30 };
        self.world.run_for(Duration::from_secs(pause));
        self.world.seat(client).set_reachable(true);
    }

    /// A backend changes the same attributes as the participant itself.
    fn administer(&mut self) {
        let Some((identity, _)) = self.someone() else { return };
        if self.world.node().room("room").is_none() {
            return;
        }
        let change = ParticipantChange { attributes: self.attributes(), ..ParticipantChange::default() };
        let now = self.world.now();
        self.world.node().admin("room", Admin::UpdateParticipant { identity, change }, now);
    }

    /// Some change at the same moment.
    fn change(&mut self) {
        for _ in 0..self.random.usize(1..4) {
            let Some((_, client)) = self.someone() else { return };
            let mut change = ProfileChange { attributes: self.attributes(), ..ProfileChange::default() };
            if self.random.u8(..4) == 0 {
                change.name = Some(format!("n{}", self.random.u8(..9)));
            }
            if self.random.u8(..4) == 0 {
                change.metadata = Some(format!("m{}", self.random.u8(..9)));
            }
            self.world.with(client, |guest, now| guest.session().change_profile(change, now));
            *self.asked.entry(client).or_default() += 1;
        }
    }

    /// One or two of three attributes, set or deleted.
    fn attributes(&mut self) -> BTreeMap<String, String> {
        let keys = ["a", "b", "c"];
        let entry = |random: &mut fastrand::Rng| {
            let value = if random.u8(..4) == 0 { String::new() } else { random.u8(..20).to_string() };
            (keys[random.usize(..3)].to_owned(), value)
        };
        (0..self.random.usize(1..3)).map(|_| entry(&mut self.random)).collect()
    }

    fn someone(&mut self) -> Option<(String, ClientId)> {
        let (identity, client) = self.random.choice(self.players.iter())?;
        Some((identity.clone(), *client))
    }

    fn settle(&mut self) {
        let clients: Vec<ClientId> = self.players.values().copied().collect();
        for client in &clients {
            self.world.seat(*client).up().set_config(LinkConfig::default());
            self.world.seat(*client).down().set_config(LinkConfig::default());
        }
        self.world.run_for(SETTLED);
        for (client, asked) in std::mem::take(&mut self.asked) {
            let events = self.world.events(client);
            let answers = events.iter().filter_map(|(_, event)| match event {
                GuestEvent::Ours(SessionEvent::Profile(ProfileEvent { result, .. })) => Some(result),
                _ => None,
            });
            let answers: Vec<_> = answers.collect();
            assert_eq!(answers.len(), asked, "{client:?}: each change is answered once");
            self.answered += answers.iter().filter(|answer| answer.is_ok()).count() as u64;
            let closed = |event: &GuestEvent| {
                matches!(event, GuestEvent::Ours(SessionEvent::Engine(EngineEvent::Closed(_))))
            };
            if events.iter().any(|(_, event)| closed(event)) {
                self.players.retain(|_, known| *known != client);
            }
        }
    }

    /// Everybody who is there sees what the room sees, themselves included.
    fn check(&mut self) {
        let room = self.world.node().room("room");
        let there: BTreeMap<String, Seen> =
            room.map(|room| room.participants().map(|info| seen(&info)).collect()).unwrap_or_default();
        for (identity, client) in self.players.clone() {
            let is_active = self.world.with(client, |guest, _| guest.session().engine().is_active());
            assert!(is_active, "{identity} is back");
            let known: BTreeMap<String, Seen> = self
                .world
                .with(client, |guest, _| guest.session().participants().map(|info| seen(info)).collect());
            assert_eq!(known, there, "what {identity} sees, and what there is");
        }
    }
}

#[test]
fn every_observer_converges_on_the_same_state() {
    let play = |seed| match std::panic::catch_unwind(|| Script::new(seed).play()) {
        Ok(answered) => answered,
        Err(panic) => panic!("seed {seed}: {}", panic.downcast_ref::<String>().map_or("", String::as_str)),
    };
    let answered: u64 = (0..150).map(play).sum();
    figure("state races: changes made", answered);
    assert!(answered > 2_000, "the scripts exercise little: {answered} changes");
}
