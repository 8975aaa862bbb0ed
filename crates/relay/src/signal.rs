//! Signal connections through the relay.

mod head;
mod hidden;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;
use trackyard_proto::signal::Outbound;
use trackyard_proto::{Encoding, Request, Response};

use crate::candidates;
use crate::relay::{Shared, State};
use crate::udp::Fronts;
use head::Head;

/// After a client could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

type Socket = WebSocketStream<TcpStream>;

/// Accepts connections until the task is stopped.
pub(crate) async fn accept(shared: Arc<Shared>, listener: TcpListener) {
    let fronts = Arc::new(Fronts::default());
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else {
                    // Without a descriptor for it, it waits until there is one.
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                };
                let (shared, fronts) = (Arc::clone(&shared), Arc::clone(&fronts));
                connections.spawn(async move {
                    // A client whose connection breaks notices by itself.
                    let _ = carry(&shared, &fronts, client).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Carries one connection: what is no signal connection passes as it is.
async fn carry(shared: &Arc<Shared>, fronts: &Arc<Fronts>, mut client: TcpStream) -> io::Result<()> {
    let mut server = TcpStream::connect(shared.config.server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let mut state = shared.state.subscribe();
    let request = Head::read(&mut client).await?;
    // A server that hears of a client keeps its session.
    passable(&mut state).await;
    server.write_all(&hidden::head(request.bytes())).await?;
    let response = Head::read(&mut server).await?;
    passable(&mut state).await;
    client.write_all(response.head()).await?;
    if !response.is_switching() {
        client.write_all(response.rest()).await?;
        copy_bidirectional(&mut client, &mut server).await?;
        return Ok(());
    }
    let client = Socket::from_raw_socket(client, Role::Server, None).await;
    let rest = response.rest().to_vec();
    let server = Socket::from_partially_read(server, rest, Role::Client, None).await;
    let cuts = state.borrow_and_update().cuts;
    let (to_client, from_client) = client.split();
    let (to_server, from_server) = server.split();
    tokio::select! {
        () = up(shared, from_client, to_server) => {}
        () = down((shared, fronts), from_server, to_client) => {}
        _ = state.wait_for(|state| state.cuts != cuts) => {}
    }
    Ok(())
}

async fn up(shared: &Shared, mut from: SplitStream<Socket>, mut to: SplitSink<Socket, Message>) {
    let mut state = shared.state.subscribe();
    while let Some(Ok(message)) = from.next().await {
        if !passable(&mut state).await {
            return;
        }
        let request = match &message {
            Message::Binary(bytes) => Request::decode(bytes, Encoding::Binary).ok().flatten(),
            _ => None,
        };
        let Some(request) = request else {
            if to.send(message).await.is_err() {
                return;
            }
            continue;
        };
        if !shared.passes(&request) {
            continue;
        }
        let message = match request {
            Request::Offer(_) | Request::Answer(_) | Request::Trickle(_) => {
                let Some(request) = hidden::request(request) else { continue };
                Message::Binary(request.encode(Encoding::Binary))
            }
            _ => message,
        };
        if to.send(message).await.is_err() {
            return;
        }
    }
}

async fn down(
    (shared, fronts): (&Arc<Shared>, &Arc<Fronts>),
    mut from: SplitStream<Socket>,
    mut to: SplitSink<Socket, Message>,
) {
    let mut state = shared.state.subscribe();
    while let Some(Ok(message)) = from.next().await {
        if !passable(&mut state).await {
            return;
        }
        let message = match message {
            Message::Binary(bytes) => Message::Binary(replaced(shared, fronts, bytes).await),
            other => other,
        };
        if to.send(message).await.is_err() {
            return;
        }
    }
}

/// Waits while signalling stands still; `false` when the relay is gone.
async fn passable(state: &mut watch::Receiver<State>) -> bool {
    state.wait_for(|state| state.signalling_passes).await.is_ok()
}

async fn replaced(shared: &Arc<Shared>, fronts: &Arc<Fronts>, message: bytes::Bytes) -> bytes::Bytes {
    let Ok(Some(response)) = Response::decode(&message, Encoding::Binary) else { return message };
    let front = |server: SocketAddr| fronts.front(shared, server);
    match candidates::replace(response, shared.config.keeps_tcp, front).await {
        Some(response) => Outbound::new(response).encode(Encoding::Binary),
        None => message,
    }
}
