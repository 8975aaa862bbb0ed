//! The live demo: a page that is a small client of its own, and what the page asks the server for.
//!
//! Served only in development: `token` hands out access to whoever can reach the port.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Json, Redirect, Response};
use axum::{Router, routing::get};
use serde::{Deserialize, Serialize};
use trackyard_auth::Token;

use crate::app::App;
use crate::http::Refusal;

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// The page and its helpers, all below `/demo/`.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/demo", get(|| async { Redirect::permanent("/demo/") }))
        .route("/demo/", get(|| asset(HTML, include_str!("demo/page/index.html"))))
        .route("/demo/style.css", get(|| asset(STYLE, include_str!("demo/page/style.css"))))
        .route("/demo/main.js", get(|| asset(SCRIPT, include_str!("demo/page/main.js"))))
        .route("/demo/room.js", get(|| asset(SCRIPT, include_str!("demo/page/room.js"))))
        .route("/demo/packet.js", get(|| asset(SCRIPT, include_str!("demo/page/packet.js"))))
        .route("/demo/scene.js", get(|| asset(SCRIPT, include_str!("demo/page/scene.js"))))
        .route("/demo/token", get(token))
        .route("/demo/rooms", get(rooms))
}

async fn asset(content_type: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-cache")], text).into_response()
}

#[derive(Debug, Deserialize)]
struct TokenQuery {
    room: String,
    identity: String,
}

#[derive(Debug, Serialize)]
struct TokenAnswer {
    token: String,
}

async fn token(
    State(app): State<Arc<App>>,
    Query(query): Query<TokenQuery>,
) -> Result<Json<TokenAnswer>, Refusal> {
    let grant = Token::new(query.identity).room(query.room);
    let token = app
        .keys
        .sign(&grant, app.rooms.clock().unix_s())
        .map_err(|error| Refusal::unavailable(format!("no token could be made: {error}")))?;
    Ok(Json(TokenAnswer { token }))
}

#[derive(Debug, Serialize)]
struct RoomList {
    rooms: Vec<RoomEntry>,
}

#[derive(Debug, Serialize)]
struct RoomEntry {
    name: String,
    participants: Vec<ParticipantEntry>,
}

#[derive(Debug, Serialize)]
struct ParticipantEntry {
    identity: String,
    tracks: Vec<String>,
}

async fn rooms(State(app): State<Arc<App>>) -> Json<RoomList> {
    let descriptions = app.rooms.describe().await;
    let mut rooms: Vec<_> = descriptions
        .iter()
        .map(|room| RoomEntry {
            name: room.info.name.clone(),
            participants: room
                .participants
                .iter()
                .filter(|participant| !participant.permission.hidden)
                .map(|participant| ParticipantEntry {
                    identity: participant.identity.clone(),
                    tracks: participant.data_tracks.iter().map(|track| track.name.clone()).collect(),
                })
                .collect(),
        })
        .collect();
    rooms.sort_by(|a, b| a.name.cmp(&b.name));
    Json(RoomList { rooms })
}
