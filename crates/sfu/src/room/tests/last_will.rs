//! What publishers leave to their subscribers: when it is kept, when it is sent, and what waits for it.

use bytes::Bytes;
use trackyard_auth::NamePattern;
use trackyard_lanes::Policy;
use trackyard_peer::Target;
use trackyard_proto::limits::{LAST_WILL_BYTES, LAST_WILLS_BYTES};
use trackyard_proto::signal::{DataTrackPublication, LeaveAction, LeaveRequest, PublishDataTrack, Reason};
use trackyard_proto::{DisconnectReason, ParticipantState, Request, Response};
use trackyard_wire::{Extensions, FrameNumber, Handle, PacketBuilder, Sequence};

use super::harness::{Arrival, Guest, Script, millis, publication};
use crate::control::{Event, RouteChange, WorkerId};
use crate::room::{Admin, Input, RoomConfig, TrackRule, TrackRules};

/// A whole frame with a payload of so many bytes.
pub(super) fn packet(bytes: usize) -> Bytes {
    built(true, bytes)
}

fn built(last: bool, bytes: usize) -> Bytes {
    let builder = PacketBuilder {
        start: true,
        last,
        handle: Handle::new(1).unwrap(),
        sequence: Sequence::new(0),
        frame: FrameNumber::new(0),
        timestamp: 0,
        extensions: Extensions::default(),
    };
    builder.build(&vec![7; bytes]).into()
}

fn leaving(handle: u32, name: &str, packet: Bytes) -> PublishDataTrack {
    PublishDataTrack { last_will: Some(packet), ..publication(handle, name) }
}

/// A publisher of a track with a will, and subscribers beside it and on another worker.
struct Stage {
    script: Script,
    ada: Guest,
    bob: Guest,
    cid: Guest,
}

impl Stage {
    fn new() -> Self {
        Self::with(Script::new())
    }

    fn with(mut script: Script) -> Self {
        let (ada, bob) = (script.guest("ada"), script.guest("bob"));
        let cid = script.join(Arrival::new("cid").on(1));
        let info = script.publish_as(&ada, leaving(1, "drive", packet(4))).unwrap();
        for subscriber in [&bob, &cid] {
            script.subscribe(subscriber, &info.sid);
        }
        script.pass(millis(300));
        [&bob, &cid].iter().for_each(|guest| drop(script.heard(guest)));
        Self { script, ada, bob, cid }
    }

    /// Workers that were given a will to hand on.
    fn sent(&self) -> Vec<u16> {
        let is_will = |change: &&RouteChange| matches!(change, RouteChange::LastWill { .. });
        let workers = self.script.workers.iter();
        workers.flat_map(|(id, worker)| worker.changes.iter().filter(is_will).map(|_| id.0)).collect()
    }

    /// Whether subscribers have been told by now that the track has ended.
    fn is_announced(&self) -> bool {
        let told = [&self.bob, &self.cid].map(|guest| {
            let ada = self.script.view(guest).others.get("ada");
            ada.is_none_or(|ada| ada.data_tracks.is_empty())
        });
        assert_eq!(told[0], told[1]);
        told[0]
    }

    fn routes_left(&self) -> usize {
        self.script.workers.values().map(|worker| worker.sinks.len()).sum()
    }

    #[track_caller]
    fn assert_will_then_end(&mut self) {
        assert_eq!(self.sent(), [0, 1]);
        assert_eq!((self.is_announced(), self.routes_left()), (false, 2));
        self.script.pass(millis(199));
        assert_eq!((self.is_announced(), self.routes_left()), (false, 2));
        self.script.pass(millis(1));
        assert_eq!((self.is_announced(), self.routes_left()), (true, 2));
        self.script.pass(millis(1_799));
        assert_eq!(self.routes_left(), 2, "a slow path takes longer");
        self.script.pass(millis(1));
        assert_eq!(self.routes_left(), 0);
        assert_eq!(self.script.room.counters().last_wills, 1);
    }
}

