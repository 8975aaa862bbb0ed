//! Clients that do anything at any time. What each of them relies on is checked by its view and by
//! the workers; here, that rooms end up right.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use trackyard_peer::Target;
use trackyard_proto::signal::{
    DataTrackPublication, LeaveAction, LeaveRequest, PublishDataTrack, SubscriptionPermission, SyncState,
    TrackPermission,
};
use trackyard_proto::{ParticipantInfo, Request};

use super::harness::{Arrival, Guest, Script, WORKERS, echo, millis, publication};
use super::worker::{FakeWorker, heard_by};
use crate::control::Event;
use crate::room::member::is_dependent;
use crate::room::timers::Timer;
use crate::room::{ConnectionId, Input, RoomConfig, RoomCounters};

const IDENTITIES: [&str; 5] = ["ada", "bob", "cid", "dot", "eve"];
const STEPS: usize = 400;

struct Chance {
    script: Script,
    random: fastrand::Rng,
    guests: Vec<Guest>,
    sids: Vec<String>,
    gone: BTreeSet<ConnectionId>,
}

impl Chance {
    fn new(seed: u64) -> Self {
        let hour = Duration::from_secs(3_600);
        let config = RoomConfig { empty_timeout: hour, departure_timeout: hour, ..RoomConfig::default() };
        let script = Script::seeded(config, seed);
        Self {
            script,
            random: fastrand::Rng::with_seed(seed ^ 0x5eed),
            guests: Vec::new(),
            sids: vec!["DTR_no".into()],
            gone: BTreeSet::new(),
        }
    }

    fn step(&mut self) {
        match self.random.u8(..41) {
            0..=2 => self.join(),
            3 => self.hold(),
            4 => self.resume(),
            5..=8 => self.script.pass(millis(self.random.u64(..400))),
            9 => self.script.pass(millis(self.random.u64(..8_000))),
            10..=17 => self.publish(),
            18 | 19 => self.unpublish(),
            20..=28 => self.subscribe(true),
            29 | 30 => self.subscribe(false),
            31 => self.audience(),
            32 => self.permission(),
            33..=35 => self.connect(),
            36 => self.fail(),
            37 => self.close_signal(),
            38 => self.sync(),
            39 => self.burst(),
            _ => self.leave(),
        }
        if self.random.u8(..4) == 0 {
            self.script.apply_next();
            self.script.pump();
        }
    }

    /// Mostly one that is there.
    fn guest(&mut self) -> Option<Guest> {
        let anyone = self.random.u8(..8) == 0;
        let there = |guest: &&Guest| {
            anyone || !(self.script.view(guest).closed || self.gone.contains(&guest.connection))
        };
        let guests: Vec<_> = self.guests.iter().filter(there).cloned().collect();
        let index = self.random.usize(..guests.len().max(1));
        guests.get(index).cloned()
    }

    /// Says something, unless the client's connection is closed by now.
    fn say(&mut self, request: Request) {
        let Some(guest) = self.guest() else { return };
        self.script.say(&guest, request);
        for message in self.script.heard(&guest) {
            if let trackyard_proto::Response::DataTrackPublished(DataTrackPublication { info, .. }) = message
            {
                self.sids.push(info.sid.clone());
            }
        }
    }

    fn sid(&mut self) -> String {
        let first = self.sids.len().saturating_sub(10);
        self.sids[self.random.usize(first..self.sids.len())].clone()
    }

    fn join(&mut self) {
        let identity = IDENTITIES[self.random.usize(..IDENTITIES.len())];
        let mut arrival = Arrival::new(identity).on(self.random.u16(..WORKERS));
        arrival.single = self.random.bool();
        let hidden = self.random.u8(..8) == 0;
        arrival = arrival.grant(|grant| grant.hidden = hidden);
        if self.random.bool() {
            arrival = arrival.sdk("node");
        }
        let guest = self.script.ask(arrival);
        if self.script.views.contains_key(&guest.connection) {
            self.guests.push(guest);
        }
    }

    fn hold(&mut self) {
        self.script.routes_held = self.random.bool();
        self.script.pump();
    }

    fn resume(&mut self) {
        let Some(guest) = self.guest() else { return };
        let sid = self.script.sid(&guest);
        let back = self.script.resume(&guest, &sid);
        self.guests.push(back);
    }

    fn publish(&mut self) {
        let handle = self.random.u32(1..6);
        let name = format!("track {}", self.random.u8(..6));
        let wish = publication(handle, &name);
        let leaves_will = self.random.bool();
        let last_will = leaves_will.then(|| super::last_will::packet(4));
        self.say(Request::PublishDataTrack(PublishDataTrack { last_will, ..wish }));
    }

    fn unpublish(&mut self) {
        let pub_handle = self.random.u32(1..6);
        self.say(Request::UnpublishDataTrack { pub_handle, echo: echo("u") });
    }

    fn subscribe(&mut self, subscribe: bool) {
        let sid = self.sid();
        self.say(super::harness::wants(&sid, subscribe));
    }

    fn audience(&mut self) {
        let entry = TrackPermission {
            participant_identity: IDENTITIES[self.random.usize(..IDENTITIES.len())].into(),
            all_tracks: self.random.bool(),
            track_sids: vec![self.sid()],
            ..TrackPermission::default()
        };
        let permission =
            SubscriptionPermission { all_participants: self.random.bool(), track_permissions: vec![entry] };
        self.say(Request::SubscriptionPermission(permission));
    }

