//! Makes connections over str0m.

use std::net::SocketAddr;
use std::time::Instant;

use str0m::net::{Protocol, TcpType};
use str0m::{Candidate, RtcConfig};

use super::Str0m;
use crate::connection::{ConnectionFactory, Role, Transport};

/// The longest message that is received; clients send at most 64,000 bytes.
const MESSAGE_BYTES_MAX: u32 = 65_535;

/// Every IPv4 path carries this much, and less would leave no room for a message.
const DATAGRAM_BYTES_MIN: usize = 576;

/// Makes connections over str0m.
#[derive(Debug, Clone)]
pub struct Str0mFactory {
    /// What the other side is told; the first of a transport is preferred.
    pub candidates: Vec<(Transport, SocketAddr)>,
    /// Target size of a datagram.
    pub mtu: usize,
    /// Bytes that the channels of one connection may hold together, in flight included. Lanes keep
    /// well below it; it is the last line.
    pub buffered_bytes_max: usize,
}

impl Str0mFactory {
    /// For a server that is reached at these addresses.
    #[must_use]
    pub fn for_server(candidates: Vec<(Transport, SocketAddr)>, mtu: usize) -> Self {
        Self { candidates, mtu, buffered_bytes_max: 4 * 1024 * 1024 }
    }

    /// For a client with one address.
    #[must_use]
    pub fn for_client(local: SocketAddr) -> Self {
        Self { candidates: vec![(Transport::Udp, local)], mtu: 1200, buffered_bytes_max: 1024 * 1024 }
    }
}

impl ConnectionFactory for Str0mFactory {
    type Connection = Str0m;

    fn open(&self, role: Role, now: Instant) -> Str0m {
        let lite = matches!(role, Role::Answering | Role::Offering);
        let mtu = self.mtu.max(DATAGRAM_BYTES_MIN);
        let mut rtc = RtcConfig::new()
            .set_ice_lite(lite)
            .set_rtp_mode(true)
            .set_mtu(mtu..=mtu.max(1500))
            .set_sctp_max_buffered_amount(self.buffered_bytes_max)
            .set_sctp_max_message_size(MESSAGE_BYTES_MAX)
            .build(now);
        for (transport, address) in &self.candidates {
            if let Some(candidate) = host_candidate(*transport, *address) {
                rtc.add_local_candidate(candidate);
            }
        }
        Str0m::new(rtc, role, self.buffered_bytes_max, now)
    }
}

/// A host candidate of ours; ICE/TCP is passive.
pub(super) fn host_candidate(transport: Transport, address: SocketAddr) -> Option<Candidate> {
    match transport {
        Transport::Udp => Candidate::host(address, Protocol::Udp).ok(),
        Transport::Tcp => Candidate::builder().tcp().host(address).tcptype(TcpType::Passive).build().ok(),
    }
}
