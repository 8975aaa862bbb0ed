//! The server API over real connections: every method, in JSON and protobuf, and every refusal (protocol §10).

mod rate;
mod refusals;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use trackyard_auth::VideoGrant;
use trackyard_peer::ChannelKind;
use trackyard_proto::api::{self, Message, Method};
use trackyard_proto::packet::{DataPacket, PacketValue, RpcAck, RpcErrorInfo, RpcResponse, RpcResult};
use trackyard_proto::signal::LeaveAction;
use trackyard_proto::{DisconnectReason, Encoding, Response, RoomInfo};
use trackyard_rig::http::{self, Answer};
use trackyard_rig::{LiveClient, Site, token_with};
use trackyard_sim::client::ClientEvent;

use crate::machine::shared;

const PATIENCE: Duration = Duration::from_secs(20);

/// A server, and what a backend asks of it.
struct Backend {
    site: Site,
}

/// What a backend may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum May {
    Nothing,
    Create,
    List,
    Administer(&'static str),
    Send(&'static str, &'static str),
}

fn grant(may: May) -> VideoGrant {
    let mut grant = VideoGrant::default();
    match may {
        May::Nothing => {}
        May::Create => grant.room_create = true,
        May::List => grant.room_list = true,
        May::Administer(room) => (grant.room_admin, grant.room) = (true, room.to_owned()),
        May::Send(room, destination) => {
            (grant.room_admin, grant.room) = (true, room.to_owned());
            destination.clone_into(&mut grant.destination_room);
        }
    }
    grant
}

fn bearer(may: May) -> String {
    format!("Authorization: Bearer {}\r\n", token_with("backend", grant(may)))
}

impl Backend {
    async fn start(yaml: &str) -> Self {
        Self { site: Site::start(yaml).await.unwrap() }
    }

    async fn post(&self, path: &str, headers: &str, body: &[u8]) -> Answer {
        let server = self.site.http();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {server}\r\nOrigin: https://example.com\r\nContent-Length: {}\r\n{headers}\r\n",
            body.len()
        );
        http::exchange(server, &[head.as_bytes(), body].concat()).await.unwrap()
    }

    async fn json(&self, method: &str, may: May, body: &Value) -> (u16, Value) {
        let headers = format!("{}Content-Type: application/json\r\n", bearer(may));
        let service = if method == "PatchRoomMetadata" { api::PATCH_SERVICE } else { api::SERVICE };
        let path = format!("/twirp/{service}/{method}");
        let answer = self.post(&path, &headers, body.to_string().as_bytes()).await;
        assert_eq!(answer.header("content-type"), Some("application/json"), "{}", answer.text());
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        (answer.status, serde_json::from_slice(&answer.body).unwrap())
    }

    /// What a method answers.
    async fn ok(&self, method: &str, may: May, body: Value) -> Value {
        let (status, answer) = self.json(method, may, &body).await;
        assert_eq!(status, 200, "{method} {body}: {answer}");
        answer
    }

    /// How a method refuses: status, code and text.
    async fn refused(&self, method: &str, may: May, body: Value) -> (u16, String, String) {
        let (status, answer) = self.json(method, may, &body).await;
        let text =
            |key: &str| answer[key].as_str().unwrap_or_else(|| panic!("{method}: {answer}")).to_owned();
        (status, text("code"), text("msg"))
    }

    /// The same in protobuf.
    async fn proto<A: Message>(&self, method: Method, may: May, request: &impl Message) -> A {
        let headers = format!("{}Content-Type: application/protobuf\r\n", bearer(may));
        let answer = self.post(&method.path(), &headers, &request.encode(Encoding::Binary)).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/protobuf")));
        A::decode(&answer.body, Encoding::Binary).unwrap()
    }

    async fn join(&self, identity: &str, room: &str) -> LiveClient {
        LiveClient::join(self.site.client(identity, room)).await.unwrap().0
    }
}

fn refusal(status: u16, code: &str, text: &str) -> (u16, String, String) {
    (status, code.to_owned(), text.to_owned())
}

