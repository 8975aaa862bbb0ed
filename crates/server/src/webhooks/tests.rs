//! Which events come of what happens in rooms.

use trackyard_proto::webhook::{RoomEndReason, WebhookKind};
use trackyard_proto::{DataTrackInfo, DisconnectReason, Encryption, ParticipantInfo, RoomInfo};
use trackyard_sfu::room::{News, SessionNotice, Subject};

use super::*;

fn track() -> Arc<DataTrackInfo> {
    Arc::new(DataTrackInfo {
        pub_handle: 1,
        sid: "DTR_pose".into(),
        name: "pose".into(),
        encryption: Encryption::Gcm,
        frame_encoding: None,
        schema: None,
    })
}

fn ada() -> Arc<ParticipantInfo> {
    let mut info = ParticipantInfo::named("PA_ada", "ada", "Ada");
    info.metadata = "all of it".into();
    Arc::new(info)
}

fn session(has_been_active: bool, news: News) -> Subject {
    let (identity, sid, name) = ("ada".into(), "PA_ada".into(), "Ada".into());
    Subject::Session(SessionNotice { identity, sid, name, has_been_active, news })
}

fn left() -> News {
    News::Left { reason: DisconnectReason::ClientInitiated, after: Duration::ZERO, info: ada() }
}

fn told(settings: &WebhookSettings, subject: Subject) -> Vec<WebhookEvent> {
    let room = Arc::new(RoomInfo { name: "yard".into(), ..RoomInfo::default() });
    Selection::new(settings).events(&Notice { room, subject }, 1_700_000_000)
}

fn kinds(settings: &WebhookSettings, subject: Subject) -> Vec<String> {
    told(settings, subject).into_iter().map(|event| event.kind.as_str().to_owned()).collect()
}

#[test]
fn each_kind_of_event_has_what_receivers_look_for() {
    let settings = WebhookSettings::default();
    let [finished] =
        told(&settings, Subject::RoomFinished(DisconnectReason::RoomDeleted)).try_into().unwrap();
    assert_eq!(
        (finished.kind, finished.room_end_reason),
        (WebhookKind::RoomFinished, RoomEndReason::Deleted)
    );
    assert_eq!((finished.room.unwrap().name.as_str(), finished.created_at_s), ("yard", 1_700_000_000));
    assert!(finished.id.starts_with("EV_") && finished.participant.is_none());
    let [published] = told(&settings, session(true, News::Published(track()))).try_into().unwrap();
    let described = published.track.unwrap();
    assert_eq!((described.sid.as_str(), described.name.as_str()), ("DTR_pose", "pose"));
    assert_eq!(described.encryption, Encryption::Gcm);
    assert_eq!(published.participant.unwrap().identity, "ada");
    let [left] = told(&settings, session(true, left())).try_into().unwrap();
    assert_eq!((left.kind, left.participant), (WebhookKind::ParticipantLeft, Some(ada())));
    assert_eq!(kinds(&settings, Subject::RoomStarted), ["room_started"]);
}

#[test]
fn nobody_hears_of_a_participant_before_it_is_connected() {
    let settings = WebhookSettings::default();
    assert!(kinds(&settings, session(false, News::Published(track()))).is_empty());
    assert!(kinds(&settings, session(false, News::Unpublished(track()))).is_empty());
    assert_eq!(kinds(&settings, session(false, left())), ["participant_connection_aborted"]);
    let mut info = (*ada()).clone();
    info.data_tracks = vec![track(), track()];
    let active = News::Active { after: Duration::ZERO, info: Arc::new(info) };
    assert_eq!(
        kinds(&settings, session(true, active)),
        ["participant_joined", "track_published", "track_published"],
        "what it publishes already is told of then"
    );
}

#[test]
fn events_are_chosen_by_the_configuration() {
    let only = |include: &[&str], exclude: &[&str], data_tracks| WebhookSettings {
        include_events: include.iter().map(|name| (*name).to_owned()).collect(),
        exclude_events: exclude.iter().map(|name| (*name).to_owned()).collect(),
        data_tracks,
        ..WebhookSettings::default()
    };
    let count = |settings: &WebhookSettings| {
        [
            kinds(settings, Subject::RoomStarted),
            kinds(settings, session(true, left())),
            kinds(settings, session(true, News::Published(track()))),
            kinds(settings, session(true, News::Unpublished(track()))),
        ]
        .map(|kinds| kinds.len())
    };
    assert_eq!(count(&only(&[], &[], true)), [1, 1, 1, 1]);
    assert_eq!(count(&only(&[], &[], false)), [1, 1, 0, 0], "data tracks may be left out");
    assert_eq!(count(&only(&["room_started", "track_published"], &[], true)), [1, 0, 1, 0]);
    assert_eq!(count(&only(&[], &["room_started"], true)), [0, 1, 1, 1]);
    assert_eq!(count(&only(&["room_started"], &["room_started"], true)), [0, 0, 0, 0]);
}

#[tokio::test]
async fn a_room_never_waits_for_a_receiver_and_what_does_not_fit_is_counted() {
    // Nothing listens there; the task that would sort events does not run while this test awaits nothing.
    let settings =
        WebhookSettings { urls: vec!["http://127.0.0.1:9/".parse().unwrap()], ..WebhookSettings::default() };
    let keys = Arc::new(Keys::new([("key", "secret")]).unwrap());
    let webhooks = Webhooks::start(&settings, &keys, &Clock::default()).unwrap();
    let room = Arc::new(RoomInfo { name: "yard".into(), ..RoomInfo::default() });
    let notice = Notice { room, subject: Subject::RoomStarted };
    for _ in 0..HANDOVER_MAX + 7 {
        webhooks.tell(&notice);
    }
    assert_eq!(webhooks.counters().dropped_so_far(Undelivered::Handover), 7);
    assert!(!webhooks.shut_down(Duration::from_millis(50)).await, "what is left is given up in time");
    let dropped = [Undelivered::Depth, Undelivered::Shutdown]
        .map(|reason| webhooks.counters().dropped_so_far(reason))
        .iter()
        .sum::<u64>();
    assert_eq!(dropped, HANDOVER_MAX as u64);
}

#[test]
fn there_is_nothing_to_sign_with_without_keys() {
    let settings =
        WebhookSettings { urls: vec!["http://127.0.0.1:9/".parse().unwrap()], ..WebhookSettings::default() };
    assert!(Webhooks::start(&settings, &Arc::new(Keys::default()), &Clock::default()).is_err());
    assert!(
        Webhooks::start(&WebhookSettings::default(), &Arc::new(Keys::default()), &Clock::default()).is_ok()
    );
}
