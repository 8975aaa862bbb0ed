//! One allocation at a relay, without sockets: the protocol is `turn-client-proto`'s; this decides what is asked of
//! it, and finds out why something failed.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use turn_client_proto::api::{
    BindChannelError, CreatePermissionError, Transmit, TurnClientApi, TurnConfig, TurnEvent, TurnPollRet,
    TurnRecvRet,
};
use turn_client_proto::prelude::DelayedTransmitBuild;
use turn_client_proto::stun::Instant as Moment;
use turn_client_proto::tcp::TurnClientTcp;
use turn_client_proto::types::{TransportType, TurnCredentials};
use turn_client_proto::udp::TurnClientUdp;

use super::peers::{Peers, Verdict};
use super::refusal::Requests;
use super::{Counters, Credentials, TurnError, count, count_many};

/// First and longest pause before a request is repeated, and how often it is sent; over UDP.
const REPEAT_FIRST: Duration = Duration::from_millis(250);
const REPEAT_LONGEST: Duration = Duration::from_secs(2);
const REPEATS: u32 = 7;
/// Messages that are sent at the end; the one that gives the address back comes after those that wait.
const LAST_WORDS_MAX: u32 = 4;

turn_client_proto::impl_client!(pub(super) Protocol, (Datagrams, TurnClientUdp), (Stream, TurnClientTcp));

/// One allocation at a relay.
pub(super) struct Allocation {
    protocol: Protocol,
    requests: Requests,
    peers: Peers,
    relayed: Option<SocketAddr>,
    /// To the relay.
    outgoing: VecDeque<Vec<u8>>,
    /// The protocol's time begins here.
    epoch: Instant,
    counters: Arc<Counters>,
}

/// The two ends of the way to a relay, and whether it is a stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    pub(super) is_stream: bool,
}

impl Allocation {
    /// Begins to ask for an address.
    pub(super) fn new(way: Way, credentials: &Credentials, counters: Arc<Counters>, now: Instant) -> Self {
        let credentials = TurnCredentials::new(&credentials.username, &credentials.credential);
        let mut config = TurnConfig::new(credentials);
        config.set_request_retransmits(REPEAT_FIRST, REPEAT_LONGEST, REPEATS, REPEAT_LONGEST);
        let protocol = if way.is_stream {
            Protocol::Stream(TurnClientTcp::allocate(way.local, way.remote, config))
        } else {
            Protocol::Datagrams(TurnClientUdp::allocate(way.local, way.remote, config))
        };
        Self {
            protocol,
            requests: Requests::default(),
            peers: Peers::default(),
            relayed: None,
            outgoing: VecDeque::new(),
            epoch: now,
            counters,
        }
    }

    /// The relay's address for us, once it has given one.
    pub(super) fn relayed(&self) -> Option<SocketAddr> {
        self.relayed
    }

    /// A whole message of the relay; `deliver` gets what a peer has sent.
    pub(super) fn handle(
        &mut self,
        message: &[u8],
        now: Instant,
        deliver: impl FnOnce(SocketAddr, &[u8]),
    ) -> Result<(), TurnError> {
        if let Some(refusal) = self.requests.refusal(message) {
            return Err(refusal);
        }
        // Nothing at all would mean the end of the stream.
        if message.is_empty() {
            return Ok(());
        }
        let (from, to) = (self.protocol.remote_addr(), self.protocol.local_addr());
        let transmit = Transmit::new(message, self.protocol.transport(), from, to);
        match self.protocol.recv(transmit, self.moment(now)) {
            TurnRecvRet::PeerData(data) => deliver(data.peer, data.data()),
            TurnRecvRet::Ignored(_) => count(&self.counters.malformed),
            TurnRecvRet::Handled | TurnRecvRet::PeerIcmp { .. } => {}
        }
        Ok(())
    }

    /// Sends a datagram to a peer, or keeps it until the relay allows that.
    pub(super) fn send(
        &mut self,
        peer: SocketAddr,
        datagram: Vec<u8>,
        now: Instant,
    ) -> Result<(), TurnError> {
        match self.peers.admit(peer, datagram, now) {
            Verdict::Send(datagram) => self.pass_on(peer, &datagram, now),
            Verdict::Ask => return self.ask(peer, now),
            Verdict::Wait { lost } => count_many(&self.counters.not_allowed, lost),
            Verdict::Refused => count(&self.counters.not_allowed),
            Verdict::TooMany => count(&self.counters.too_many_peers),
        }
        Ok(())
    }

    /// What is to be sent to the relay, until there is nothing more.
    pub(super) fn poll_transmit(&mut self, now: Instant) -> Result<Option<Vec<u8>>, TurnError> {
        self.take_events(now)?;
        if let Some(message) = self.outgoing.pop_front() {
            return Ok(Some(message));
        }
        let Some(transmit) = self.protocol.poll_transmit(self.moment(now)) else { return Ok(None) };
        self.requests.note_sent(&transmit.data);
        Ok(Some(transmit.data.to_vec()))
    }

