//! A connection over str0m: ICE, DTLS and descriptions are its, the association over them is ours. This module and its children
//! are all that knows str0m.
//!
//! Once the handshake is done, DTLS datagrams pass it by: they go straight to the DTLS instance and the association, which
//! saves a pass over all of str0m for each record.

mod addresses;
mod association;
mod error;
mod factory;
mod pump;
mod tap;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::channel::ChannelConfig;
use str0m::{Candidate, Rtc};

use crate::connection::{
    ChannelKind, Connection, ConnectionCounters, ConnectionOutput, Datagram, LocalAddress, Role, Transport,
};
use crate::sctp::Sctp;
use crate::sdp;

use addresses::Addresses;
pub use error::Str0mError;
pub use factory::Str0mFactory;
use tap::Tap;

/// Candidates of the other side that are looked at; an ICE-lite server needs none of them.
const REMOTE_CANDIDATES_MAX: u32 = 256;
/// Outputs for which room is kept when all have been taken.
const OUTPUTS_KEPT: usize = 32;

/// A connection over str0m.
pub struct Str0m {
    rtc: Rtc,
    role: Role,
    tap: Tap,
    sctp: Sctp,
    /// Where records go, as far as known; what may change it makes it unknown.
    route: Option<Route>,
    addresses: Addresses,
    pending: Option<SdpPendingOffer>,
    /// Our offers have a section for channels.
    announced: bool,
    outputs: VecDeque<ConnectionOutput>,
    now: Instant,
    /// When str0m wants to be called.
    wake: Instant,
    /// Inputs whose outputs have not been taken from str0m yet.
    fed: u32,
    /// The association has been given something.
    stirred: bool,
    connected: bool,
    interrupted: bool,
    /// We have said goodbye.
    closing: bool,
    ended: bool,
    /// In our latest description; an offered restart is not in effect before it is answered.
    ufrag: Option<String>,
    remote_message_bytes_max: Option<usize>,
    remote_candidates: u32,
    malformed: u64,
}

/// From where to where records go.
#[derive(Debug, Clone, Copy)]
struct Route {
    transport: Transport,
    source: SocketAddr,
    destination: SocketAddr,
}

impl Str0m {
    fn new(role: Role, (rtc, addresses): (Rtc, Addresses), (tap, sctp): (Tap, Sctp), now: Instant) -> Self {
        Self {
            rtc,
            role,
            tap,
            sctp,
            route: None,
            addresses,
            pending: None,
            announced: false,
            outputs: VecDeque::new(),
            now,
            wake: now,
            fed: 1,
            stirred: false,
            connected: false,
            interrupted: false,
            closing: false,
            ended: false,
            ufrag: None,
            remote_message_bytes_max: None,
            remote_candidates: 0,
            malformed: 0,
        }
    }

    fn is_server(&self) -> bool {
        matches!(self.role, Role::Answering | Role::Offering)
    }

    fn check_alive(&self) -> Result<(), Str0mError> {
        if self.ended || self.closing { Err(Str0mError::Ended) } else { Ok(()) }
    }

    /// Puts a description of the other side into effect. str0m asserts what a description that
    /// contradicts itself can break (a payload type that is two codecs, for one), so that is caught
    /// here, and costs this connection.
    fn apply<T>(
        &mut self,
        remote: &str,
        now: Instant,
        act: impl FnOnce(&mut Rtc) -> Result<T, str0m::RtcError>,
    ) -> Result<T, Str0mError> {
        let Ok(result) = catch_unwind(AssertUnwindSafe(|| act(&mut self.rtc))) else {
            self.end();
            return Err(Str0mError::Contradiction);
        };
        if result.is_ok() {
            // Only the first one counts: SCTP has begun with it.
            let bytes = *self.remote_message_bytes_max.get_or_insert_with(|| sdp::message_bytes_max(remote));
            self.sctp.set_remote_message_bytes_max(bytes);
        } else if !self.rtc.is_alive() {
            self.end();
        }
        self.changed(now);
        Ok(result?)
    }

