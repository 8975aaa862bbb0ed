//! A connection over str0m. This module and its children are all that knows str0m.

mod channels;
mod factory;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::net::{Protocol, Receive, TcpType};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc};

use crate::connection::{
    ChannelKind, Connection, ConnectionEvent, ConnectionOutput, Role, Transmit, Transport,
};
use crate::sdp;

use channels::Channels;
pub use factory::Str0mFactory;

/// Datagrams fed before outputs are taken: the DTLS engine holds 30 records.
const FED_MAX: u32 = 16;
/// Candidates of the other side that are looked at; an ICE-lite server needs none of them.
const REMOTE_CANDIDATES_MAX: u32 = 256;
/// Far enough to mean never.
const NEVER: Duration = Duration::from_secs(86_400);

/// Why a description or a candidate cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Str0mError {
    /// The description breaks a bound or is no SDP.
    #[error(transparent)]
    Sdp(#[from] sdp::SdpError),
    /// str0m cannot use the description.
    #[error("the description cannot be used: {0}")]
    Unusable(String),
    /// There is no offer of ours to be answered.
    #[error("an answer without an offer")]
    NoOffer,
    /// Not a candidate.
    #[error("not a candidate: {0}")]
    Candidate(String),
    /// The connection has ended.
    #[error("the connection has ended")]
    Ended,
}

/// A connection over str0m.
pub struct Str0m {
    rtc: Rtc,
    role: Role,
    channels: Channels,
    pending: Option<SdpPendingOffer>,
    outputs: VecDeque<ConnectionOutput>,
    wake: Instant,
    /// Inputs whose outputs have not been taken yet.
    fed: u32,
    interrupted: bool,
    ended: bool,
    remote_candidates: u32,
    malformed: u64,
}

impl Str0m {
    fn new(rtc: Rtc, role: Role, now: Instant) -> Self {
        Self {
            rtc,
            role,
            channels: Channels::default(),
            pending: None,
            outputs: VecDeque::new(),
            wake: now,
            fed: 1,
            interrupted: false,
            ended: false,
            remote_candidates: 0,
            malformed: 0,
        }
    }

    /// Datagrams that were none of ICE, DTLS or SRTP.
    #[must_use]
    pub fn malformed(&self) -> u64 {
        self.malformed
    }

    fn input(&mut self, input: Input<'_>) {
        if self.ended {
            return;
        }
        self.fed += 1;
        if self.rtc.handle_input(input).is_err() {
            self.end();
        }
    }

    /// Takes everything str0m has to say.
    fn pump(&mut self) {
        self.fed = 0;
        while !self.ended {
            match self.rtc.poll_output() {
                Ok(Output::Transmit(transmit)) => self.transmit(transmit),
                Ok(Output::Event(event)) => self.event(event),
                Ok(Output::Timeout(at)) => {
                    self.wake = at;
                    return;
                }
                Err(_) => self.end(),
            }
        }
    }

    fn transmit(&mut self, transmit: str0m::net::Transmit) {
        let transport = if transmit.proto == Protocol::Udp { Transport::Udp } else { Transport::Tcp };
        self.outputs.push_back(ConnectionOutput::Transmit(Transmit {
            transport,
            source: transmit.source,
            destination: transmit.destination,
            contents: transmit.contents.into(),
        }));
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Connected => self.push(ConnectionEvent::Connected),
            Event::IceConnectionStateChange(state) => self.ice_state(state),
            Event::ChannelOpen(id, label) => {
                if let Some(kind) = self.channels.opened(id, &label) {
                    self.push(ConnectionEvent::ChannelOpen(kind));
                }
            }
            Event::ChannelClose(id) => {
                if let Some(kind) = self.channels.closed(id) {
                    self.push(ConnectionEvent::ChannelClosed(kind));
                }
            }
            Event::ChannelData(data) => {
                if let Some(kind) = self.channels.kind(data.id) {
                    self.push(ConnectionEvent::Message(kind, Bytes::from(data.data)));
                }
            }
            Event::Closed => self.end(),
            // Media is not forwarded yet; a low buffer shows in `buffered`, which is read after each input.
            _ => {}
        }
    }

    fn ice_state(&mut self, state: IceConnectionState) {
        match state {
            IceConnectionState::Disconnected if !self.interrupted => {
                self.interrupted = true;
                self.push(ConnectionEvent::Interrupted);
            }
            IceConnectionState::Connected | IceConnectionState::Completed if self.interrupted => {
                self.interrupted = false;
                self.push(ConnectionEvent::Restored);
            }
            _ => {}
        }
    }

    fn push(&mut self, event: ConnectionEvent) {
        self.outputs.push_back(ConnectionOutput::Event(event));
    }

    fn end(&mut self) {
        if !self.ended {
            self.ended = true;
            self.channels = Channels::default();
            self.push(ConnectionEvent::Closed);
        }
    }

    fn changed(&mut self, now: Instant) {
        self.input(Input::Timeout(now));
        self.pump();
    }

    fn is_server(&self) -> bool {
        matches!(self.role, Role::Answering | Role::Offering)
    }
}

