//! The SCTP association of one connection and its data channels (RFC 8831), over the `sctp-proto` crate.
//!
//! Records come in decrypted and go out to be encrypted; it knows neither DTLS nor addresses. Inputs are taken as they come,
//! and what is to be sent is gathered once for all of them: each gathering looks through all that is in flight.

mod channels;
mod chunk;
mod dcep;
mod flight;
mod guard;
mod transmit;

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use sctp_proto::{
    Association, AssociationHandle, Chunks, ClientConfig, DatagramEvent, Endpoint, EndpointConfig, Event,
    PayloadProtocolIdentifier as Ppi, ReliabilityType, ServerConfig, StreamEvent, TransportConfig,
};

use crate::connection::{ChannelKind, ConnectionEvent};
use channels::{Channels, KINDS, Opened, delivery};
use dcep::{ACKNOWLEDGEMENT, Dcep, Delivery};
use flight::Flight;
use guard::Guard;

/// Associations have addresses; records do not.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 5_000);
/// What may wait here to be put together and taken.
const RECEIVE_BYTES_MAX: u32 = 1024 * 1024;
/// Before a round trip is known (RFC 9260 §16).
const RTO_INITIAL_MS: u64 = 1_000;
/// Twice what a receiver may withhold an acknowledgement. The recommended second would stand still too long after a loss
/// at a stream's end.
const RTO_MIN_MS: u64 = 400;
/// A path that returns after an interruption is noticed within this; with the recommended minute it may take as long again as
/// the interruption.
const RTO_MAX_MS: u64 = 2_000;
/// What DTLS and SCTP add to a message in a datagram.
const OVERHEAD_BYTES: usize = 88;

/// What an association may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SctpConfig {
    /// Target size of a datagram.
    pub(crate) mtu: usize,
    /// The longest message that is taken.
    pub(crate) message_bytes_max: u32,
    /// Bytes that a channel may hold, in flight included.
    pub(crate) buffered_bytes_max: usize,
    /// This side makes the three channels.
    pub(crate) makes_channels: bool,
}

/// An association that is to be, is, or has been.
pub(crate) struct Sctp {
    endpoint: Endpoint,
    transport: Arc<TransportConfig>,
    association: Option<(AssociationHandle, Association)>,
    config: SctpConfig,
    channels: Channels,
    guard: Guard,
    flight: Flight,
    events: VecDeque<ConnectionEvent>,
    remote_message_bytes_max: u32,
    /// The other side has set out to be the initiator; stream numbers follow from it.
    is_client: bool,
    malformed: u64,
}

impl Sctp {
    /// An association that the other side begins, unless [`connect`](Self::connect) is called.
    pub(crate) fn new(config: SctpConfig) -> Self {
        let mut endpoint = EndpointConfig::new();
        endpoint.max_payload_size(config.mtu.saturating_sub(OVERHEAD_BYTES) as u32);
        let transport = Arc::new(transport(config.message_bytes_max));
        let mut server = ServerConfig::new();
        server.transport = Arc::clone(&transport);
        Self {
            endpoint: Endpoint::new(Arc::new(endpoint), Some(Arc::new(server))),
            transport,
            association: None,
            config,
            channels: Channels::default(),
            guard: Guard::default(),
            flight: Flight::default(),
            events: VecDeque::new(),
            remote_message_bytes_max: 64 * 1024,
            is_client: false,
            malformed: 0,
        }
    }

    /// The longest message that the other side takes.
    pub(crate) fn set_remote_message_bytes_max(&mut self, bytes: usize) {
        self.remote_message_bytes_max = u32::try_from(bytes).unwrap_or(u32::MAX);
        if let Some((_, association)) = &mut self.association {
            association.set_max_send_message_size(self.remote_message_bytes_max);
        }
    }

    /// Begins the association.
    pub(crate) fn connect(&mut self) {
        let mut config = ClientConfig::new();
        config.transport = Arc::clone(&self.transport);
        self.is_client = true;
        self.endpoint.reject_new_associations();
        match self.endpoint.connect(config, NOWHERE) {
            Ok(association) => self.association = Some(association),
            Err(_) => self.events.push_back(ConnectionEvent::Closed),
        }
    }

    /// A record has come. One that is malformed is counted and forgotten.
    pub(crate) fn handle_record(&mut self, record: Bytes, now: Instant) {
        if !self.guard.admits(&record) {
            self.malformed += 1;
            return;
        }
        let record = self.flight.received(record, now);
        self.feed(record, now);
    }

