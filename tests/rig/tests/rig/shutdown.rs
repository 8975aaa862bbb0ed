//! SIGTERM while clients are connected (protocol §1.7).

use std::time::{Duration, Instant};

use trackyard_proto::Response;
use trackyard_proto::join::JoinRequest;
use trackyard_proto::signal::LeaveAction;
use trackyard_rig::{LiveClient, ServerProcess, SignalEnd, SignalSocket, http, token};

use crate::machine::{in_mode, server, shared};

/// Design: everything is closed within this.
const SHUTDOWN_MAX: Duration = Duration::from_secs(10);

/// A connection that is never read keeps the server stopping for a while.
async fn lingering(server: &ServerProcess) -> SignalSocket {
    let url = format!("ws://{}", server.http());
    let request = JoinRequest::default();
    SignalSocket::connect(&url, &token("lingering", "end"), (&request, false)).await.unwrap()
}

async fn stops(yaml: &str, expected: LeaveAction) {
    let _machine = shared().await;
    let mut server = server(yaml);
    assert_eq!(http::get(server.http(), "/readyz", "").await.unwrap().status, 200);
    let mut clients = Vec::new();
    for (identity, single) in [("one", true), ("two", false)] {
        let config = in_mode(single, server.client(identity, "end"));
        clients.push(LiveClient::join(config).await.unwrap().0);
    }
    let _lingering = lingering(&server).await;
    let begun = Instant::now();
    server.terminate().unwrap();
    for client in &mut clients {
        let action = client.message(|response| match response {
            Response::Leave { action, .. } => Some(action),
            _ => None,
        });
        assert_eq!(action.await.expect("a leave"), expected);
        // One that has stopped listening is not ready either.
        let ready = http::get(server.http(), "/readyz", "").await.map_or(503, |answer| answer.status);
        assert_eq!(ready, 503, "not ready at once");
    }
    for client in &mut clients {
        assert_eq!(client.signal_end(SHUTDOWN_MAX).await.unwrap(), SignalEnd::Closed(1000));
    }
    let status = server.ended(SHUTDOWN_MAX.saturating_sub(begun.elapsed())).await.unwrap();
    assert_eq!(status.code(), Some(0), "{:?}", server.log());
    println!("ended after {:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_are_told_that_the_session_is_over() {
    stops("", LeaveAction::Disconnect).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_are_told_to_come_back_if_so_configured() {
    stops("shutdown: {action: reconnect}", LeaveAction::Reconnect).await;
}