#[test]
fn the_answer_says_that_it_is_kept_and_nothing_else_is_different() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    script.publish_as(&ada, leaving(1, "drive", packet(4))).unwrap();
    script.publish(&ada, 2, "pose").unwrap();
    let kept: Vec<bool> = script
        .heard(&ada)
        .into_iter()
        .filter_map(|message| match message {
            Response::DataTrackPublished(DataTrackPublication { last_will, .. }) => Some(last_will),
            _ => None,
        })
        .collect();
    assert_eq!(kept, [true, false]);
}

#[test]
fn one_that_is_too_long_or_no_frame_is_refused() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    let mut check = |packet, expected| {
        let answer = script.publish_as(&ada, leaving(1, "drive", packet));
        assert_eq!(answer.err(), expected);
    };
    check(packet(LAST_WILL_BYTES - 11), Some(Reason::LimitExceeded));
    check(built(false, 4), Some(Reason::InvalidRequest));
    check(Bytes::new(), Some(Reason::InvalidRequest));
    check(packet(LAST_WILL_BYTES - 12), None);
    check(packet(LAST_WILL_BYTES), Some(Reason::DuplicateHandle));
}

#[test]
fn those_of_a_participant_are_bounded_together() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    let most = u32::try_from(LAST_WILLS_BYTES / LAST_WILL_BYTES).unwrap();
    let wish = |number: u32| leaving(number, &number.to_string(), packet(LAST_WILL_BYTES - 12));
    for number in 1..=most {
        script.publish_as(&ada, wish(number)).unwrap();
    }
    assert_eq!(script.publish_as(&ada, wish(most + 1)), Err(Reason::LimitExceeded));
    let echo = super::harness::echo("u");
    script.say(&ada, Request::UnpublishDataTrack { pub_handle: 1, echo });
    script.publish_as(&ada, wish(most + 1)).expect("the first one's place");
}

#[test]
fn who_does_not_come_back_after_a_failure_leaves_it_and_its_end_is_told_200_ms_later() {
    let mut stage = Stage::new();
    stage.script.event(Event::Failed { peer: stage.ada.peer, target: Target::Publisher });
    stage.script.pass(millis(5_499));
    assert_eq!(stage.sent(), [0; 0], "it may still come back");
    stage.script.pass(millis(1));
    stage.assert_will_then_end();
    assert!(!stage.script.view(&stage.bob).others.contains_key("ada"));
}

#[test]
fn whoever_else_does_not_mean_to_stop_leaves_it_too() {
    type Act = fn(&mut Script, &Guest);
    let acts: [Act; 4] = [
        |script, ada| script.event(Event::Lost { peer: ada.peer }),
        |script, ada| script.event(Event::BadDescription { peer: ada.peer, error: "bad".to_owned() }),
        |script, _| {
            script.admin(Admin::RemoveParticipant { identity: "ada".to_owned() }).unwrap();
        },
        |script, _| {
            let ada = script.room.participants().find(|info| info.identity == "ada").unwrap();
            let mut permission = ada.permission.clone();
            permission.can_publish_data = false;
            script.permit("ada", permission);
        },
    ];
    for act in acts {
        let mut stage = Stage::new();
        act(&mut stage.script, &stage.ada);
        stage.assert_will_then_end();
    }
}

#[test]
fn who_means_to_stop_or_comes_again_leaves_nothing() {
    type Act = fn(&mut Script, &Guest);
    let acts: [Act; 3] = [
        |script, ada| {
            script.say(ada, Request::Leave(LeaveRequest { reason: DisconnectReason::ClientInitiated }));
        },
        |script, ada| {
            let echo = super::harness::echo("u");
            script.say(ada, Request::UnpublishDataTrack { pub_handle: 1, echo });
        },
        |script, _| drop(script.ask(Arrival::new("ada"))),
    ];
    for act in acts {
        let mut stage = Stage::new();
        act(&mut stage.script, &stage.ada);
        assert_eq!(stage.routes_left(), 0, "the track ends at once");
        stage.script.pass(millis(1_000));
        assert!(stage.is_announced());
        assert_eq!((stage.sent(), stage.script.room.counters().last_wills), (Vec::new(), 0));
    }
}