    fn permission(&mut self) {
        let identity = IDENTITIES[self.random.usize(..IDENTITIES.len())].to_owned();
        let known = self.script.room.participants().find(|info| info.identity == identity);
        let Some(mut permission) = known.map(|info| info.permission.clone()) else { return };
        permission.can_subscribe = self.random.u8(..4) != 0;
        permission.can_publish_data = self.random.u8(..4) != 0;
        permission.hidden = self.random.u8(..6) == 0;
        permission.recorder = self.random.u8(..8) == 0;
        self.script.permit(&identity, permission);
    }

    fn connect(&mut self) {
        if let Some(guest) = self.guest() {
            self.script.event(Event::Connected { peer: guest.peer });
        }
    }

    fn fail(&mut self) {
        if let Some(guest) = self.guest() {
            self.script.event(Event::Failed { peer: guest.peer, target: Target::Publisher });
        }
    }

    fn close_signal(&mut self) {
        if let Some(guest) = self.guest() {
            self.gone.insert(guest.connection);
            self.script.handle(Input::SignalClosed { connection: guest.connection });
        }
    }

    fn sync(&mut self) {
        let track = Some(self.sid());
        self.say(Request::SyncState(Box::new(SyncState {
            publish_data_tracks: vec![track],
            ..SyncState::default()
        })));
    }

    fn leave(&mut self) {
        self.say(Request::Leave(LeaveRequest { reason: trackyard_proto::DisconnectReason::ClientInitiated }));
    }

    /// Much comes together.
    fn burst(&mut self) {
        self.script.outputs_held = true;
        for _ in 0..self.random.u8(2..30) {
            match self.random.u8(..20) {
                0..=6 => self.publish(),
                7..=9 => self.unpublish(),
                10..=14 => self.subscribe(true),
                15 | 16 => self.subscribe(false),
                17 => self.connect(),
                18 => self.close_signal(),
                _ => self.leave(),
            }
        }
        self.script.outputs_held = false;
        self.script.pump();
    }

    /// When everything has settled, each client knows exactly what there is.
    fn settle(&mut self) {
        self.script.routes_held = false;
        self.script.pump();
        self.script.pass(millis(4_000));
        while self.script.room.timers.is_set(Timer::LastWills) {
            self.script.pass(millis(200));
        }
        self.check_handles();
        self.check_seats();
        let participants: Vec<_> = self.script.room.participants().collect();
        self.check_counts(&participants);
        for guest in &self.guests {
            let view = self.script.view(guest);
            let current =
                participants.iter().find(|info| view.own.as_ref().is_some_and(|own| own.sid == info.sid));
            let (Some(own), false) = (current, view.closed) else { continue };
            if !self.is_connected(guest) {
                continue;
            }
            assert_eq!(view.own.as_ref().unwrap().state, own.state);
            let others =
                participants.iter().filter(|info| info.identity != own.identity && !info.permission.hidden);
            let expected: BTreeMap<_, _> =
                others.map(|info| (info.identity.clone(), Arc::clone(info))).collect();
            for identity in view.others.keys().chain(expected.keys()) {
                assert_eq!(
                    view.others.get(identity),
                    expected.get(identity),
                    "{} sees {identity}",
                    own.identity
                );
            }
        }
    }

    /// The room says how many are there.
    fn check_counts(&self, participants: &[Arc<ParticipantInfo>]) {
        let count = |counts: fn(&ParticipantInfo) -> bool| {
            u32::try_from(participants.iter().filter(|info| counts(info)).count()).unwrap()
        };
        let info = self.script.room.info();
        assert_eq!(info.num_participants, count(|info| !is_dependent(info)));
        assert_eq!(info.num_publishers, count(|info| info.is_publisher));
        assert_eq!(info.active_recording, count(|info| info.permission.recorder) > 0);
    }

    /// Whoever has a route has been told its handle, and no other since.
    fn check_handles(&self) {
        for member in self.script.room.members.iter() {
            let Some(connection) = member.connection else { continue };
            let view = &self.script.views[&connection];
            for (key, subscription) in &member.subscriptions.by_track {
                let Some(route) = subscription.route else { continue };
                let sid = &self.script.room.tracks.get(*key).expect("a wanted track is there").info.sid;
                assert_eq!(
                    view.handles.get(sid),
                    Some(&route.handle.get()),
                    "{} wants {sid}",
                    member.identity()
                );
            }
        }
    }

    /// What anyone says is heard by everyone else, whatever worker serves them.
    fn check_seats(&self) {
        let everyone: BTreeSet<_> = self.script.room.members.iter().map(|member| member.peer).collect();
        for peer in &everyone {
            let mut heard = heard_by(&self.script.workers, *peer);
            heard.insert(*peer);
            assert_eq!(heard, everyone, "who hears {peer:?}");
        }
    }

    fn is_connected(&self, guest: &Guest) -> bool {
        !self.gone.contains(&guest.connection)
    }
}

#[test]
fn whatever_clients_do_each_sees_what_there_is_and_nothing_is_left_behind() {
    let mut total = RoomCounters::default();
    for seed in 0..300 {
        let mut chance = Chance::new(seed);
        for step in 0..STEPS {
            chance.step();
            if step % 100 == 99 {
                chance.settle();
            }
        }
        total += *chance.script.room.counters();
        chance.script.handle(Input::Shutdown { action: LeaveAction::Disconnect });
        assert!(chance.script.ended);
        assert!(chance.script.workers.values().all(FakeWorker::is_empty), "{:#?}", chance.script.workers);
        assert!(chance.script.directory.is_empty());
        assert!(chance.script.room.participants().next().is_none());
    }
    let seen = [total.joins, total.resumes, total.tracks_published, total.subscriptions];
    assert!(seen.iter().all(|count| *count > 500), "chance has shown too little: {seen:?}");
    assert!(total.last_wills > 100, "chance has shown too little: {} last wills", total.last_wills);
}
