//! What the tests of ways have in common.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use trackyard_peer::{Datagram, Target, Transport};

use super::Inbound;

/// Longer than anything on loopback takes.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(20);
/// How often something is looked at that says nothing by itself.
const LOOK_INTERVAL: Duration = Duration::from_millis(2);

/// What has come in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Came {
    Datagram {
        target: Target,
        transport: Transport,
        source: SocketAddr,
        destination: SocketAddr,
        contents: Vec<u8>,
    },
    Relayed(Target, SocketAddr),
}

/// Everything that comes in, in order.
pub(crate) struct Inbox(mpsc::UnboundedReceiver<Came>);

struct Handed(mpsc::UnboundedSender<Came>);

impl Inbound for Handed {
    fn datagram(&self, target: Target, datagram: Datagram<'_>) {
        let Datagram { transport, source, destination, contents } = datagram;
        let contents = contents.to_vec();
        // Nobody may look any more.
        let _ = self.0.send(Came::Datagram { target, transport, source, destination, contents });
    }

    fn relayed(&self, target: Target, transport: Transport, address: SocketAddr) {
        assert_eq!(transport, Transport::Udp);
        let _ = self.0.send(Came::Relayed(target, address));
    }
}

impl Inbox {
    pub(crate) fn new() -> (Self, Arc<dyn Inbound>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(receiver), Arc::new(Handed(sender)))
    }

    pub(crate) async fn next(&mut self) -> Came {
        let next = tokio::time::timeout(WAIT_MAX, self.0.recv()).await;
        next.expect("nothing comes in").expect("nobody is there to hand anything in")
    }
}

/// Waits until something is so.
pub(crate) async fn eventually(mut so: impl FnMut() -> bool) {
    let waiting = async {
        while !so() {
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    };
    tokio::time::timeout(WAIT_MAX, waiting).await.expect("it never happens");
}
