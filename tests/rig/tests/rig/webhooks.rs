//! What receivers of webhooks are told, over real connections, by a server with real clients (protocol §10.1).

mod receiver;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use trackyard_api::{DisconnectReason, ParticipantState, RoomEndReason, WebhookEvent, WebhookKind};
use trackyard_proto::join::JoinRequest;
use trackyard_proto::media_track::TrackKind;
use trackyard_rig::flow::{self, Plan};
use trackyard_rig::{LiveClient, Metrics, SignalSocket, Site, token};

use self::receiver::{Manner, Receiver};
use crate::machine::shared;

const PATIENCE: Duration = Duration::from_secs(20);

/// A server that tells these receivers; rooms end soon after everybody has left.
async fn site(receivers: &[&Receiver]) -> Site {
    let urls: Vec<_> = receivers.iter().map(|receiver| format!("'{}'", receiver.url())).collect();
    let webhook = format!("webhook: {{api_key: devkey, urls: [{}]}}", urls.join(", "));
    Site::start(&format!("{webhook}\nroom: {{departure_timeout: 100ms}}\nshutdown: {{deadline: 20s}}"))
        .await
        .unwrap()
}

async fn join(site: &Site, identity: &str) -> LiveClient {
    LiveClient::join(site.client(identity, "yard")).await.unwrap().0
}

/// One participant comes, publishes a track, takes it back, and goes.
async fn visit(site: &Site, identity: &str) {
    let mut client = join(site, identity).await;
    client.publish(1, "pose").await.unwrap();
    client.act(|client, _| client.unpublish(1)).unwrap();
    client.leave().await.unwrap();
}

/// What comes of [`visit`] in an empty room.
const VISIT: [WebhookKind; 6] = [
    WebhookKind::RoomStarted,
    WebhookKind::ParticipantJoined,
    WebhookKind::TrackPublished,
    WebhookKind::TrackUnpublished,
    WebhookKind::ParticipantLeft,
    WebhookKind::RoomFinished,
];

