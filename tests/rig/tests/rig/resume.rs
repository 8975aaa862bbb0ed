//! Clients that come back (protocol §9.1, §9.2).

use std::time::{Duration, Instant};

use trackyard_proto::join::JoinRequest;
use trackyard_proto::signal::LeaveAction;
use trackyard_proto::{DisconnectReason, Response};
use trackyard_rig::flow::{self, Plan, Tally};
use trackyard_rig::{LiveClient, SignalEnd, SignalSocket, Site, token};
use trackyard_sim::client::ClientEvent;

use crate::machine::{alone, in_mode, shared};

const PATIENCE: Duration = Duration::from_secs(20);

struct Pair {
    site: Site,
    publisher: LiveClient,
    subscriber: LiveClient,
    sid: String,
    handle: u16,
    participant: String,
}

impl Pair {
    async fn connect(single: bool) -> Self {
        let site = Site::start("").await.unwrap();
        let client = |identity| in_mode(single, site.client(identity, "resume"));
        let (mut publisher, _) = LiveClient::join(client("publisher")).await.unwrap();
        let sid = publisher.publish(1, "frames").await.unwrap();
        let (mut subscriber, join) = LiveClient::join(client("subscriber")).await.unwrap();
        let handle = subscriber.subscribe(&sid).await.unwrap();
        let participant = join.participant.sid.clone();
        Self { site, publisher, subscriber, sid, handle, participant }
    }
}

/// What a client sees of a resume.
#[derive(Default)]
struct Seen {
    resumed: Option<Instant>,
    handles: Vec<u16>,
    participants: Vec<String>,
    tally: Tally,
    last: Option<Instant>,
}

/// Looks at everything until `end`.
async fn watch(client: &mut LiveClient, sid: &str, end: Instant) -> Seen {
    let mut seen = Seen::default();
    while let Ok((at, event)) = client.event(end.saturating_duration_since(Instant::now())).await {
        match &event {
            ClientEvent::Resumed { .. } => seen.resumed = Some(at),
            ClientEvent::Handle { handle, .. } if handle.track.track_sid == sid => {
                seen.handles.push(handle.handle);
            }
            ClientEvent::Update(participants) => {
                seen.participants.extend(participants.iter().map(|participant| participant.sid.clone()));
            }
            ClientEvent::Frame(frame) => seen.last = Some(frame.arrived),
            _ => {}
        }
        seen.tally.note(sid, &event);
    }
    seen
}

/// Both drop their signal connection while frames flow: nothing else is lost.
async fn signal_drops(single: bool) {
    let _machine = alone().await;
    let Pair { site, publisher, mut subscriber, sid, handle, participant } = Pair::connect(single).await;
    let plan = Plan::telemetry(1, Duration::from_secs(4));
    let end = Instant::now() + plan.duration + Duration::from_millis(500);
    subscriber.resume().unwrap();
    publisher.resume().unwrap();
    let (sent, seen) = tokio::join!(flow::send(&publisher, plan), watch(&mut subscriber, &sid, end));
    let sent = sent.unwrap();
    assert!(seen.resumed.is_some(), "resumed");
    assert_eq!(seen.handles, [handle], "the handle is said again, and is the same");
    assert!(seen.participants.contains(&participant), "{:?} has itself, {participant}", seen.participants);
    assert!(seen.tally.is_clean(), "{:?}", seen.tally);
    println!("{} of {sent:?}, longest gap {:?}", seen.tally.intact, seen.tally.gap_max);
    assert!(seen.tally.intact * 100 >= sent.accepted * 95, "{} of {sent:?}", seen.tally.intact);
    assert!(seen.tally.gap_max < Duration::from_secs(1), "{:?}", seen.tally.gap_max);
    let metrics = site.metrics().await.unwrap();
    assert_eq!(metrics.room_event("resumes"), 2.0);
    assert_eq!(metrics.room_event("joins"), 2.0);
    assert_eq!(metrics.room_event("sync_mismatches"), 0.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_signal_connection_is_resumed_while_frames_flow_with_one_connection() {
    signal_drops(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_signal_connection_is_resumed_while_frames_flow_with_two_connections() {
    signal_drops(false).await;
}

/// SCTP tries again after 1, 2, 4 and 8 s of silence: 7 s may pass after the path is back.
const RETRY_MAX: Duration = Duration::from_secs(10);

/// The path is gone for 8 s; then the client resumes, as clients do that have noticed.
async fn link_flaps(single: bool) {
    let _machine = shared().await;
    let outage = Duration::from_secs(8);
    let Pair { site, publisher, mut subscriber, sid, .. } = Pair::connect(single).await;
    let plan = Plan::telemetry(1, outage + Duration::from_secs(10));
    let flap = async {
        let end = Instant::now() + plan.duration;
        subscriber.set_links_up(false).unwrap();
        let away = watch(&mut subscriber, &sid, Instant::now() + outage).await;
        subscriber.set_links_up(true).unwrap();
        subscriber.resume().unwrap();
        let back = Instant::now();
        let first = subscriber
            .wait(PATIENCE, |at, event| matches!(event, ClientEvent::Frame(_)).then_some(at - back));
        let first = first.await.expect("frames flow again");
        (away, first, watch(&mut subscriber, &sid, end).await)
    };
    let (sent, (away, first, after)) = tokio::join!(flow::send(&publisher, plan), flap);
    sent.unwrap();
    println!("first frame {first:?} after the path was back");
    assert_eq!(away.tally.intact, 0, "the path was gone");
    assert!(first < RETRY_MAX, "{first:?}");
    assert!(after.tally.is_clean() && after.tally.intact > 50, "{:?}", after.tally);
    let newest = after.last.expect("frames");
    assert!(newest.elapsed() < Duration::from_secs(2), "frames flow to the end");
    let metrics = site.metrics().await.unwrap();
    assert_eq!((metrics.room_event("resumes"), metrics.room_event("connection_timeouts")), (1.0, 0.0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_is_down_for_8_s_is_resumed_with_one_connection() {
    link_flaps(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_is_down_for_8_s_is_resumed_with_two_connections() {
    link_flaps(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_session_is_told_to_join_anew() {
    let _machine = shared().await;
    let site = Site::start("").await.unwrap();
    for single in [true, false] {
        let request = JoinRequest {
            reconnect: true,
            participant_sid: "PA_nobody".to_owned(),
            ..JoinRequest::default()
        };
        let url = format!("ws://{}", site.http());
        let token = token("stranger", "nowhere");
        let mut signal = SignalSocket::connect(&url, &token, (&request, single)).await.unwrap();
        let first = signal.recv().await.unwrap().expect("a first message");
        let Response::Leave { reason, action } = first else { panic!("{first:?}") };
        assert_eq!((reason, action), (DisconnectReason::StateMismatch, LeaveAction::Reconnect));
        assert_eq!(signal.recv().await.unwrap(), None, "nothing follows");
        assert_eq!(signal.end(), SignalEnd::Closed(1000));
    }
}
