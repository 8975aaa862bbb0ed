//! Changes of one's own state, and both answers that they wait for.

use trackyard_proto::{DisconnectReason, Kind, ParticipantState, Permission};

use super::*;

#[expect(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]
fn begin() -> Instant {
    Instant::now()
}

fn own(name: &str, attributes: &[(&str, &str)]) -> Arc<ParticipantInfo> {
    let permission = Permission {
        can_subscribe: true,
        can_publish: true,
        can_publish_data: true,
        can_publish_sources: Vec::new(),
        hidden: false,
        recorder: false,
        can_update_metadata: true,
        agent: false,
        can_subscribe_metrics: false,
    };
    Arc::new(ParticipantInfo {
        sid: "PA_a".to_owned(),
        identity: "ada".to_owned(),
        name: name.to_owned(),
        state: ParticipantState::Active,
        metadata: String::new(),
        attributes: attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        joined_at_ms: 1,
        version: 1,
        permission,
        region: String::new(),
        is_publisher: false,
        kind: Kind::Standard,
        kind_details: Vec::new(),
        disconnect_reason: DisconnectReason::Unknown,
        tracks: Vec::new(),
        data_tracks: Vec::new(),
        client_protocol: 0,
        capabilities: Vec::new(),
    })
}

fn attribute(key: &str, value: &str) -> ProfileChange {
    ProfileChange { attributes: [(key.to_owned(), value.to_owned())].into(), ..ProfileChange::default() }
}

fn name(name: &str) -> ProfileChange {
    ProfileChange { name: Some(name.to_owned()), ..ProfileChange::default() }
}

/// An answer, and to which change.
type Told = (u32, Result<(), ProfileError>);

struct Bench {
    profile: Profile,
    now: Instant,
}

impl Bench {
    fn joined() -> Self {
        let now = begin();
        let mut profile = Profile::default();
        profile.restart(&own("ada", &[]), now);
        Self { profile, now }
    }

    fn change(&mut self, change: ProfileChange) -> u32 {
        self.profile.change(change, self.now).0
    }

    fn accept(&mut self, id: u32) {
        self.profile.answered(id, (Reason::Ok, ""));
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.profile.handle_timeout(self.now);
    }

    /// What was asked, and what was answered.
    fn outputs(&mut self) -> (Vec<MetadataUpdate>, Vec<Told>) {
        let (mut requests, mut events) = (Vec::new(), Vec::new());
        while let Some(output) = self.profile.poll_output() {
            match output {
                ProfileOutput::Request(Request::UpdateMetadata(update)) => requests.push(update),
                ProfileOutput::Event(event) => events.push((event.request.0, event.result)),
                ProfileOutput::Request(_) | ProfileOutput::Made(_) => {}
            }
        }
        (requests, events)
    }
}

#[test]
fn a_change_is_made_once_it_is_accepted_and_shown_in_either_order() {
    for accepted_first in [true, false] {
        let mut bench = Bench::joined();
        let id = bench.change(name("Ada"));
        assert_eq!(bench.outputs().0[0].name.as_deref(), Some("Ada"));
        let shown = own("Ada", &[]);
        if accepted_first {
            bench.accept(id)
        } else {
            bench.profile.shown(&shown)
        }
        assert_eq!(bench.outputs().1, []);
        if accepted_first {
            bench.profile.shown(&shown)
        } else {
            bench.accept(id)
        }
        assert_eq!(bench.outputs().1, [(id, Ok(()))]);
    }
}

#[test]
fn what_a_later_change_takes_back_need_not_show() {
    let mut bench = Bench::joined();
    let (first, second) = (bench.change(attribute("a", "1")), bench.change(attribute("a", "2")));
    bench.accept(first);
    bench.accept(second);
    bench.profile.shown(&own("ada", &[("a", "2")]));
    assert_eq!(bench.outputs().1, [(first, Ok(())), (second, Ok(()))]);
}

#[test]
fn an_attribute_is_deleted_by_an_empty_value() {
    let mut bench = Bench::joined();
    bench.profile.shown(&own("ada", &[("a", "1")]));
    let id = bench.change(attribute("a", ""));
    bench.accept(id);
    assert_eq!(bench.outputs().1, []);
    bench.profile.shown(&own("ada", &[]));
    assert_eq!(bench.outputs().1, [(id, Ok(()))]);
}