fn kinds(events: &[WebhookEvent]) -> Vec<WebhookKind> {
    events.iter().map(|event| event.kind.clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_told_from_the_beginning_of_its_room_to_its_end() {
    let _machine = shared().await;
    let mut receiver = Receiver::start(Manner::Take).await;
    let site = site(&[&receiver]).await;
    visit(&site, "ada").await;
    let events = receiver.until(WebhookKind::RoomFinished).await;
    assert_eq!(kinds(&events), VISIT);
    let [_, joined, published, unpublished, left, finished] = &events[..] else { unreachable!() };
    let room = joined.room.as_ref().unwrap();
    assert!(
        events.iter().all(|event| event.room.as_ref().unwrap().sid == room.sid && event.num_dropped == 0)
    );
    assert!(room.sid.starts_with("RM_") && room.name == "yard" && room.num_participants == 1);
    let participant = joined.participant.as_ref().unwrap();
    assert_eq!((participant.identity.as_str(), participant.state), ("ada", ParticipantState::Active));
    for event in [published, unpublished] {
        let (track, publisher) = (event.track.as_ref().unwrap(), event.participant.as_ref().unwrap());
        assert_eq!((track.kind, track.name.as_str()), (TrackKind::Data, "pose"));
        assert!(track.sid.starts_with("DTR_"));
        assert_eq!((&publisher.sid, publisher.identity.as_str()), (&participant.sid, "ada"));
    }
    let gone = left.participant.as_ref().unwrap();
    assert_eq!(
        (gone.state, gone.disconnect_reason),
        (ParticipantState::Disconnected, DisconnectReason::ClientInitiated)
    );
    assert_eq!(finished.room_end_reason, RoomEndReason::Idle);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_was_connected_has_not_left_but_was_aborted() {
    let _machine = shared().await;
    let mut receiver = Receiver::start(Manner::Take).await;
    let site = site(&[&receiver]).await;
    // The signal connection alone, closed before anything else comes about.
    let (url, token) = (format!("ws://{}", site.http()), token("ada", "yard"));
    let socket = SignalSocket::connect(&url, &token, (&JoinRequest::default(), false)).await.unwrap();
    drop(socket);
    let events = receiver.until(WebhookKind::RoomFinished).await;
    assert_eq!(
        kinds(&events),
        [WebhookKind::RoomStarted, WebhookKind::ParticipantConnectionAborted, WebhookKind::RoomFinished]
    );
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_fails_and_comes_back_has_everything_once_and_in_order() {
    let _machine = shared().await;
    let mut receiver = Receiver::start(Manner::Fail).await;
    let site = site(&[&receiver]).await;
    visit(&site, "ada").await;
    let failing = |metrics: &Metrics| metrics.counter("webhook_attempts_failed") >= 2.0;
    Metrics::wait(site.http(), ("two failures", PATIENCE), failing).await.unwrap();
    receiver.set(Manner::Take);
    let events = receiver.until(WebhookKind::RoomFinished).await;
    assert_eq!(kinds(&events), VISIT);
    assert_eq!(events.iter().map(|event| &event.id).collect::<HashSet<_>>().len(), VISIT.len());
    assert!(events.iter().all(|event| event.num_dropped == 0));
    let settled = |metrics: &Metrics| metrics.counter("webhook_events_delivered") == VISIT.len() as f64;
    Metrics::wait(site.http(), ("all are delivered", PATIENCE), settled).await.unwrap();
    assert_eq!(site.metrics().await.unwrap().get("trackyard_webhook_events_waiting", ""), 0.0);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_stalls_holds_up_neither_rooms_nor_other_receivers() {
    let _machine = shared().await;
    let (mut stalled, mut other) =
        (Receiver::start(Manner::Stall).await, Receiver::start(Manner::Take).await);
    let site = site(&[&stalled, &other]).await;
    let (mut ada, mut bob) = (join(&site, "ada").await, join(&site, "bob").await);
    let sid = ada.publish(1, "pose").await.unwrap();
    bob.subscribe(&sid).await.unwrap();
    let plan = Plan::telemetry(1, Duration::from_secs(2));
    let end = Instant::now() + plan.duration + Duration::from_secs(1);
    let (sent, tally) = tokio::join!(flow::send(&ada, plan), flow::collect(&mut bob, &sid, end));
    let tally = tally.unwrap();
    assert_eq!(
        (sent.unwrap().accepted, tally.intact, tally.is_clean()),
        (plan.frames(), plan.frames(), true)
    );
    ada.leave().await.unwrap();
    bob.leave().await.unwrap();
    let expected = other.until(WebhookKind::RoomFinished).await;
    assert_eq!(expected.len(), 8);
    assert!(stalled.received().is_empty(), "what it has not answered it has not taken");
    stalled.set(Manner::Take);
    let events = stalled.until(WebhookKind::RoomFinished).await;
    let ids = |events: &[WebhookEvent]| events.iter().map(|event| event.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&events), ids(&expected), "both are told the same, in the same order");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_when_the_server_stops_is_told_before_it_has_stopped() {
    let _machine = shared().await;
    let mut receiver = Receiver::start(Manner::Take).await;
    let site = site(&[&receiver]).await;
    let (_ada, _bob) = (join(&site, "ada").await, join(&site, "bob").await);
    receiver.set(Manner::Fail);
    let stopping = tokio::spawn(site.stop());
    receiver.refusals(1).await;
    receiver.set(Manner::Take);
    let events = receiver.until(WebhookKind::RoomFinished).await;
    let left = events.iter().filter(|event| event.kind == WebhookKind::ParticipantLeft);
    let reasons: Vec<_> = left.map(|event| event.participant.as_ref().unwrap().disconnect_reason).collect();
    assert_eq!(reasons, [DisconnectReason::ServerShutdown; 2]);
    assert_eq!(events.last().unwrap().room_end_reason, RoomEndReason::ServerShutdown);
    stopping.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_never_comes_back_does_not_keep_the_server_from_stopping() {
    let _machine = shared().await;
    let receiver = Receiver::start(Manner::Stall).await;
    let webhook = format!("webhook: {{urls: ['{}']}}\nshutdown: {{deadline: 2s}}", receiver.url());
    let site = Site::start(&webhook).await.unwrap();
    let _ada = join(&site, "ada").await;
    let begun = Instant::now();
    site.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
}
