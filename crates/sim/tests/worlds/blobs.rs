//! Data blobs between clients of ours: stored with a session, fetched by others, and there again after everything
//! that can happen to either (protocol §5.7).

use std::time::Duration;

use bytes::Bytes;
use trackyard_proto::signal::Reason;
use trackyard_proto::{DataBlob, DataBlobKey, Schema, SchemaEncoding};
use trackyard_session::{
    DataBlobError, DataBlobEvent, EngineEvent, SessionConfig, SessionEvent, SignalVersion,
};
use trackyard_sim::world::{ClientId, MessageRealm, NodeConfig, SeatConfig};
use trackyard_sim::{GuestEvent, MixedWorld};

use crate::support::{PATIENCE, begin, sees};

const TEXT: &[u8] = b"float64 x\nfloat64 y\n";

struct Stage {
    world: MixedWorld<MessageRealm>,
    publisher: ClientId,
    subscriber: ClientId,
}

fn key(name: &str) -> DataBlobKey {
    let encoding = Some(SchemaEncoding::WellKnown(4));
    DataBlobKey::Schema(Schema { name: name.to_owned(), encoding })
}

impl Stage {
    fn new(version: SignalVersion, config: NodeConfig) -> Self {
        let mut world = MixedWorld::with_inhabitants(MessageRealm::new(begin()), config, 3);
        let [publisher, subscriber] = ["publisher", "subscriber"].map(|identity| {
            let config = SessionConfig { version, ..SessionConfig::default() };
            let client = world.connect(SeatConfig::new("room", identity), config);
            sees(&mut world, client, PATIENCE, |event| match event {
                GuestEvent::Ours(SessionEvent::Engine(EngineEvent::Connected)) => Some(()),
                _ => None,
            });
            client
        });
        Self { world, publisher, subscriber }
    }

    fn store(&mut self, name: &str) -> Result<DataBlobKey, DataBlobError> {
        let blob = DataBlob { key: Some(key(name)), contents: Bytes::from_static(TEXT) };
        let id = self.world.with(self.publisher, |guest, now| guest.session().store_data_blob(blob, now));
        sees(&mut self.world, self.publisher, 3 * PATIENCE, |event| match event {
            GuestEvent::Ours(SessionEvent::DataBlob(DataBlobEvent::Stored { request, result })) => {
                (*request == id).then(|| result.clone())
            }
            _ => None,
        })
    }

    fn get(&mut self, name: &str) -> Result<DataBlob, DataBlobError> {
        let id = self
            .world
            .with(self.subscriber, |guest, now| guest.session().get_data_blob("publisher", key(name), now));
        sees(&mut self.world, self.subscriber, 3 * PATIENCE, |event| match event {
            GuestEvent::Ours(SessionEvent::DataBlob(DataBlobEvent::Found { request, result })) => {
                (*request == id).then(|| result.clone())
            }
            _ => None,
        })
    }

    #[track_caller]
    fn assert_there(&mut self) {
        let blob = self.get("Pose").expect("it is there");
        assert_eq!((blob.key, &*blob.contents), (Some(key("Pose")), TEXT));
    }

    fn cut_off(&mut self, client: ClientId, duration: Duration) {
        self.world.seat(client).set_reachable(false);
        self.world.break_signal(client);
        self.world.run_for(duration);
        self.world.seat(client).set_reachable(true);
    }

    fn is_back(&mut self, client: ClientId, resumed: bool) {
        sees(&mut self.world, client, 3 * PATIENCE, |event| match event {
            GuestEvent::Ours(SessionEvent::Engine(EngineEvent::Reconnected { resumed: how })) => {
                (*how == resumed).then_some(())
            }
            _ => None,
        });
    }
}

#[test]
fn a_schema_is_there_for_others_over_a_resume_and_a_new_session() {
    for version in [SignalVersion::V1, SignalVersion::V0] {
        let mut stage = Stage::new(version, NodeConfig::default());
        assert_eq!(stage.store("Pose"), Ok(key("Pose")));
        stage.assert_there();
        for (seconds, resumed) in [(3, true), (40, false)] {
            for client in [stage.publisher, stage.subscriber] {
                stage.cut_off(client, Duration::from_secs(seconds));
                stage.is_back(client, resumed);
                stage.world.run_for(Duration::from_secs(1));
                stage.assert_there();
            }
        }
    }
}

#[test]
fn what_was_asked_during_an_interruption_is_answered_after_it() {
    for seconds in [3, 40] {
        let mut stage = Stage::new(SignalVersion::V1, NodeConfig::default());
        let publisher = stage.publisher;
        let seat = stage.world.seat(publisher);
        seat.set_signal_works(false);
        if seconds > 20 {
            seat.up().set_up(false);
            seat.down().set_up(false);
        }
        stage.world.break_signal(publisher);
        stage.world.run_for(Duration::from_secs(1));
        let blob = DataBlob { key: Some(key("Pose")), contents: Bytes::from_static(TEXT) };
        let id = stage.world.with(publisher, |guest, now| guest.session().store_data_blob(blob, now));
        stage.world.run_for(Duration::from_secs(seconds));
        let seat = stage.world.seat(publisher);
        seat.set_signal_works(true);
        seat.up().set_up(true);
        seat.down().set_up(true);
        let result = sees(&mut stage.world, publisher, 3 * PATIENCE, |event| match event {
            GuestEvent::Ours(SessionEvent::DataBlob(DataBlobEvent::Stored { request, result })) => {
                (*request == id).then(|| result.clone())
            }
            _ => None,
        });
        assert_eq!(result, Ok(key("Pose")));
        stage.assert_there();
    }
}

#[test]
fn what_is_not_there_and_what_the_server_refuses_is_said() {
    let mut stage = Stage::new(SignalVersion::V1, NodeConfig::default());
    let refused = stage.get("Pose");
    assert!(matches!(refused, Err(DataBlobError::Refused { reason: Reason::NotFound, .. })), "{refused:?}");
    let mut config = NodeConfig::default();
    config.room.blobs = None;
    let mut stage = Stage::new(SignalVersion::V1, config);
    let refused = stage.store("Pose");
    assert!(matches!(refused, Err(DataBlobError::Refused { reason: Reason::NotAllowed, .. })), "{refused:?}");
}

#[test]
fn a_session_knows_who_is_in_the_room() {
    let mut stage = Stage::new(SignalVersion::V1, NodeConfig::default());
    stage.world.run_for(Duration::from_secs(1));
    let mut identities = |client| -> Vec<String> {
        stage.world.with(client, |guest, _| {
            guest.session().participants().map(|info| info.identity.clone()).collect()
        })
    };
    let (publisher, subscriber) = (stage.publisher, stage.subscriber);
    assert_eq!(identities(publisher), ["publisher", "subscriber"]);
    stage.world.with(publisher, |guest, now| guest.session().close(now));
    stage.world.run_for(Duration::from_secs(1));
    let left: Vec<String> = stage.world.with(subscriber, |guest, _| {
        guest.session().participants().map(|info| info.identity.clone()).collect()
    });
    assert_eq!(left, ["subscriber"]);
}
