//! A server that answers as it is told to, and keeps what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

#[derive(Clone)]
struct Script {
    answer: (StatusCode, &'static str, Vec<u8>),
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// Serves until it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Answers everything with this status, type and body.
    pub(crate) async fn answering(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let answer = (StatusCode::from_u16(status).unwrap(), content_type, body.into());
        let script = Script { answer, asked: Arc::clone(&asked) };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().fallback(answer_with).with_state(script);
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, asked, task }
    }

    /// What was asked last.
    pub(crate) fn asked(&self) -> Asked {
        self.asked.lock().unwrap().pop().expect("nothing was asked")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer_with(State(script): State<Script>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let asked = Asked { path: head.uri.path().to_owned(), headers: head.headers, body };
    script.asked.lock().unwrap().push(asked);
    let (status, content_type, body) = script.answer;
    (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
}