#[test]
fn refusals_say_why() {
    let message = || "no".to_owned();
    let cases = [
        (Reason::NotAllowed, ProfileError::NotAllowed { message: message() }),
        (Reason::LimitExceeded, ProfileError::LimitExceeded { message: message() }),
        (Reason::InvalidName, ProfileError::Refused { reason: Reason::InvalidName, message: message() }),
    ];
    for (reason, error) in cases {
        let mut bench = Bench::joined();
        let id = bench.change(name("Ada"));
        bench.profile.answered(id, (reason, "no"));
        assert_eq!(bench.outputs().1, [(id, Err(error))]);
    }
}

#[test]
fn what_no_server_takes_is_not_asked_for() {
    let mut bench = Bench::joined();
    let empty = bench.change(ProfileChange { metadata: Some(String::new()), ..ProfileChange::default() });
    let long = bench.change(attribute("a", &"x".repeat(SIGNAL_MESSAGE_BYTES)));
    let (requests, events) = bench.outputs();
    assert_eq!(requests, []);
    assert_eq!(events[0], (empty, Err(ProfileError::Empty)));
    assert!(matches!(&events[1], (id, Err(ProfileError::LimitExceeded { .. })) if *id == long));
}

#[test]
fn a_silent_server_is_waited_for_and_half_an_answer_is_enough() {
    let mut bench = Bench::joined();
    let silent = bench.change(name("Ada"));
    let accepted = bench.change(attribute("a", "1"));
    let shown = bench.change(attribute("b", "1"));
    bench.accept(accepted);
    bench.profile.shown(&own("ada", &[("b", "1")]));
    bench.pass(PROFILE_TIMEOUT - Duration::from_millis(1));
    assert_eq!(bench.outputs().1, []);
    bench.pass(Duration::from_millis(1));
    let expected = [(silent, Err(ProfileError::Timeout)), (accepted, Ok(())), (shown, Ok(()))];
    assert_eq!(bench.outputs().1, expected);
}

#[test]
fn what_is_not_answered_is_asked_again_after_an_interruption() {
    let mut bench = Bench::joined();
    let id = bench.change(name("Ada"));
    bench.outputs();
    bench.profile.pause();
    bench.pass(PROFILE_TIMEOUT * 2);
    bench.profile.resume(bench.now);
    let (requests, events) = bench.outputs();
    assert_eq!((requests[0].request_id, events.len()), (id, 0));
}

#[test]
fn what_was_set_and_still_holds_is_set_again_in_a_new_session() {
    let mut bench = Bench::joined();
    for (key, value) in [("a", "1"), ("b", "1")] {
        let id = bench.change(attribute(key, value));
        bench.accept(id);
    }
    bench.profile.shown(&own("ada", &[("a", "1"), ("b", "1")]));
    // Somebody else has changed one of them.
    bench.profile.shown(&own("ada", &[("a", "1"), ("b", "2")]));
    bench.outputs();
    bench.profile.pause();
    bench.profile.restart(&own("ada", &[]), bench.now);
    let (requests, _) = bench.outputs();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].attributes, attribute("a", "1").attributes);
    // Nobody waits for it, and one that is refused is given up.
    bench.profile.answered(requests[0].request_id, (Reason::NotAllowed, ""));
    bench.profile.restart(&own("ada", &[]), bench.now);
    assert_eq!(bench.outputs(), (vec![], vec![]));
}

#[test]
fn a_new_session_that_shows_everything_is_asked_for_nothing() {
    let mut bench = Bench::joined();
    let id = bench.change(name("Ada"));
    bench.accept(id);
    bench.profile.shown(&own("Ada", &[]));
    bench.outputs();
    bench.profile.restart(&own("Ada", &[]), bench.now);
    assert_eq!(bench.outputs(), (vec![], vec![]));
}

#[test]
fn changes_are_bounded_and_end_with_the_session() {
    let mut bench = Bench::joined();
    let ids: Vec<u32> = (0..PROFILE_REQUESTS_MAX).map(|_| bench.change(name("Ada"))).collect();
    let refused = bench.change(name("Ada"));
    assert_eq!(bench.outputs().1, [(refused, Err(ProfileError::TooManyRequests))]);
    bench.profile.close();
    let ended: Vec<_> = ids.into_iter().map(|id| (id, Err(ProfileError::Closed))).collect();
    assert_eq!(bench.outputs().1, ended);
    let late = bench.change(name("Ada"));
    assert_eq!(bench.outputs().1, [(late, Err(ProfileError::Closed))]);
}