    /// The association takes a record.
    fn feed(&mut self, record: Bytes, now: Instant) {
        let Some((handle, event)) = self.endpoint.handle(now, NOWHERE, None, None, record) else {
            // The first packet of an association is answered by the endpoint itself, and it too says nothing.
            return;
        };
        match (event, &mut self.association) {
            (DatagramEvent::NewAssociation(association), None) => {
                self.association = Some((handle, association));
                // A connection has one (RFC 8831 §6.1), and others would only cost memory.
                self.endpoint.reject_new_associations();
            }
            (DatagramEvent::AssociationEvent(event), Some((known, association))) if *known == handle => {
                association.handle_event(event);
            }
            _ => self.malformed += 1,
        }
    }

    /// Time has passed.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if let Some((_, association)) = &mut self.association {
            association.handle_timeout(now);
            self.flight.handle_timeout(now);
        }
    }

    /// When it wants to be called.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let association = self.association.as_ref()?.1.poll_timeout();
        [association, self.flight.poll_timeout()].into_iter().flatten().min()
    }

    /// What has happened.
    pub(crate) fn poll_event(&mut self) -> Option<ConnectionEvent> {
        if self.events.is_empty() {
            self.collect();
        }
        self.events.pop_front()
    }

    /// Queues a message whole, or not at all.
    pub(crate) fn write(&mut self, kind: ChannelKind, message: &[u8]) -> bool {
        let is_bounded = kind == ChannelKind::DataTrack && self.flight.is_bounded();
        let ordered_waits = is_bounded && self.held(ChannelKind::Reliable) > 0;
        let Some(mut stream) = stream(&mut self.association, self.channels.stream(kind)) else {
            return false;
        };
        let held = stream.buffered_amount().unwrap_or(usize::MAX);
        let is_full = kind != ChannelKind::Reliable && self.flight.is_full();
        let is_enough = is_bounded && self.flight.holds_enough(held, ordered_waits);
        if is_full || is_enough || held.saturating_add(message.len()) > self.config.buffered_bytes_max {
            return false;
        }
        // SCTP knows no empty message (RFC 8831 §6.6).
        let (ppi, message) =
            if message.is_empty() { (Ppi::BinaryEmpty, &[0][..]) } else { (Ppi::Binary, message) };
        stream.write_with_ppi(message, ppi).is_ok()
    }

    /// Bytes queued or in flight on a channel.
    pub(crate) fn buffered(&mut self, kind: ChannelKind) -> usize {
        let assumed = if kind == ChannelKind::DataTrack { self.flight.assumed_bytes() } else { 0 };
        self.held(kind) + assumed
    }

    /// Bytes of a channel that the association holds.
    fn held(&mut self, kind: ChannelKind) -> usize {
        let stream = stream(&mut self.association, self.channels.stream(kind));
        stream.and_then(|stream| stream.buffered_amount().ok()).unwrap_or(0)
    }

    pub(crate) fn is_open(&self, kind: ChannelKind) -> bool {
        self.channels.stream(kind).is_some()
    }

    /// Bytes that a channel may hold.
    pub(crate) fn buffered_bytes_max(&self) -> usize {
        self.config.buffered_bytes_max
    }

    /// Channels with labels that mean nothing here.
    pub(crate) fn unknown_channels(&self) -> u64 {
        self.channels.unknown_count()
    }

    /// Records that were of no association, or more than one may leave here.
    pub(crate) fn malformed(&self) -> u64 {
        self.malformed
    }

    /// Says goodbye, as far as nothing is in flight.
    pub(crate) fn shut_down(&mut self) {
        if let Some((_, association)) = &mut self.association {
            // One that is not established has nobody to say goodbye to.
            let _ = association.shutdown();
        }
    }

    /// The connection below has ended.
    pub(crate) fn end(&mut self) {
        self.channels.end();
        self.guard = Guard::default();
        self.flight = Flight::default();
        self.events.clear();
        self.association = None;
    }

    fn collect(&mut self) {
        while let Some(event) = self.next_event() {
            match event {
                Event::Connected => self.established(),
                Event::AssociationLost { .. } | Event::HandshakeFailed { .. } => {
                    self.channels.end();
                    self.events.push_back(ConnectionEvent::Closed);
                }
                Event::Stream(StreamEvent::Opened { id } | StreamEvent::Readable { id }) => self.read(id),
                Event::Stream(StreamEvent::Finished { id } | StreamEvent::Stopped { id, .. }) => {
                    self.finished(id)
                }
                _ => {}
            }
        }
    }

    fn next_event(&mut self) -> Option<Event> {
        let (handle, association) = self.association.as_mut()?;
        // Streams are known by what they carry.
        while association.accept_stream().is_some() {}
        while let Some(event) = association.poll_endpoint_event() {
            if let Some(event) = self.endpoint.handle_event(*handle, event) {
                association.handle_event(event);
            }
        }
        association.poll()
    }

    fn established(&mut self) {
        let Some((_, association)) = &mut self.association else { return };
        association.set_max_send_message_size(self.remote_message_bytes_max);
        if self.config.makes_channels {
            // The side that begins DTLS has the even numbers (RFC 8832 §6).
            let first = u16::from(!self.is_client);
            for (stream, kind) in (first..).step_by(2).zip(KINDS) {
                self.make(stream, kind);
            }
        }
    }

    fn make(&mut self, id: u16, kind: ChannelKind) {
        let Some((_, association)) = &mut self.association else { return };
        let Ok(mut stream) = association.open_stream(id, Ppi::Binary) else { return };
        self.channels.make(kind, id);
        if kind == ChannelKind::DataTrack {
            self.flight.set_tracks(id);
        }
        deliver(&mut stream, &mut self.flight, delivery(kind));
        // A stream that has just been made takes its first message.
        let _ = stream.write_with_ppi(&dcep::open(delivery(kind), kind.label()), Ppi::Dcep);
    }

    fn read(&mut self, id: u16) {
        while let Some(chunks) =
            stream(&mut self.association, Some(id)).and_then(|mut stream| stream.read().ok()?)
        {
            let Some(message) = whole(&chunks) else { continue };
            match chunks.ppi {
                Ppi::Dcep => self.negotiate(id, &message),
                Ppi::BinaryEmpty | Ppi::StringEmpty => self.message(id, Bytes::new()),
                Ppi::Binary | Ppi::String => self.message(id, message),
                Ppi::Unknown => self.malformed += 1,
            }
        }
    }

    fn message(&mut self, id: u16, message: Bytes) {
        match self.channels.kind(id) {
            Some(kind) => self.events.push_back(ConnectionEvent::Message(kind, message)),
            None => self.malformed += 1,
        }
    }

    fn negotiate(&mut self, id: u16, message: &[u8]) {
        match Dcep::parse(message) {
            Some(Dcep::Open(delivery, label)) => self.accept(id, delivery, label),
            Some(Dcep::Ack) => {
                let kind = self.channels.confirmed(id);
                self.events.extend(kind.map(ConnectionEvent::ChannelOpen));
            }
            None => {
                self.malformed += 1;
                self.close_stream(id);
            }
        }
    }

    fn accept(&mut self, id: u16, delivery: Delivery, label: &str) {
        let Some(mut stream) = stream(&mut self.association, Some(id)) else { return };
        deliver(&mut stream, &mut self.flight, delivery);
        if stream.write_with_ppi(&ACKNOWLEDGEMENT, Ppi::Dcep).is_err() {
            return self.close_stream(id);
        }
        match self.channels.opened(id, label) {
            Opened::Channel(kind, former) => {
                former.into_iter().for_each(|former| self.close_stream(former));
                if kind == ChannelKind::DataTrack {
                    self.flight.set_tracks(id);
                }
                self.events.push_back(ConnectionEvent::ChannelOpen(kind));
            }
            Opened::Unknown => {}
            Opened::TooMany => self.close_stream(id),
        }
    }

    /// The other side has ended a stream; ours ends with it (RFC 8831 §6.7).
    fn finished(&mut self, id: u16) {
        let kind = self.channels.closed(id);
        self.guard.ended(id);
        self.events.extend(kind.map(ConnectionEvent::ChannelClosed));
        self.close_stream(id);
    }

    fn close_stream(&mut self, id: u16) {
        if let Some(mut stream) = stream(&mut self.association, Some(id)) {
            // What is no longer established has no streams to end.
            let _ = stream.close();
        }
    }
}