const YARD: May = May::Administer("yard");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_made_changed_listed_and_ended() {
    let _machine = shared().await;
    let backend = Backend::start("").await;
    let made = backend
        .ok(
            "CreateRoom",
            May::Create,
            json!({
                "name": "yard", "emptyTimeout": "600", "max_participants": 7, "metadata": "m",
                "tags": {"team": "arm"}, "agents": [{"agentName": "a"}], "future": [{}], "nodeId": null,
            }),
        )
        .await;
    let sid = made["sid"].as_str().unwrap().to_owned();
    assert!(sid.starts_with("RM_"), "{sid}");
    let created: u64 = made["creation_time_ms"].as_str().unwrap().parse().unwrap();
    let expected = json!({
        "sid": sid, "name": "yard", "empty_timeout": 600, "departure_timeout": 20, "max_participants": 7,
        "creation_time": (created / 1000).to_string(), "creation_time_ms": created.to_string(),
        "turn_password": "", "enabled_codecs": [], "metadata": "m", "num_participants": 0,
        "num_publishers": 0, "active_recording": false, "version": null,
    });
    assert_eq!(made, expected, "names as in the schema, defaults present, 64 bits as texts");
    let changed = backend.ok("CreateRoom", May::Create, json!({"name": "yard", "maxParticipants": 3})).await;
    assert_eq!((&changed["sid"], &changed["max_participants"]), (&made["sid"], &json!(3)));
    assert_eq!((&changed["metadata"], &changed["empty_timeout"]), (&json!("m"), &json!(600)));
    backend.ok("CreateRoom", May::Create, json!({"name": "lab"})).await;
    let names = |answer: &Value| {
        let rooms = answer["rooms"].as_array().unwrap().iter();
        let mut names: Vec<_> = rooms.map(|room| room["name"].as_str().unwrap().to_owned()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(names(&backend.ok("ListRooms", May::List, json!({})).await), ["lab", "yard"]);
    let some = backend.ok("ListRooms", May::List, json!({"names": ["yard", "yard", "gone"]})).await;
    assert_eq!(some["rooms"], json!([changed]));
    let rooms: api::ListRoomsAnswer =
        backend.proto(Method::ListRooms, May::List, &api::ListRooms::default()).await;
    assert_eq!(rooms.rooms.len(), 2);
    assert_eq!(backend.ok("DeleteRoom", May::Create, json!({"room": "yard"})).await, json!({}));
    assert_eq!(names(&backend.ok("ListRooms", May::List, json!({})).await), ["lab"]);
    let gone = refusal(404, "not_found", "requested room does not exist");
    assert_eq!(backend.refused("DeleteRoom", May::Create, json!({"room": "yard"})).await, gone);
    let again = api::CreateRoom { name: "yard".to_owned(), ..api::CreateRoom::default() };
    let again: RoomInfo = backend.proto(Method::CreateRoom, May::Create, &again).await;
    assert_ne!(again.sid, sid, "an ended room has made way for a new one");
    assert_eq!((again.metadata.as_str(), again.empty_timeout_s), ("", 300));
    backend.site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_room_was_made_with_holds_for_who_joins() {
    let _machine = shared().await;
    let backend = Backend::start("room: {auto_create: false}").await;
    let validate = async |room: &str| {
        let headers = format!("Authorization: Bearer {}\r\n", token_with("ada", VideoGrant::join(room)));
        let answer = http::get(backend.site.http(), "/rtc/validate", &headers).await.unwrap();
        (answer.status, answer.text())
    };
    assert_eq!(validate("yard").await, (404, "requested room does not exist".to_owned()));
    let body = json!({"name": "yard", "maxParticipants": 1, "departureTimeout": 1});
    backend.ok("CreateRoom", May::Create, body).await;
    assert_eq!(validate("yard").await, (200, "success".to_owned()));
    let ada = backend.join("ada", "yard").await;
    let error = LiveClient::join(backend.site.client("bob", "yard")).await.err().unwrap();
    assert!(format!("{error:#}").contains("500"), "{error:#}");
    backend.ok("CreateRoom", May::Create, json!({"name": "yard", "maxParticipants": 2})).await;
    let bob = backend.join("bob", "yard").await;
    let listed = backend.ok("ListRooms", May::List, json!({"names": ["yard"]})).await;
    assert_eq!(listed["rooms"][0]["num_participants"], 2);
    ada.leave().await.unwrap();
    bob.leave().await.unwrap();
    let mut rounds = tokio::time::interval(Duration::from_millis(100));
    let gone = async {
        while validate("yard").await.0 != 404 {
            rounds.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("it ends when everyone has left");
    backend.site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn participants_are_shown_changed_and_sent_away() {
    let _machine = shared().await;
    let backend = Backend::start("").await;
    let mut ada = backend.join("ada", "yard").await;
    let sid = ada.publish(1, "pose").await.unwrap();
    let who = json!({"room": "yard", "identity": "ada"});
    let seen = backend.ok("GetParticipant", YARD, who.clone()).await;
    assert!(seen["sid"].as_str().unwrap().starts_with("PA_"), "{seen}");
    assert_eq!(
        seen["data_tracks"],
        json!([{"pub_handle": 1, "sid": sid, "name": "pose", "encryption": "NONE"}])
    );
    assert_eq!(
        (&seen["state"], &seen["kind"], &seen["tracks"]),
        (&json!("ACTIVE"), &json!("STANDARD"), &json!([]))
    );
    assert_eq!((&seen["disconnect_reason"], &seen["attributes"]), (&json!("UNKNOWN_REASON"), &json!({})));
    assert_eq!(seen["permission"]["can_publish_sources"], json!([]));
    let all = backend.ok("ListParticipants", YARD, json!({"room": "yard"})).await;
    assert_eq!(all["participants"][0]["identity"], "ada");
    let request = api::ListParticipants { room: "yard".to_owned() };
    let all: api::ListParticipantsAnswer = backend.proto(Method::ListParticipants, YARD, &request).await;
    assert_eq!(all.participants[0].data_tracks[0].sid, sid);
    let change = json!({"room": "yard", "identity": "ada", "name": "Ada", "metadata": "m", "attributes": {"a": "1", "b": ""}});
    let changed = backend.ok("UpdateParticipant", YARD, change).await;
    assert_eq!(
        (&changed["name"], &changed["metadata"], &changed["attributes"]),
        (&json!("Ada"), &json!("m"), &json!({"a": "1"}))
    );
    let own = |event: ClientEvent| match event {
        ClientEvent::Update(infos) => infos.iter().find(|info| info.identity == "ada").cloned(),
        _ => None,
    };
    let told = ada.wait(PATIENCE, |_, event| own(event).filter(|info| info.name == "Ada")).await.unwrap();
    assert_eq!(u64::from(told.version), changed["version"].as_u64().unwrap());
    let permit = json!({"room": "yard", "identity": "ada", "permission": {"canSubscribe": true}});
    let changed = backend.ok("UpdateParticipant", YARD, permit).await;
    let permission = &changed["permission"];
    assert_eq!(
        (&permission["can_subscribe"], &permission["can_publish_data"]),
        (&json!(true), &json!(false))
    );
    assert_eq!((&changed["data_tracks"], &changed["name"]), (&json!([]), &json!("Ada")));
    assert_eq!(backend.ok("RemoveParticipant", YARD, who.clone()).await, json!({}));
    let left = |response: Response| match response {
        Response::Leave { reason, action } => Some((reason, action)),
        _ => None,
    };
    let left = ada.message(left).await.unwrap();
    assert_eq!(left, (DisconnectReason::ParticipantRemoved, LeaveAction::Disconnect));
    let nobody = refusal(404, "not_found", "participant does not exist");
    assert_eq!(backend.refused("RemoveParticipant", YARD, who).await, nobody);
    backend.site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_participant_is_subscribed_by_others_and_hears_when_the_room_ends() {
    let _machine = shared().await;
    let backend = Backend::start("").await;
    let (mut ada, mut bob) = (backend.join("ada", "yard").await, backend.join("bob", "yard").await);
    let sid = ada.publish(1, "pose").await.unwrap();
    let wish = |subscribe| {
        json!({
            "room": "yard", "identity": "bob", "subscribe": subscribe,
            "participantTracks": [{"participantSid": "PA_x", "trackSids": [sid]}],
        })
    };
    assert_eq!(backend.ok("UpdateSubscriptions", YARD, wish(true)).await, json!({}));
    assert!(bob.handle_of(&sid).await.unwrap() > 0);
    assert_eq!(backend.ok("UpdateSubscriptions", YARD, wish(false)).await, json!({}));
    let metrics = backend.site.metrics().await.unwrap();
    assert_eq!(metrics.get("trackyard_api_requests_total", r#"method="UpdateSubscriptions",code="ok""#), 2.0);
    backend.ok("DeleteRoom", May::Create, json!({"room": "yard"})).await;
    for client in [&mut ada, &mut bob] {
        let left = |response: Response| match response {
            Response::Leave { reason, action } => Some((reason, action)),
            _ => None,
        };
        assert_eq!(
            client.message(left).await.unwrap(),
            (DisconnectReason::RoomDeleted, LeaveAction::Disconnect)
        );
    }
    backend.site.stop().await;
}

/// The next packet of the server.
async fn packet(client: &mut LiveClient) -> (ChannelKind, DataPacket) {
    let message = |event: ClientEvent| match event {
        ClientEvent::Message(kind, message) => Some((kind, DataPacket::decode(&message).unwrap())),
        _ => None,
    };
    client.wait(PATIENCE, |_, event| message(event)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_reach_those_they_are_for_once() {
    let _machine = shared().await;
    let backend = Backend::start("").await;
    let (mut ada, mut bob) = (backend.join("ada", "yard").await, backend.join("bob", "yard").await);
    let data = |text: &str| BASE64.encode(text);
    let nonce = BASE64.encode([7; 16]);
    let wishes = [
        json!({"room": "yard", "data": data("first"), "topic": "t", "nonce": nonce}),
        json!({"room": "yard", "data": data("again"), "nonce": nonce}),
        json!({"room": "yard", "data": data("for ada"), "destination_identities": ["ada"]}),
        json!({"room": "yard", "data": data("last"), "kind": "RELIABLE"}),
    ];
    for wish in wishes {
        assert_eq!(backend.ok("SendData", YARD, wish).await, json!({}));
    }
    let heard = async |client: &mut LiveClient, count| {
        let mut texts = Vec::new();
        for _ in 0..count {
            let (kind, packet) = packet(client).await;
            assert_eq!(
                (kind, packet.sequence, packet.participant_identity.as_str()),
                (ChannelKind::Reliable, 0, "")
            );
            let PacketValue::User(user) = packet.value else { panic!("{packet:?}") };
            texts.push(String::from_utf8(user.payload.to_vec()).unwrap());
        }
        texts
    };
    assert_eq!(heard(&mut ada, 3).await, ["first", "for ada", "last"]);
    assert_eq!(heard(&mut bob, 2).await, ["first", "last"]);
    backend.ok("SendData", YARD, json!({"room": "yard", "data": data("x"), "kind": 1})).await;
    assert_eq!(packet(&mut bob).await.0, ChannelKind::Lossy);
    backend.site.stop().await;
}

/// Answers one call as it is told.
async fn answer_call(client: &mut LiveClient, result: RpcResult) {
    let (_, packet) = packet(client).await;
    let PacketValue::RpcRequest(request) = packet.value else { panic!("{packet:?}") };
    assert_eq!((packet.participant_identity.as_str(), request.method.as_str()), (request.id.as_str(), "m"));
    let request_id = request.id;
    let values = [
        PacketValue::RpcAck(RpcAck { request_id: request_id.clone() }),
        PacketValue::RpcResponse(RpcResponse { request_id: request_id.clone(), result: Some(result) }),
    ];
    for value in values {
        let message = value.reliable(vec![request_id.clone()]).encode();
        client
            .act(move |client, now| assert!(client.send_raw(ChannelKind::Reliable, &message, now)))
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_participants_method_is_called() {
    let _machine = shared().await;
    let backend = Backend::start("").await;
    let mut ada = backend.join("ada", "yard").await;
    let call = json!({"room": "yard", "destinationIdentity": "ada", "method": "m", "payload": "p"});
    let (answer, ()) = tokio::join!(
        backend.ok("PerformRpc", YARD, call.clone()),
        answer_call(&mut ada, RpcResult::Payload("done".to_owned()))
    );
    assert_eq!(answer, json!({"payload": "done"}));
    let failures = [
        (
            RpcErrorInfo { code: 101, message: "boom".into(), data: "d".into() },
            (500, "internal", "RpcError 101: boom: d"),
        ),
        (
            RpcErrorInfo {
                code: 1400,
                message: "Method not supported at destination".into(),
                data: String::new(),
            },
            (400, "invalid_argument", "RpcError 1400: Method not supported at destination"),
        ),
    ];
    for (error, (status, code, text)) in failures {
        let (told, ()) = tokio::join!(
            backend.refused("PerformRpc", YARD, call.clone()),
            answer_call(&mut ada, RpcResult::Error(error))
        );
        assert_eq!(told, refusal(status, code, text));
    }
    let mut late = call.clone();
    late["responseTimeoutMs"] = json!(200);
    let told = backend.refused("PerformRpc", YARD, late).await;
    assert_eq!(told, refusal(408, "canceled", "RpcError 1502: Response timeout"));
    let (told, ()) = tokio::join!(backend.refused("PerformRpc", YARD, call), async {
        packet(&mut ada).await;
        packet(&mut ada).await;
        backend.ok("RemoveParticipant", YARD, json!({"room": "yard", "identity": "ada"})).await;
    });
    assert_eq!(told, refusal(503, "unavailable", "RpcError 1503: Recipient disconnected"));
    backend.site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rooms_metadata_are_replaced_and_patched() {
    let _machine = shared().await;
    let backend = Backend::start("").await;
    backend.ok("CreateRoom", May::Create, json!({"name": "yard"})).await;
    let told = backend.ok("UpdateRoomMetadata", YARD, json!({"room": "yard", "metadata": "{\"a\":1}"})).await;
    assert_eq!(told["metadata"], "{\"a\":1}");
    let patch =
        |patch: Value, revision: u64| json!({"room": "yard", "patch": patch, "if_revision": revision});
    let told = backend.ok("PatchRoomMetadata", YARD, patch(json!({"a": null, "b": {"c": 2}}), 1)).await;
    assert_eq!(told, json!({"metadata": "{\"b\":{\"c\":2}}", "revision": 2}));
    let (status, told) = backend.json("PatchRoomMetadata", YARD, &patch(json!({"b": 3}), 1)).await;
    assert_eq!((status, &told["code"], &told["meta"]["revision"]), (409, &json!("aborted"), &json!("2")));
    let read = backend.ok("PatchRoomMetadata", YARD, json!({"room": "yard"})).await;
    assert_eq!(read["revision"], 2);
    // Twenty at once, each of which tries again until nobody was faster.
    let add = async |key: usize| {
        loop {
            let read = backend.ok("PatchRoomMetadata", YARD, json!({"room": "yard"})).await;
            let revision = read["revision"].as_u64().unwrap();
            let wish = patch(json!({ key.to_string(): revision }), revision);
            if backend.json("PatchRoomMetadata", YARD, &wish).await.0 == 200 {
                return revision;
            }
        }
    };
    let mut revisions = futures_util::future::join_all((0..20).map(add)).await;
    revisions.sort_unstable();
    assert_eq!(revisions, (2..22).collect::<Vec<_>>(), "no change is lost");
    backend.site.stop().await;
}
