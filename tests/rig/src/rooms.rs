//! Thousands of rooms by the server API.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use serde_json::json;
use trackyard_auth::VideoGrant;
use trackyard_proto::api;

use crate::http::KeptAlive;
use crate::site::token_with;

/// Connections that ask at the same time.
const CONNECTIONS: usize = 8;

/// What a room of many is called.
#[must_use]
pub fn room_name(number: usize) -> String {
    format!("room-{number}")
}

/// Makes so many rooms; how long it took.
///
/// # Errors
/// When one is not made.
pub async fn make_rooms(server: SocketAddr, count: usize) -> Result<Duration> {
    ask_for_each(server, count, ("CreateRoom", "name")).await
}

/// Ends these rooms; how long it took.
///
/// # Errors
/// When one is not there.
pub async fn end_rooms(server: SocketAddr, count: usize) -> Result<Duration> {
    ask_for_each(server, count, ("DeleteRoom", "room")).await
}

async fn ask_for_each(server: SocketAddr, count: usize, (method, field): (&str, &str)) -> Result<Duration> {
    let grant = VideoGrant { room_create: true, ..VideoGrant::default() };
    let token = token_with("backend", grant);
    let begun = Instant::now();
    let connections = (0..CONNECTIONS).map(async |first| {
        let mut kept = KeptAlive::connect(server).await?;
        for number in (first..count).step_by(CONNECTIONS) {
            let body = json!({ field: room_name(number) }).to_string();
            let length = body.len();
            let request = format!(
                "POST /twirp/{}/{method} HTTP/1.1\r\nHost: {server}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}",
                api::SERVICE,
            );
            let answer = kept.ask(request.as_bytes()).await?;
            ensure!(answer.status == 200, "{method}: {}", answer.text());
        }
        anyhow::Ok(())
    });
    try_join_all(connections).await?;
    Ok(begun.elapsed())
}
