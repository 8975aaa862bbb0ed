//! A backend with the client of the server API, over real connections, beside a client in the room.

use serde_json::json;
use trackyard_api::{
    Code, CreateRoom, PacketKind, ParticipantState, PatchRoomMetadata, PerformRpc, RequestError,
    RoomServiceClient, SendData, UpdateParticipant, UpdateSubscriptions,
};
use trackyard_rig::{LiveClient, Site};

use crate::machine::shared;

struct Backend {
    site: Site,
    rooms: RoomServiceClient,
}

impl Backend {
    async fn start() -> Self {
        let site = Site::start("").await.unwrap();
        let rooms = RoomServiceClient::new(&format!("ws://{}", site.http()), "devkey", "secret").unwrap();
        Self { site, rooms }
    }

    async fn join(&self, identity: &str) -> LiveClient {
        LiveClient::join(self.site.client(identity, "yard")).await.unwrap().0
    }
}

#[track_caller]
fn code<T: std::fmt::Debug>(answer: Result<T, RequestError>) -> Code {
    answer.unwrap_err().code().expect("the server says why")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backend_makes_changes_and_ends_rooms() {
    let _machine = shared().await;
    let Backend { site, rooms } = Backend::start().await;
    let yard = CreateRoom { name: "yard".into(), max_participants: 5, ..CreateRoom::default() };
    let made = rooms.create_room(&yard).await.unwrap();
    assert!(made.sid.starts_with("RM_") && made.max_participants == 5);
    assert_eq!(rooms.list_rooms(&["yard".into(), "shed".into()]).await.unwrap()[0].sid, made.sid);
    let room = rooms.update_room_metadata("yard", r#"{"a":1}"#).await.unwrap();
    assert_eq!(room.metadata, r#"{"a":1}"#);
    let patch = PatchRoomMetadata { room: "yard".into(), patch: json!({"b": 2}), if_revision: None };
    let patched = rooms.patch_room_metadata(&patch).await.unwrap();
    let metadata: serde_json::Value = serde_json::from_str(&patched.metadata).unwrap();
    assert_eq!(metadata, json!({"a": 1, "b": 2}));
    let late = PatchRoomMetadata { if_revision: Some(patched.revision - 1), ..patch };
    assert_eq!(code(rooms.patch_room_metadata(&late).await), Code::Aborted);
    rooms.delete_room("yard").await.unwrap();
    assert_eq!(code(rooms.delete_room("yard").await), Code::NotFound);
    assert!(rooms.list_rooms(&[]).await.unwrap().is_empty());
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backend_sees_changes_and_removes_participants() {
    let _machine = shared().await;
    let backend = Backend::start().await;
    let mut ada = backend.join("ada").await;
    let sid = ada.publish(1, "pose").await.unwrap();
    let rooms = &backend.rooms;
    let people = rooms.list_participants("yard").await.unwrap();
    assert_eq!(
        (people.len(), people[0].identity.as_str(), people[0].state),
        (1, "ada", ParticipantState::Active)
    );
    assert_eq!(rooms.get_participant("yard", "ada").await.unwrap().data_tracks[0].sid, sid);
    let change = UpdateParticipant {
        room: "yard".into(),
        identity: "ada".into(),
        name: "Ada".into(),
        attributes: [("site".to_owned(), "north".to_owned())].into(),
        ..UpdateParticipant::default()
    };
    let changed = rooms.update_participant(&change).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.attributes["site"].as_str()), ("Ada", "north"));
    let data = SendData {
        room: "yard".into(),
        data: b"hello".to_vec(),
        kind: PacketKind::Reliable,
        topic: Some("greeting".into()),
        ..SendData::default()
    };
    rooms.send_data(&data).await.unwrap();
    let subscriptions =
        UpdateSubscriptions { room: "yard".into(), identity: "ada".into(), ..UpdateSubscriptions::default() };
    rooms.update_subscriptions(&subscriptions).await.unwrap();
    rooms.remove_participant("yard", "ada").await.unwrap();
    assert_eq!(code(rooms.get_participant("yard", "ada").await), Code::NotFound);
    backend.site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backend_is_told_in_codes_what_cannot_be_done() {
    let _machine = shared().await;
    let backend = Backend::start().await;
    let _ada = backend.join("ada").await;
    let rooms = &backend.rooms;
    assert_eq!(code(rooms.forward_participant("yard", "ada", "yard").await), Code::InvalidArgument);
    assert_eq!(code(rooms.move_participant("yard", "ada", "shed").await), Code::Unimplemented);
    let call = PerformRpc { room: "yard".into(), method: "dance".into(), ..PerformRpc::default() };
    assert_eq!(code(rooms.perform_rpc(&call).await), Code::InvalidArgument);
    let nobody = PerformRpc { destination_identity: "bob".into(), ..call };
    assert_eq!(code(rooms.perform_rpc(&nobody).await), Code::NotFound);
    assert_eq!(code(rooms.unmute_published_track("yard", "ada", "TR_x").await), Code::FailedPrecondition);
    let url = format!("http://{}", backend.site.http());
    let stranger = RoomServiceClient::new(&url, "devkey", "wrong").unwrap();
    assert_eq!(code(stranger.list_rooms(&[]).await), Code::Unauthenticated);
    let guest = rooms.token(trackyard_rig::token("ada", "yard"));
    assert_eq!(code(guest.list_participants("yard").await), Code::Unauthenticated);
    backend.site.stop().await;
}
