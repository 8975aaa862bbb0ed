//! Datagrams through the relay.

mod flow;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use tokio::net::UdpSocket;
use tokio::sync::{Mutex, mpsc};
use tokio_util::task::AbortOnDropHandle;

use crate::relay::Shared;

/// Datagrams of one client that wait for its task.
const WAITING_MAX: usize = 4_096;
/// Clients of one server's address; beyond, the others are not relayed.
const CLIENTS_MAX: usize = 4_096;
/// Addresses of servers that are stood for; beyond, candidates are left out.
const FRONTS_MAX: usize = 256;
/// The largest datagram.
const DATAGRAM_BYTES_MAX: usize = 65_536;

/// The relay's sockets by the server's addresses that they stand for.
#[derive(Debug, Default)]
pub(crate) struct Fronts(Mutex<HashMap<SocketAddr, Front>>);

#[derive(Debug)]
struct Front {
    address: SocketAddr,
    _task: AbortOnDropHandle<()>,
}

impl Fronts {
    /// Where clients send what is for this address of the server; nothing if there is no socket for it.
    pub(crate) async fn front(&self, shared: &Arc<Shared>, server: SocketAddr) -> Option<SocketAddr> {
        let mut fronts = self.0.lock().await;
        if let Some(front) = fronts.get(&server) {
            return Some(front.address);
        }
        if fronts.len() >= FRONTS_MAX {
            return None;
        }
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.ok()?;
        let address = socket.local_addr().ok()?;
        let task = tokio::spawn(relay(Arc::clone(shared), Arc::new(socket), server));
        fronts.insert(server, Front { address, _task: AbortOnDropHandle::new(task) });
        Some(address)
    }
}

/// Hands each client's datagrams to a task of its own.
async fn relay(shared: Arc<Shared>, front: Arc<UdpSocket>, server: SocketAddr) {
    let mut clients: HashMap<SocketAddr, (mpsc::Sender<Bytes>, AbortOnDropHandle<()>)> = HashMap::new();
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        // What a client's closed port answers says nothing of the others.
        let Ok((bytes, client)) = front.recv_from(&mut buffer).await else { continue };
        if !clients.contains_key(&client) {
            if clients.len() >= CLIENTS_MAX {
                shared.count(|stats| stats.unsent += 1);
                continue;
            }
            let (sender, waiting) = mpsc::channel(WAITING_MAX);
            let number = clients.len() as u64;
            let ends = flow::Ends { front: Arc::clone(&front), client, server, number };
            let task = tokio::spawn(flow::run(Arc::clone(&shared), ends, waiting));
            clients.insert(client, (sender, AbortOnDropHandle::new(task)));
        }
        let datagram = Bytes::copy_from_slice(&buffer[..bytes]);
        if clients.get(&client).is_some_and(|(sender, _)| sender.try_send(datagram).is_err()) {
            shared.count(|stats| stats.unsent += 1);
        }
    }
}