#[test]
fn the_end_of_the_room_is_nobodys_loss() {
    let mut stage = Stage::new();
    stage.script.handle(Input::Shutdown { action: LeaveAction::Disconnect });
    assert_eq!(stage.sent(), [0; 0]);
    assert!(stage.script.ended && stage.routes_left() == 0);
}

#[test]
fn a_room_that_ends_meanwhile_leaves_no_routes() {
    let mut stage = Stage::new();
    stage.script.event(Event::Lost { peer: stage.ada.peer });
    stage.script.handle(Input::Shutdown { action: LeaveAction::Disconnect });
    assert!(stage.script.ended && stage.routes_left() == 0);
}

#[test]
fn a_resume_in_time_sends_nothing() {
    let mut stage = Stage::new();
    stage.script.event(Event::Failed { peer: stage.ada.peer, target: Target::Publisher });
    stage.script.pass(millis(3_000));
    let sid = stage.script.sid(&stage.ada);
    let back = stage.script.resume(&stage.ada, &sid);
    stage.script.event(Event::Connected { peer: back.peer });
    stage.script.pass(millis(60_000));
    assert_eq!(stage.sent(), [0; 0]);
    stage.script.event(Event::Lost { peer: back.peer });
    stage.assert_will_then_end();
}

#[test]
fn who_is_back_before_its_end_is_told_is_never_told_as_gone() {
    let mut stage = Stage::new();
    stage.script.event(Event::Lost { peer: stage.ada.peer });
    stage.script.pass(millis(100));
    let again = stage.script.ask(Arrival::new("ada"));
    stage.script.event(Event::Connected { peer: again.peer });
    stage.script.publish_as(&again, leaving(1, "drive", packet(4))).unwrap();
    stage.script.pass(millis(2_000));
    for subscriber in [&stage.bob, &stage.cid] {
        assert_eq!(stage.script.view(subscriber).tracks_of("ada"), ["drive"]);
        let infos = stage.script.view(subscriber).messages.iter().filter_map(|message| match message {
            Response::Update(infos) => Some(infos),
            _ => None,
        });
        let gone = |info: &&_| -> bool {
            let info: &&std::sync::Arc<trackyard_proto::ParticipantInfo> = info;
            info.identity == "ada" && info.state == ParticipantState::Disconnected
        };
        assert_eq!(infos.flatten().filter(gone).count(), 0);
    }
    assert_eq!(stage.routes_left(), 0, "the old track's routes are gone");
}

#[test]
fn what_nobody_would_get_is_not_waited_for() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    script.publish_as(&ada, leaving(1, "drive", packet(4))).unwrap();
    script.pass(millis(300));
    script.event(Event::Lost { peer: ada.peer });
    assert!(!script.view(&bob).others.contains_key("ada"));
    assert_eq!(script.room.counters().last_wills, 0);
}

#[test]
fn no_rule_of_the_track_drops_it() {
    let any = || NamePattern::new("**").unwrap();
    let rule = TrackRule {
        policy: Some(Policy::Latest),
        age_max: Some(millis(1)),
        max_hz: Some(0.1),
        weight: Some(7),
        ..TrackRule::new(any(), any())
    };
    let track_rules = TrackRules::new(vec![rule]);
    let mut stage = Stage::with(Script::with(RoomConfig { track_rules, ..RoomConfig::default() }));
    stage.script.event(Event::Lost { peer: stage.ada.peer });
    let changes = &stage.script.workers[&WorkerId(1)].changes;
    let rules = changes.iter().find_map(|change| match change {
        RouteChange::LastWill { rules, .. } => Some(*rules),
        _ => None,
    });
    let rules = rules.unwrap();
    assert_eq!((rules.policy, rules.max_hz, rules.weight), (Policy::Latest, None, 7));
    assert_eq!(rules.age_max, millis(2_000));
}
