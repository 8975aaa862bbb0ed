//! What comes in over a path.

use std::net::SocketAddr;

use trackyard_peer::{Datagram, Target, Transport};

/// Takes what comes in over a path. Called from the tasks of paths; never blocks for long.
pub(crate) trait Inbound: Send + Sync + 'static {
    /// A datagram has come for one of the connections.
    fn datagram(&self, target: Target, datagram: Datagram<'_>);
    /// A relay has given this client one more address.
    fn relayed(&self, target: Target, transport: Transport, address: SocketAddr);
}
