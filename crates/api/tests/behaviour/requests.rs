//! Requests on the wire, and answers of servers that are none.

use std::time::{SystemTime, UNIX_EPOCH};

use trackyard_api::{
    ClientOptions, Code, CreateRoom, HttpError, Keys, PatchRoomMetadata, PerformRpc, RequestError, RoomInfo,
    RoomServiceClient, SendData, SetupError, UpdateParticipant, UpdateSubscriptions, VideoGrant,
};
use trackyard_proto::Encoding;
use trackyard_proto::api::{CreateRoom as Request, Message, PerformRpcAnswer, SendData as SentData};

use super::support::{Asked, Server};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const PROTOBUF: &str = "application/protobuf";

fn client(server: &Server) -> RoomServiceClient {
    RoomServiceClient::new(&format!("ws://{}", server.address), "key", SECRET).unwrap()
}

/// What the token of a request allows.
fn grant(asked: &Asked) -> VideoGrant {
    let token = asked.headers["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    Keys::new([("key", SECRET)]).unwrap().verify(token, now).unwrap().claims.video.unwrap()
}

#[tokio::test]
async fn a_request_is_protobuf_with_a_token_for_nothing_else() {
    let room = RoomInfo { sid: "RM_x".into(), name: "yard".into(), ..RoomInfo::default() };
    let server = Server::answering(200, PROTOBUF, room.encode(Encoding::Binary)).await;
    let request = CreateRoom { name: "yard".into(), empty_timeout_s: 60, ..CreateRoom::default() };
    assert_eq!(client(&server).create_room(&request).await.unwrap(), room);
    let asked = server.asked();
    assert_eq!(asked.path, "/twirp/livekit.RoomService/CreateRoom");
    assert_eq!(asked.headers["content-type"], PROTOBUF);
    assert_eq!(Request::decode(&asked.body, Encoding::Binary).unwrap(), request);
    assert_eq!(grant(&asked), VideoGrant { room_create: true, ..VideoGrant::default() });
}

#[tokio::test]
async fn each_method_asks_for_the_grant_it_needs() {
    let server = Server::answering(200, PROTOBUF, "").await;
    let client = client(&server);
    let admin = VideoGrant { room_admin: true, room: "yard".into(), ..VideoGrant::default() };
    let check = |path: &str, expected: &VideoGrant| {
        let asked = server.asked();
        assert_eq!(asked.path.rsplit('/').next(), Some(path));
        assert_eq!(&grant(&asked), expected, "{path}");
    };
    client.list_rooms(&[]).await.unwrap();
    check("ListRooms", &VideoGrant { room_list: true, ..VideoGrant::default() });
    client.delete_room("yard").await.unwrap();
    check("DeleteRoom", &VideoGrant { room_create: true, ..VideoGrant::default() });
    client.list_participants("yard").await.unwrap();
    check("ListParticipants", &admin);
    client.get_participant("yard", "ada").await.unwrap();
    check("GetParticipant", &admin);
    client.remove_participant("yard", "ada").await.unwrap();
    check("RemoveParticipant", &admin);
    assert_eq!(client.mute_published_track("yard", "ada", "TR_x").await.unwrap(), None);
    check("MutePublishedTrack", &admin);
    client.unmute_published_track("yard", "ada", "TR_x").await.unwrap();
    check("MutePublishedTrack", &admin);
    let room = || "yard".to_owned();
    client.update_participant(&UpdateParticipant { room: room(), ..Default::default() }).await.unwrap();
    check("UpdateParticipant", &admin);
    client.update_subscriptions(&UpdateSubscriptions { room: room(), ..Default::default() }).await.unwrap();
    check("UpdateSubscriptions", &admin);
    client.send_data(&SendData { room: room(), ..Default::default() }).await.unwrap();
    check("SendData", &admin);
    client.update_room_metadata("yard", "{}").await.unwrap();
    check("UpdateRoomMetadata", &admin);
    client.perform_rpc(&PerformRpc { room: room(), ..Default::default() }).await.unwrap();
    check("PerformRpc", &admin);
    let both = VideoGrant { destination_room: "shed".into(), ..admin };
    client.forward_participant("yard", "ada", "shed").await.unwrap();
    check("ForwardParticipant", &both);
    client.move_participant("yard", "ada", "shed").await.unwrap();
    check("MoveParticipant", &both);
}

#[tokio::test]
async fn what_only_trackyard_has_is_json() {
    let server = Server::answering(200, "application/json", r#"{"metadata":"{}","revision":3}"#).await;
    let patch = PatchRoomMetadata { room: "yard".into(), if_revision: Some(2), ..Default::default() };
    assert_eq!(client(&server).patch_room_metadata(&patch).await.unwrap().revision, 3);
    let asked = server.asked();
    assert_eq!(asked.path, "/twirp/trackyard.RoomService/PatchRoomMetadata");
    let body: serde_json::Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!((&body["room"], &body["if_revision"]), (&"yard".into(), &2.into()));
}

#[tokio::test]
async fn somebodys_token_is_sent_as_it_is() {
    let server = Server::answering(200, PROTOBUF, "").await;
    let url = format!("http://{}/below/", server.address);
    let client = RoomServiceClient::with_token(&url, "first").unwrap();
    client.token("second").send_data(&SendData { data: vec![1], ..Default::default() }).await.unwrap();
    let asked = server.asked();
    assert_eq!(asked.headers["authorization"], "Bearer second");
    assert_eq!(asked.path, "/below/twirp/livekit.RoomService/SendData");
    assert_eq!(SentData::decode(&asked.body, Encoding::Binary).unwrap().data, [1]);
    let error = client.token("two\nlines").list_rooms(&[]).await.unwrap_err();
    assert!(matches!(error, RequestError::Token { .. }));
    assert!(!format!("{client:?}").contains("first"), "tokens are never shown");
}

#[tokio::test]
async fn a_refusal_has_its_code_words_and_status() {
    let body = r#"{"code":"not_found","msg":"requested room does not exist","meta":{"a":"b"}}"#;
    let server = Server::answering(404, "application/json", body).await;
    let error = client(&server).delete_room("yard").await.unwrap_err();
    assert_eq!((error.code(), error.status()), (Some(Code::NotFound), Some(404)));
    assert_eq!(error.to_string(), "not_found: requested room does not exist");
    let RequestError::Refused { error, .. } = error else { panic!("{error:?}") };
    assert_eq!(error.meta["a"], "b");
}

#[tokio::test]
async fn a_token_that_is_refused_is_told_in_plain_text() {
    let server = Server::answering(401, "text/plain; charset=utf-8", "invalid API key: key\n").await;
    let error = client(&server).list_rooms(&[]).await.unwrap_err();
    assert_eq!((error.code(), error.status()), (Some(Code::Unauthenticated), Some(401)));
    assert_eq!(error.to_string(), "unauthenticated: invalid API key: key");
    let server = Server::answering(401, "text/plain", "invalid token: secret.token, error: bad").await;
    let error = client(&server).token("secret.token").list_rooms(&[]).await.unwrap_err();
    assert_eq!(error.to_string(), "unauthenticated: invalid token: …, error: bad", "tokens are never shown");
    let page = Server::answering(401, "text/html", "<html>log in</html>").await;
    assert!(matches!(client(&page).list_rooms(&[]).await, Err(RequestError::NotApi { status: 401 })));
}

#[tokio::test]
async fn answers_of_other_servers_are_told_from_those_of_the_api() {
    for (status, content_type, body) in [
        (404, "text/plain", "404 page not found"),
        (502, "text/html", "<html>Bad Gateway</html>"),
        (307, "text/html", "elsewhere"),
        (200, "text/html; charset=utf-8", "<html>Welcome</html>"),
        (200, "text/plain", ""),
        (500, "application/json", "[]"),
    ] {
        let server = Server::answering(status, content_type, body).await;
        let error = client(&server).list_rooms(&[]).await.unwrap_err();
        assert!(matches!(error, RequestError::NotApi { .. }), "{status} {body}: {error:?}");
        assert_eq!(error.status(), Some(status));
    }
    let server = Server::answering(200, PROTOBUF, [0xff; 9]).await;
    let error = client(&server).list_rooms(&[]).await.unwrap_err();
    assert!(matches!(error, RequestError::Answer(_)), "{error:?}");
}

#[tokio::test]
async fn a_call_waits_as_long_as_the_server_may() {
    let answer = PerformRpcAnswer { payload: "pong".into() }.encode(Encoding::Binary);
    let server = Server::answering(200, PROTOBUF, answer).await;
    let options = ClientOptions { time_max: std::time::Duration::ZERO, ..ClientOptions::default() };
    let client = client(&server).options(&options).unwrap();
    assert_eq!(client.perform_rpc(&PerformRpc::default()).await.unwrap(), "pong");
    // Accepted by the system, and read by nobody.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let client = RoomServiceClient::new(&url, "key", SECRET).unwrap().options(&options).unwrap();
    let error = client.list_rooms(&[]).await.unwrap_err();
    assert!(
        matches!(error, RequestError::Http(HttpError::Timeout { limit }) if limit.is_zero()),
        "{error:?}"
    );
}

#[test]
fn what_is_no_url_is_refused() {
    for url in ["", "example.org", "ftp://example.org", "wss://me:pw@example.org", "ws://"] {
        let refused = RoomServiceClient::new(url, "key", SECRET);
        assert!(matches!(refused, Err(SetupError::Url(_))), "{url}");
    }
}