impl Connection for Str0m {
    type Error = Str0mError;

    fn handle_datagram(
        &mut self,
        transport: Transport,
        source: SocketAddr,
        destination: SocketAddr,
        contents: &[u8],
        now: Instant,
    ) {
        let protocol = match transport {
            Transport::Udp => Protocol::Udp,
            Transport::Tcp => Protocol::Tcp,
        };
        let Ok(receive) = Receive::new(protocol, source, destination, contents) else {
            self.malformed += 1;
            return;
        };
        self.input(Input::Receive(now, receive));
        // str0m holds one RTP packet between polls: a second one would take its place.
        let media = contents.first().is_some_and(|first| first & 0xC0 == 0x80);
        if media || self.fed >= FED_MAX {
            self.pump();
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.input(Input::Timeout(now));
    }

    fn poll_output(&mut self) -> ConnectionOutput {
        if self.outputs.is_empty() && self.fed > 0 {
            self.pump();
        }
        let never = self.wake + NEVER;
        let wake = if self.ended { never } else { self.wake };
        self.outputs.pop_front().unwrap_or(ConnectionOutput::Timeout(wake))
    }

    fn accept_offer(&mut self, sdp: &str, now: Instant) -> Result<String, Str0mError> {
        if self.ended {
            return Err(Str0mError::Ended);
        }
        let offer = sdp::check(sdp)?;
        let offer = if self.is_server() { sdp::without_unused_media(offer) } else { offer.into() };
        let offer = SdpOffer::from_sdp_string(&offer).map_err(unusable)?;
        let answer = self.rtc.sdp_api().accept_offer(offer).map_err(unusable)?;
        self.changed(now);
        Ok(answer.to_sdp_string())
    }

    fn create_offer(&mut self, ice_restart: bool, now: Instant) -> Result<Option<String>, Str0mError> {
        if self.ended {
            return Err(Str0mError::Ended);
        }
        if self.pending.is_some() {
            return Ok(None);
        }
        let mut api = self.rtc.sdp_api();
        if ice_restart {
            api.ice_restart(true);
        }
        if self.channels.announce() {
            for config in channels::configs() {
                api.add_channel_with_config(config);
            }
        }
        let Some((offer, pending)) = api.apply() else { return Ok(None) };
        self.pending = Some(pending);
        self.changed(now);
        Ok(Some(offer.to_sdp_string()))
    }

    fn accept_answer(&mut self, sdp: &str, now: Instant) -> Result<(), Str0mError> {
        let answer = SdpAnswer::from_sdp_string(sdp::check(sdp)?).map_err(unusable)?;
        let pending = self.pending.take().ok_or(Str0mError::NoOffer)?;
        self.rtc.sdp_api().accept_answer(pending, answer).map_err(unusable)?;
        self.changed(now);
        Ok(())
    }

    fn add_remote_candidate(&mut self, candidate: &str) -> Result<(), Str0mError> {
        // A server is ICE-lite: it answers whoever knocks and needs no candidate, but a garbled one is told.
        let text = candidate.trim().trim_start_matches("a=");
        if self.ended || self.remote_candidates >= REMOTE_CANDIDATES_MAX || sdp::is_hidden_candidate(text) {
            return Ok(());
        }
        self.remote_candidates += 1;
        let parsed =
            Candidate::from_sdp_string(text).map_err(|error| Str0mError::Candidate(error.to_string()))?;
        if !self.is_server() {
            self.rtc.add_remote_candidate(parsed);
            self.fed += 1;
        }
        Ok(())
    }

    fn local_ufrag(&mut self) -> String {
        self.rtc.direct_api().local_ice_credentials().ufrag
    }

    fn write(&mut self, channel: ChannelKind, message: &[u8]) -> bool {
        let Some(id) = self.channels.id(channel).filter(|_| !self.ended) else { return false };
        let Some(mut channel) = self.rtc.channel(id) else { return false };
        match channel.write(true, message) {
            Ok(accepted) => {
                self.fed += u32::from(accepted);
                accepted
            }
            Err(_) => false,
        }
    }

    fn is_open(&self, channel: ChannelKind) -> bool {
        !self.ended && self.channels.id(channel).is_some()
    }

    fn buffered(&mut self, channel: ChannelKind) -> usize {
        let id = self.channels.id(channel);
        id.and_then(|id| self.rtc.channel(id)).map_or(0, |mut channel| channel.buffered_amount())
    }

    fn close(&mut self, now: Instant) {
        if !self.ended && self.rtc.close().is_ok() {
            self.changed(now);
        }
    }
}

fn unusable(error: impl std::fmt::Display) -> Str0mError {
    Str0mError::Unusable(error.to_string())
}

/// A host candidate of ours; ICE/TCP is passive.
fn host_candidate(transport: Transport, address: SocketAddr) -> Option<Candidate> {
    match transport {
        Transport::Udp => Candidate::host(address, Protocol::Udp).ok(),
        Transport::Tcp => Candidate::builder().tcp().host(address).tcptype(TcpType::Passive).build().ok(),
    }
}
