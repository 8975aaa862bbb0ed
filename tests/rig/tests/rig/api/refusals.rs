//! What the API refuses, and how it says so.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use trackyard_proto::api::Method;
use trackyard_rig::http::{self, Answer};
use trackyard_rig::token_with;

use super::{Backend, May, YARD, bearer, grant, refusal};
use crate::machine::shared;

/// What is asked, and how it is refused.
type Row = (&'static str, May, Value, (u16, String, String));

fn invalid(text: &str) -> (u16, String, String) {
    refusal(400, "invalid_argument", text)
}

fn long(bytes: usize) -> String {
    "x".repeat(bytes)
}

/// About a participant that is there.
fn ada(mut rest: Value) -> Value {
    rest["room"] = "yard".into();
    rest["identity"] = "ada".into();
    rest
}

fn about_rooms() -> Vec<Row> {
    let create = |body, why| ("CreateRoom", May::Create, body, why);
    let metadata = json!({"room": "yard", "metadata": long(524_289)});
    let no_egress = "this server does not record; create the room without egress";
    let no_preset = "unknown room configuration in create room request";
    let long_metadata = "metadata size exceeds limits 524288";
    vec![
        create(json!({}), invalid("no room name")),
        create(json!({"name": long(257)}), invalid("room name length exceeds limits 256")),
        create(json!({"name": "r", "metadata": long(524_289)}), invalid(long_metadata)),
        create(json!({"name": "r", "tags": {"k": long(65_536)}}), invalid("tags size exceeds limits 65536")),
        create(json!({"name": "r", "roomPreset": "p"}), invalid(no_preset)),
        create(json!({"name": "r", "egress": {"room": {}}}), refusal(412, "failed_precondition", no_egress)),
        ("UpdateRoomMetadata", YARD, metadata, invalid(long_metadata)),
        ("PatchRoomMetadata", YARD, ada(json!({"patch": []})), invalid("the patch is not a JSON object")),
    ]
}

fn about_participants() -> Vec<Row> {
    let update = |body, text| ("UpdateParticipant", YARD, ada(body), invalid(text));
    let no_unmute = refusal(412, "failed_precondition", "remote unmute not enabled");
    let mut rows = vec![
        update(json!({"name": long(257)}), "name length exceeds limits 256"),
        update(json!({"metadata": long(524_289)}), "metadata size exceeds limits 524288"),
        update(json!({"attributes": {"k": long(65_536)}}), "attribute size exceeds limits 65536"),
        ("MutePublishedTrack", YARD, ada(json!({"trackSid": "TR_x"})), no_unmute),
    ];
    for (method, verb) in [("ForwardParticipant", "forward"), ("MoveParticipant", "move")] {
        let to = |room| ada(json!({ "destinationRoom": room }));
        let same = invalid("destination room cannot be the same as source room");
        let why = format!(
            "this server does not {verb} participants; let the participant join lab with a token for it"
        );
        rows.push((method, May::Send("yard", "yard"), to("yard"), same));
        rows.push((method, May::Send("yard", "lab"), to("lab"), refusal(501, "unimplemented", &why)));
    }
    rows
}

fn about_packets() -> Vec<Row> {
    let send = |body, text| ("SendData", YARD, ada(body), invalid(text));
    let call = |body, text| ("PerformRpc", YARD, ada(body), invalid(text));
    let payload = json!({"destinationIdentity": "ada", "payload": long(15_361)});
    let data = json!({"data": BASE64.encode(long(65_535))});
    vec![
        send(json!({"nonce": "aGk="}), "nonce should be 16-bytes or not present, got: 2 bytes"),
        send(data, "data with topic and destinations exceeds limits 65535"),
        call(json!({"method": "m"}), "destination identity is required"),
        call(payload, "RpcError 1402: Request payload too large"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_refusal_has_its_code() {
    let _machine = shared().await;
    let backend = Backend::start("").await;
    let _ada = backend.join("ada", "yard").await;
    let rows = [about_rooms(), about_participants(), about_packets()].into_iter().flatten();
    for (method, may, body, expected) in rows {
        assert_eq!(backend.refused(method, may, body).await, expected, "{method}");
    }
    let mute = ada(json!({"trackSid": "TR_x", "muted": true}));
    assert_eq!(backend.ok("MutePublishedTrack", YARD, mute).await, json!({"track": null}));
    backend.site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_exist_is_not_found() {
    let _machine = shared().await;
    let backend = Backend::start("").await;
    let gone = May::Administer("gone");
    let who = json!({"room": "gone", "identity": "ada", "trackSid": "TR_x", "muted": true});
    let nobody = refusal(404, "not_found", "participant does not exist");
    for method in [
        "GetParticipant",
        "RemoveParticipant",
        "MutePublishedTrack",
        "UpdateParticipant",
        "UpdateSubscriptions",
    ] {
        assert_eq!(backend.refused(method, gone, who.clone()).await, nobody, "{method}");
    }
    let no_room = refusal(404, "not_found", "requested room does not exist");
    for method in ["SendData", "UpdateRoomMetadata", "PatchRoomMetadata"] {
        assert_eq!(backend.refused(method, gone, who.clone()).await, no_room, "{method}");
    }
    let call = json!({"room": "gone", "destinationIdentity": "ada"});
    assert_eq!(backend.refused("PerformRpc", gone, call).await, no_room);
    assert_eq!(
        backend.ok("ListParticipants", gone, json!({"room": "gone"})).await,
        json!({"participants": []})
    );
    backend.ok("CreateRoom", May::Create, json!({"name": "gone"})).await;
    assert_eq!(
        backend.refused("PerformRpc", gone, json!({"room": "gone", "destinationIdentity": "ada"})).await,
        nobody
    );
    backend.site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_method_needs_its_grant_and_its_room() {
    let _machine = shared().await;
    let backend = Backend::start("").await;
    backend.ok("CreateRoom", May::Create, json!({"name": "yard"})).await;
    let denied = refusal(401, "unauthenticated", "permissions denied");
    let body = json!({"name": "new", "room": "yard", "identity": "ada", "destinationRoom": "lab"});
    for method in Method::ALL {
        let allowed = match method {
            Method::CreateRoom | Method::DeleteRoom => May::Create,
            Method::ListRooms => May::List,
            Method::ForwardParticipant | Method::MoveParticipant => May::Send("yard", "lab"),
            _ => YARD,
        };
        let all = [
            May::Nothing,
            May::Create,
            May::List,
            YARD,
            May::Administer("lab"),
            May::Administer(""),
            May::Send("lab", "lab"),
        ];
        let send = allowed == May::Send("yard", "lab");
        for may in all.into_iter().filter(|may| *may != allowed) {
            assert_eq!(
                backend.refused(method.name(), may, body.clone()).await,
                denied,
                "{} {may:?}",
                method.name()
            );
        }
        if send {
            let elsewhere = May::Send("yard", "hall");
            assert_eq!(
                backend.refused(method.name(), elsewhere, body.clone()).await,
                denied,
                "{}",
                method.name()
            );
        }
    }
    let path = Method::ListRooms.path();
    let stranger = backend.post(&path, "Content-Type: application/json\r\n", b"{}").await;
    assert_eq!(
        (stranger.status, stranger.text().as_str()),
        (401, r#"{"code":"unauthenticated","msg":"permissions denied"}"#)
    );
    let bad =
        backend.post(&path, "Authorization: Bearer xx\r\nContent-Type: application/json\r\n", b"{}").await;
    assert_eq!((bad.status, bad.text().as_str()), (401, "invalid authorization token"));
    let query = format!("{path}?access_token={}", token_with("backend", grant(May::List)));
    let by_query = backend.post(&query, "Content-Type: application/json\r\n", b"{}").await;
    assert_eq!(by_query.status, 200, "{}", by_query.text());
    backend.site.stop().await;
}

/// The status, code and text of a failure.
fn failure(answer: &Answer) -> (u16, String, String) {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{}", answer.text()));
    refusal(answer.status, body["code"].as_str().unwrap(), body["msg"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_said_to_be_malformed() {
    let _machine = shared().await;
    let backend = Backend::start("").await;
    let json = format!("{}Content-Type: application/json\r\n", bearer(May::Create));
    let twice = r#"{"name":"a","name":"b"}"#;
    for body in ["", "{", "[]", "null", "7", r#"{"name": 5}"#, r#"{"maxParticipants": -1}"#, twice] {
        let answer = backend.post(&Method::CreateRoom.path(), &json, body.as_bytes()).await;
        let malformed = refusal(400, "malformed", "the json request could not be decoded");
        assert_eq!(failure(&answer), malformed, "{body}");
    }
    let binary = format!("{}Content-Type: application/protobuf\r\n", bearer(May::List));
    let many_parts = [0x0a, 0x00].repeat(300_000);
    for body in [&[0xff, 0xff], many_parts.as_slice()] {
        let answer = backend.post(&Method::ListRooms.path(), &binary, body).await;
        assert_eq!(failure(&answer), refusal(400, "malformed", "the protobuf request could not be decoded"));
    }
    backend.site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_request_of_the_api_is_said_to_be_none() {
    let _machine = shared().await;
    let backend = Backend::start("").await;
    let token = bearer(May::Create);
    let json = format!("{token}Content-Type: application/json\r\n");
    let binary = format!("{token}Content-Type: application/protobuf\r\n");
    let path = Method::CreateRoom.path();
    let rows = [
        (
            "/twirp/livekit.RoomService/Nope",
            json.as_str(),
            r#"no handler for path "/twirp/livekit.RoomService/Nope""#,
        ),
        (
            "/twirp/livekit.Egress/ListEgress",
            &json,
            r#"no handler for path "/twirp/livekit.Egress/ListEgress""#,
        ),
        (
            "/twirp/livekit.RoomService/PatchRoomMetadata",
            &json,
            r#"no handler for path "/twirp/livekit.RoomService/PatchRoomMetadata""#,
        ),
        (&path, &token, r#"unexpected Content-Type: """#),
        (&path, &format!("{token}Content-Type: text/plain\r\n"), r#"unexpected Content-Type: "text/plain""#),
        (&Method::PatchRoomMetadata.path(), &binary, r#"unexpected Content-Type: "application/protobuf""#),
    ];
    for (path, headers, text) in rows {
        let answer = backend.post(path, headers, b"{}").await;
        assert_eq!(failure(&answer), refusal(404, "bad_route", text), "{path}");
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(body["meta"]["twirp_invalid_route"], format!("POST {path}"));
    }
    let get = http::get(backend.site.http(), &path, &json).await.unwrap();
    assert_eq!(
        failure(&get),
        refusal(404, "bad_route", r#"unsupported method "GET" (only POST is allowed)"#)
    );
    let charset = format!("{token}Content-Type: Application/JSON; charset=utf-8\r\n");
    assert_eq!(backend.post(&path, &charset, br#"{"name": "yard"}"#).await.status, 200);
    let preflight = "Origin: https://example.com\r\nAccess-Control-Request-Method: POST\r\n";
    let answer = http::request(backend.site.http(), &format!("OPTIONS {path}"), preflight).await.unwrap();
    assert!(answer.status < 300 && answer.header("access-control-allow-methods").unwrap().contains("POST"));
    backend.site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_bodies_are_not_read() {
    let _machine = shared().await;
    let backend = Backend::start("").await;
    let head = |length: usize, may| {
        format!(
            "POST {} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{}Content-Length: {length}\r\n\r\n",
            Method::ListRooms.path(),
            bearer(may)
        )
    };
    let told =
        async |text: String| http::exchange(backend.site.http(), text.as_bytes()).await.unwrap().status;
    assert_eq!(told(head(10 * 1024 * 1024 + 1, May::List)).await, 413);
    assert_eq!(told(head(10 * 1024 * 1024, May::Nothing)).await, 401, "for strangers nothing is read");
    let chunked = head(0, May::List).replace("Content-Length: 0", "Transfer-Encoding: chunked");
    let length = 10 * 1024 * 1024 + 1;
    assert_eq!(told(format!("{chunked}{length:x}\r\n{}", "x".repeat(length))).await, 413);
    let names = json!({"names": ["x".repeat(9 * 1024 * 1024)]});
    assert_eq!(backend.ok("ListRooms", May::List, names).await, json!({"rooms": []}));
    // Six who send nothing of what they have promised hold all that may be held but little; who asks for little is served.
    let mut silent = Vec::new();
    for _ in 0..6 {
        let mut stream = tokio::net::TcpStream::connect(backend.site.http()).await.unwrap();
        let head = head(10 * 1024 * 1024, May::List);
        tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await.unwrap();
        silent.push(stream);
    }
    assert_eq!(backend.ok("ListRooms", May::List, json!({})).await, json!({"rooms": []}));
    drop(silent);
    backend.site.stop().await;
}