    /// When time has to be told next: call [`Self::poll_transmit`] then.
    pub(super) fn poll_timeout(&mut self, now: Instant) -> Result<Instant, TurnError> {
        match self.protocol.poll(self.moment(now)) {
            TurnPollRet::WaitUntil(moment) => Ok(self.instant(moment)),
            TurnPollRet::Closed if self.relayed.is_none() => Err(TurnError::Timeout),
            TurnPollRet::Closed => Err(TurnError::Lost),
            // Only of connections to peers over TCP, which are not asked for.
            TurnPollRet::AllocateTcpSocket { .. } | TurnPollRet::TcpClose { .. } => Ok(now),
        }
    }

    /// Gives the address back, if there is one: what says so.
    pub(super) fn give_back(&mut self, now: Instant) -> Vec<Vec<u8>> {
        let moment = self.moment(now);
        if self.protocol.delete(moment).is_err() {
            return Vec::new();
        }
        // Requests keep a distance from each other; these cannot wait.
        let later = (1..=LAST_WORDS_MAX).map(|number| moment + REPEAT_FIRST * number);
        let transmits = later.map_while(|moment| self.protocol.poll_transmit(moment));
        transmits.map(|transmit| transmit.data.to_vec()).collect()
    }

    fn take_events(&mut self, now: Instant) -> Result<(), TurnError> {
        while let Some(event) = self.protocol.poll_event() {
            match event {
                TurnEvent::AllocationCreated(_, relayed) => self.relayed = Some(relayed),
                TurnEvent::AllocationCreateFailed(_) => return Err(TurnError::Answer),
                TurnEvent::ChannelCreated(_, peer) => {
                    let waiting = self.peers.allow(peer);
                    self.pass_on_all(peer, waiting, now);
                }
                TurnEvent::PermissionCreated(_, ip) => {
                    for (peer, waiting) in self.peers.allow_all(ip) {
                        self.pass_on_all(peer, waiting, now);
                    }
                }
                TurnEvent::ChannelCreateFailed(_, peer) => {
                    count_many(&self.counters.not_allowed, self.peers.disallow(peer, now));
                }
                TurnEvent::PermissionCreateFailed(_, ip) => {
                    count_many(&self.counters.not_allowed, self.peers.disallow_all(ip, now));
                }
                TurnEvent::TcpConnected(_) | TurnEvent::TcpConnectFailed(_) => {}
            }
        }
        Ok(())
    }

    /// Asks for a channel, which brings the permission with it; for the permission alone where there is a channel
    /// already, or was lately.
    fn ask(&mut self, peer: SocketAddr, now: Instant) -> Result<(), TurnError> {
        let moment = self.moment(now);
        match self.protocol.bind_channel(TransportType::Udp, peer, moment) {
            Ok(()) => return Ok(()),
            Err(BindChannelError::NoAllocation) => return self.without_allocation(peer, now),
            Err(_) => {}
        }
        match self.protocol.create_permission(TransportType::Udp, peer.ip(), moment) {
            Ok(()) => Ok(()),
            Err(CreatePermissionError::NoAllocation) => self.without_allocation(peer, now),
            Err(_) => {
                let waiting = self.peers.allow(peer);
                self.pass_on_all(peer, waiting, now);
                Ok(())
            }
        }
    }

    /// A relay gives an address of one family, and peers of the other are out of its reach.
    fn without_allocation(&mut self, peer: SocketAddr, now: Instant) -> Result<(), TurnError> {
        if self.relayed.is_some_and(|relayed| relayed.is_ipv4() == peer.is_ipv4()) {
            return Err(TurnError::Lost);
        }
        count_many(&self.counters.not_allowed, self.peers.disallow(peer, now));
        Ok(())
    }

    fn pass_on_all(&mut self, peer: SocketAddr, datagrams: VecDeque<Vec<u8>>, now: Instant) {
        for datagram in datagrams {
            self.pass_on(peer, &datagram, now);
        }
    }

    fn pass_on(&mut self, peer: SocketAddr, datagram: &[u8], now: Instant) {
        let moment = self.moment(now);
        match self.protocol.send_to(TransportType::Udp, peer, datagram, moment) {
            Ok(Some(transmit)) => self.outgoing.push_back(transmit.data.build()),
            Ok(None) => {}
            // Its permission has run out.
            Err(_) => {
                count(&self.counters.not_allowed);
                self.peers.disallow(peer, now);
            }
        }
    }

    fn moment(&self, now: Instant) -> Moment {
        let nanos = now.saturating_duration_since(self.epoch).as_nanos();
        Moment::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
    }

    fn instant(&self, moment: Moment) -> Instant {
        self.epoch + moment.saturating_duration_since(Moment::ZERO)
    }
}
