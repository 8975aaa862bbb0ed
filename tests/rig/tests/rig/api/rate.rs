//! How many requests a second the API serves.

use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use trackyard_proto::api;
use trackyard_rig::http::KeptAlive;

use super::{Backend, May, YARD, bearer};
use crate::machine::alone;

/// Requests per second by four connections, each after the answer to its last.
async fn rate(backend: &Backend, method: &str, may: May, body: &Value) -> f64 {
    const CONNECTIONS: usize = 4;
    const REQUESTS: usize = 500;
    let (server, body) = (backend.site.http(), body.to_string());
    let head = format!(
        "POST /twirp/{}/{method} HTTP/1.1\r\nHost: {server}\r\n{}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        api::SERVICE,
        bearer(may),
        body.len()
    );
    let request = [head, body].concat();
    let begun = Instant::now();
    let connections = (0..CONNECTIONS).map(async |_| {
        let mut kept = KeptAlive::connect(server).await.unwrap();
        for _ in 0..REQUESTS {
            let answer = kept.ask(request.as_bytes()).await.unwrap();
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    });
    futures_util::future::join_all(connections).await;
    (CONNECTIONS * REQUESTS) as f64 / begun.elapsed().as_secs_f64()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_of_requests_a_second_are_served() {
    let _machine = alone().await;
    let backend = Backend::start("").await;
    let _ada = backend.join("ada", "yard").await;
    let who = json!({"room": "yard", "identity": "ada"});
    let rows = [
        ("ListRooms", May::List, json!({})),
        ("CreateRoom", May::Create, json!({"name": "yard", "maxParticipants": 9})),
        ("GetParticipant", YARD, who.clone()),
        ("UpdateParticipant", YARD, json!({"room": "yard", "identity": "ada", "attributes": {"a": "1"}})),
        ("UpdateRoomMetadata", YARD, json!({"room": "yard", "metadata": "m"})),
        ("SendData", YARD, json!({"room": "yard", "data": BASE64.encode([7; 100]), "kind": "LOSSY"})),
    ];
    for (method, may, body) in rows {
        let rate = rate(&backend, method, may, &body).await;
        println!("{method}: {rate:.0} requests/s");
        assert!(rate > 200.0, "{method}: {rate:.0}/s");
    }
    backend.site.stop().await;
}