    /// Our description is about to be sent.
    fn describe(&mut self, local: String) -> String {
        self.ufrag = sdp::ufrag(&local).map(str::to_owned);
        local
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
        self.receive(Datagram { transport, source, destination, contents }, now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.time_passed(now);
    }

    fn poll_output(&mut self) -> ConnectionOutput {
        if self.outputs.is_empty() {
            self.work();
        }
        self.outputs.pop_front().unwrap_or_else(|| self.timeout())
    }

    fn accept_offer(&mut self, sdp: &str, now: Instant) -> Result<String, Str0mError> {
        self.check_alive()?;
        sdp::check(sdp)?;
        let offer = if self.is_server() {
            SdpOffer::from_sdp_string(&sdp::offer_for_server(sdp))?
        } else {
            SdpOffer::from_sdp_string(&sdp::for_client(sdp))?
        };
        let answer = self.apply(sdp, now, |rtc| Ok(rtc.sdp_api().accept_offer(offer)?.to_sdp_string()))?;
        Ok(self.describe(answer))
    }

    fn create_offer(&mut self, ice_restart: bool, now: Instant) -> Result<Option<String>, Str0mError> {
        self.check_alive()?;
        if self.pending.is_some() {
            return Ok(None);
        }
        let mut api = self.rtc.sdp_api();
        if ice_restart {
            api.ice_restart(true);
        }
        if !std::mem::replace(&mut self.announced, true) {
            // For its section alone: the association's channels are not str0m's.
            api.add_channel_with_config(ChannelConfig::default());
        }
        let Some((offer, pending)) = api.apply() else { return Ok(None) };
        self.pending = Some(pending);
        self.changed(now);
        Ok(Some(self.describe(offer.to_sdp_string())))
    }

    fn accept_answer(&mut self, sdp: &str, now: Instant) -> Result<(), Str0mError> {
        self.check_alive()?;
        sdp::check(sdp)?;
        let answer = if self.is_server() {
            SdpAnswer::from_sdp_string(&sdp::answer_for_server(sdp))?
        } else {
            SdpAnswer::from_sdp_string(&sdp::for_client(sdp))?
        };
        let pending = self.pending.take().ok_or(Str0mError::NoOffer)?;
        self.apply(sdp, now, |rtc| rtc.sdp_api().accept_answer(pending, answer))
    }

    fn add_remote_candidate(&mut self, candidate: &str) -> Result<(), Str0mError> {
        let text = candidate.trim();
        let text = text.strip_prefix("a=").unwrap_or(text);
        let parsed = Candidate::from_sdp_string(text);
        if parsed.is_err() && !sdp::is_candidate(text) {
            return Err(Str0mError::Candidate);
        }
        let wanted = !self.is_server() && !self.ended && self.remote_candidates < REMOTE_CANDIDATES_MAX;
        if let Some(parsed) = parsed.ok().filter(|_| wanted) {
            self.remote_candidates += 1;
            self.rtc.add_remote_candidate(parsed);
            self.fed += 1;
        }
        Ok(())
    }

    fn add_local_address(&mut self, address: LocalAddress) {
        if !self.ended && self.addresses.add(&mut self.rtc, address) {
            self.fed += 1;
        }
    }

    fn local_ufrag(&mut self) -> String {
        match &self.ufrag {
            Some(ufrag) => ufrag.clone(),
            None => self.rtc.direct_api().local_ice_credentials().ufrag,
        }
    }

    fn write(&mut self, channel: ChannelKind, message: &[u8]) -> bool {
        let accepted = !self.closing && !self.ended && self.sctp.write(channel, message);
        self.stirred |= accepted;
        accepted
    }

    fn is_open(&self, channel: ChannelKind) -> bool {
        !self.closing && !self.ended && self.sctp.is_open(channel)
    }

    fn buffered(&mut self, channel: ChannelKind) -> usize {
        self.sctp.buffered(channel)
    }

    fn message_bytes_max(&self) -> usize {
        self.remote_message_bytes_max.unwrap_or(usize::MAX).min(self.sctp.buffered_bytes_max())
    }

    fn counters(&self) -> ConnectionCounters {
        ConnectionCounters {
            malformed_datagrams: self.malformed + self.sctp.malformed(),
            unknown_channels: self.sctp.unknown_channels(),
            refused_addresses: self.addresses.refused(),
        }
    }

    fn close(&mut self, now: Instant) {
        if self.ended || self.closing {
            return;
        }
        self.advance(now);
        self.say_goodbye();
    }
}