/// ICE says when a connection has failed, so nothing here ever gives up.
fn transport(message_bytes_max: u32) -> TransportConfig {
    TransportConfig::default()
        .with_max_init_retransmits(None)
        .with_max_data_retransmits(None)
        .with_max_receive_buffer_size(RECEIVE_BYTES_MAX)
        .with_max_receive_message_size(message_bytes_max)
        .with_rto_initial_ms(RTO_INITIAL_MS)
        .with_rto_min_ms(RTO_MIN_MS)
        .with_rto_max_ms(RTO_MAX_MS)
}

fn stream(
    association: &mut Option<(AssociationHandle, Association)>,
    id: Option<u16>,
) -> Option<sctp_proto::Stream<'_>> {
    association.as_mut()?.1.stream(id?).ok()
}

fn deliver(stream: &mut sctp_proto::Stream<'_>, flight: &mut Flight, delivery: Delivery) {
    let Delivery { unordered, reliability, parameter } = delivery;
    flight.set_unrepeated(
        stream.stream_identifier(),
        unordered && reliability == ReliabilityType::Rexmit && parameter == 0,
    );
    // It fails for streams that are gone, and then there is nothing to deliver.
    let _ = stream.set_reliability_params(unordered, reliability, parameter);
}

/// A message whose pieces have all come.
fn whole(chunks: &Chunks) -> Option<Bytes> {
    let mut message = vec![0; chunks.len()];
    chunks.read(&mut message).ok()?;
    Some(message.into())
}

#[cfg(test)]
mod tests;
