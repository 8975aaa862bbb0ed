//! Makes connections over str0m.

use std::net::SocketAddr;
use std::time::Instant;

use str0m::RtcConfig;

use super::addresses::Addresses;
use super::{Str0m, tap};
use crate::connection::{ConnectionFactory, LocalAddress, Role, Transport};
use crate::sctp::{Sctp, SctpConfig};

/// The longest message that is received; clients send at most 64,000 bytes.
const MESSAGE_BYTES_MAX: u32 = 65_535;

/// Every IPv4 path carries this much, and less would leave no room for a message.
const DATAGRAM_BYTES_MIN: usize = 576;

/// Makes connections over str0m.
#[derive(Debug, Clone)]
pub struct Str0mFactory {
    /// What the other side is told; the first of a transport is preferred.
    pub candidates: Vec<LocalAddress>,
    /// Target size of a datagram.
    pub mtu: usize,
    /// Bytes that a channel may hold, in flight included. Lanes keep well below it; it is the last line.
    pub buffered_bytes_max: usize,
}

impl Str0mFactory {
    /// For a server that is reached at these addresses. Takes some 50 ms the first time, so that whoever joins first does not wait for that.
    #[must_use]
    pub fn for_server(candidates: Vec<(Transport, SocketAddr)>, mtu: usize) -> Self {
        let mtu = mtu.max(DATAGRAM_BYTES_MIN);
        tap::prepare(mtu);
        let candidates = candidates.into_iter().map(LocalAddress::listening).collect();
        Self { candidates, mtu, buffered_bytes_max: 4 * 1024 * 1024 }
    }

    /// For a client with one address.
    #[must_use]
    pub fn for_client(local: SocketAddr) -> Self {
        Self { candidates: vec![LocalAddress::Udp(local)], mtu: 1200, buffered_bytes_max: 1024 * 1024 }
    }
}

impl ConnectionFactory for Str0mFactory {
    type Connection = Str0m;

    fn open(&self, role: Role, now: Instant) -> Str0m {
        let lite = matches!(role, Role::Answering | Role::Offering);
        let mtu = self.mtu.max(DATAGRAM_BYTES_MIN);
        let mut rtc = RtcConfig::new()
            .set_crypto_provider(tap::provider())
            .set_ice_lite(lite)
            .set_rtp_mode(true)
            .set_mtu(mtu..=mtu.max(1500))
            .set_sctp_max_message_size(MESSAGE_BYTES_MAX)
            .build(now);
        let mut addresses = Addresses::default();
        for address in &self.candidates {
            addresses.add(&mut rtc, *address);
        }
        let sctp = Sctp::new(SctpConfig {
            mtu,
            message_bytes_max: MESSAGE_BYTES_MAX,
            buffered_bytes_max: self.buffered_bytes_max,
            makes_channels: matches!(role, Role::Offering | Role::ClientOffering),
        });
        let made = tap::take_made().expect("str0m makes its DTLS while it is built");
        Str0m::new(role, (rtc, addresses), (made, sctp), now)
    }
}
