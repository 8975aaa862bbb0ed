//! One signal connection, from the wish to its end.

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::sync::mpsc::Receiver;
use trackyard_proto::{Request, Response};
use trackyard_session::{SignalFailure, SignalRequest};

use crate::core::SignalWish;
use crate::endpoint::Endpoint;
use crate::error::SignalError;
use crate::paths::local_addresses;
use crate::shared::Shared;
use crate::signal::{SignalEvent, SignalReceiver, SignalSender, SignalSocket};
use crate::token::TokenStore;

/// How long the server may take to close after this client has.
const FAREWELL_MAX: Duration = Duration::from_secs(1);

/// For the server to take what is said. One that is silent for so long is left by its heartbeat as well.
const SEND_MAX: Duration = Duration::from_secs(10);

/// Where signal connections go, and with what.
pub(crate) struct Dialler {
    pub(crate) endpoint: Endpoint,
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) tokens: Arc<TokenStore>,
}

/// A signal connection, from the wish to its end.
pub(super) async fn run(shared: Arc<Shared>, dialler: Arc<Dialler>, wish: SignalWish) {
    let SignalWish { request, generation, mut outgoing } = wish;
    let mut early = Vec::new();
    let opened = tokio::select! {
        opened = dialler.open(&request) => opened,
        () = collect(&mut outgoing, &mut early) => return,
    };
    let socket = match opened {
        Ok(socket) => socket,
        Err(error) => return failed(&shared, generation, error),
    };
    if socket.is_local() {
        offer_loopback(&shared);
    }
    let (mut sender, mut receiver) = socket.split();
    tokio::select! {
        is_said = speak(&mut sender, (early, &mut outgoing)) => {
            if !is_said {
                return closed(&shared, generation);
            }
        }
        () = listen(&shared, &mut receiver, generation) => return,
    }
    // Its end is known; whoever does not close in time is left.
    let _ = tokio::time::timeout(FAREWELL_MAX, receiver.closed()).await;
}

impl Dialler {
    async fn open(&self, request: &SignalRequest) -> Result<SignalSocket, SignalError> {
        let token = self.tokens.get(request.join.reconnect).await?;
        SignalSocket::open(&self.endpoint, &self.tls, (request, &token)).await
    }
}

/// Keeps what is said before there is a connection; ends when none is wanted any more.
async fn collect(outgoing: &mut Receiver<Request>, early: &mut Vec<Request>) {
    while let Some(request) = outgoing.recv().await {
        early.push(request);
    }
}

/// Says everything, then closes; `false` if the server does not take it.
async fn speak(sender: &mut SignalSender, (early, outgoing): (Vec<Request>, &mut Receiver<Request>)) -> bool {
    for request in early {
        if !say(sender, &request).await {
            return false;
        }
    }
    while let Some(request) = outgoing.recv().await {
        if !say(sender, &request).await {
            return false;
        }
    }
    tokio::time::timeout(FAREWELL_MAX, sender.close()).await.is_ok()
}

async fn say(sender: &mut SignalSender, request: &Request) -> bool {
    match tokio::time::timeout(SEND_MAX, sender.send(request)).await {
        Ok(true) => true,
        // What the server has still said is heard first; then whoever listens notices the end.
        Ok(false) => std::future::pending().await,
        Err(_) => false,
    }
}

async fn listen(shared: &Arc<Shared>, receiver: &mut SignalReceiver, generation: u64) {
    loop {
        let event = receiver.recv().await;
        let bytes = receiver.take_bytes();
        let is_over = shared.with(|core, now| {
            if !core.signal.is_current(generation) {
                return true;
            }
            core.signal.bytes += bytes;
            match event {
                SignalEvent::Response(response) => {
                    core.people.candidates.note(&response);
                    match &*response {
                        Response::Join(join) => core.set_ice_servers(&join.ice_servers),
                        Response::Reconnect(reconnect) => core.set_ice_servers(&reconnect.ice_servers),
                        _ => {}
                    }
                    core.session.handle_signal(*response, now);
                    false
                }
                SignalEvent::Closed => {
                    core.session.signal_closed(now);
                    true
                }
                SignalEvent::Unreadable(message) => {
                    core.signal.failure = Some(SignalError::Protocol { message });
                    core.session.signal_closed(now);
                    true
                }
            }
        });
        if is_over {
            return;
        }
    }
}

fn closed(shared: &Arc<Shared>, generation: u64) {
    shared.with(|core, now| {
        if core.signal.is_current(generation) {
            core.session.signal_closed(now);
        }
    });
}

fn failed(shared: &Arc<Shared>, generation: u64, error: SignalError) {
    shared.with(|core, now| {
        if core.signal.is_current(generation) {
            core.signal.failure = Some(error.clone());
            core.session.signal_failed(failure(error), now);
        }
    });
}

/// What the session makes of it: another route, another attempt, or the end.
fn failure(error: SignalError) -> SignalFailure {
    match error {
        SignalError::Refused { status: 404, message } if !message.contains("room does not exist") => {
            SignalFailure::NotFound
        }
        SignalError::Refused { status, message } => SignalFailure::Refused { status, message },
        other => SignalFailure::Unreachable(other.to_string()),
    }
}

/// A server on this machine may be reached over loopback alone.
fn offer_loopback(shared: &Arc<Shared>) {
    if shared.read(|core| core.paths.has_loopback()) {
        return;
    }
    let Some(addresses) = local_addresses() else { return };
    shared.with(|core, now| {
        core.paths.offer_loopback();
        core.set_addresses(addresses, now);
    });
}
