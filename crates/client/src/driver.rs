//! The task that keeps a session going: time, sockets, the signal connection.

mod signalling;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::{JoinError, JoinSet};
use tokio::time::MissedTickBehavior;
use trackyard_peer::{Datagram, Target, Transport};

use crate::paths::{BATCH_BYTES, UdpSocket, local_addresses};
use crate::shared::Shared;

pub(crate) use signalling::Dialler;

/// How often the machine's addresses are looked at.
const ADDRESSES_INTERVAL: Duration = Duration::from_secs(2);
/// Batches received before others get the lock.
const BATCHES_PER_TURN: usize = 16;

/// Keeps a session going until it is over; then gives what is still to be said this much time.
pub(crate) async fn run(shared: Arc<Shared>, dialler: Arc<Dialler>, close_timeout: Duration) {
    let _ending = Ending(Arc::clone(&shared));
    let mut sockets = JoinSet::new();
    for (target, socket) in shared.read(|core| core.paths.udp_sockets()) {
        sockets.spawn(receive(Arc::clone(&shared), target, socket));
    }
    let mut signalling = JoinSet::new();
    let mut addresses = tokio::time::interval(ADDRESSES_INTERVAL);
    addresses.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let (wish, wake, is_over) =
            shared.with(|core, _| (core.take_signal_wish(), core.wake(), core.closed().is_some()));
        if let Some(wish) = wish {
            signalling.spawn(signalling::run(Arc::clone(&shared), Arc::clone(&dialler), wish));
        }
        if is_over {
            break;
        }
        tokio::select! {
            () = sleep_until(wake) => {
                shared.with(|core, now| core.handle_timeout(now));
            }
            () = shared.disturbed() => {}
            Some(_) = signalling.join_next() => {}
            Some(ended) = sockets.join_next() => surface(ended),
            _ = addresses.tick() => look_at_addresses(&shared),
        }
    }
    let said = async { while signalling.join_next().await.is_some() {} };
    // What is not said by then is not said.
    let _ = tokio::time::timeout(close_timeout, said).await;
    signalling.shutdown().await;
    sockets.shutdown().await;
}

/// Ends the session with its driver, also when the runtime is shut down or something panics: whoever waits
/// for frames or events is told, and nothing is held open by tracks that outlive their room.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// A socket that fails for good is a way that does not work; a panic ends the session.
fn surface(ended: Result<(), JoinError>) {
    if let Err(Ok(panic)) = ended.map_err(JoinError::try_into_panic) {
        std::panic::resume_unwind(panic);
    }
}

async fn sleep_until(wake: Option<Instant>) {
    match wake {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

fn look_at_addresses(shared: &Arc<Shared>) {
    let Some(addresses) = local_addresses() else { return };
    if shared.read(|core| core.paths.would_change(&addresses)) {
        shared.with(|core, now| core.set_addresses(addresses, now));
    }
}

/// Receives until the socket fails for good, or the task is stopped.
async fn receive(shared: Arc<Shared>, target: Target, socket: Arc<UdpSocket>) {
    // Most sockets of a client never receive anything.
    let mut buffer: Box<[u8]> = Box::default();
    let is_ipv4 = socket.is_ipv4();
    while socket.readable().await.is_ok() {
        if buffer.is_empty() {
            buffer = vec![0; BATCH_BYTES].into_boxed_slice();
        }
        for _ in 0..BATCHES_PER_TURN {
            match socket.try_recv(&mut buffer) {
                Ok(batch) => shared.with(|core, now| {
                    let Some(local) = batch.local.or_else(|| core.paths.any_address(is_ipv4)) else { return };
                    let destination = SocketAddr::new(local, socket.port());
                    for contents in buffer[..batch.bytes].chunks(batch.datagram_bytes) {
                        let datagram = Datagram {
                            transport: Transport::Udp,
                            source: batch.source,
                            destination,
                            contents,
                        };
                        core.session.handle_datagram(target, datagram, now);
                    }
                }),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // An earlier datagram was refused somewhere on its way (ICMP): others may get through.
                Err(_) => {}
            }
        }
        tokio::task::yield_now().await;
    }
}
