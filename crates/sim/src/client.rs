//! A raw protocol client: everything an official client does with data tracks, and nothing it would
//! hide. It keeps no secrets about order or loss: every packet, frame and message is an event.

mod config;
mod event;
mod local;
mod remote;
mod uplink;

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use bytes::Bytes;
use trackyard_peer::{
    ChannelKind, Connection, ConnectionEvent, ConnectionFactory, ConnectionOutput, Datagram, Role, Target,
};
use trackyard_proto::client::{ClientInfo, ConnectionSettings};
use trackyard_proto::join::JoinRequest;
use trackyard_proto::signal::{
    DataSubscription, DataTrackPublication, LeaveRequest, PublishDataTrack, SessionDescription,
    SubscriptionOptions, SyncState,
};
use trackyard_proto::{DisconnectReason, Request, Response};
use trackyard_wire::Handle;

pub use config::ClientConfig;
pub use event::{ClientEvent, ClientOutput, Pushed, ReceivedFrame};
use local::LocalTrack;
use remote::RemoteTracks;
use uplink::Uplink;

/// A client's side of one session.
pub struct Client<F: ConnectionFactory> {
    /// For the publisher's and the subscriber's connection: each has its own address.
    factories: [F; 2],
    config: ClientConfig,
    publisher: F::Connection,
    subscriber: Option<F::Connection>,
    uplink: Uplink,
    local: HashMap<u16, LocalTrack>,
    remote: RemoteTracks,
    outputs: VecDeque<ClientOutput>,
    sid: String,
    offer_id: u32,
    wakes: [Option<Instant>; 2],
}

impl<F: ConnectionFactory> Client<F> {
    /// A client that has not joined yet.
    pub fn new(factories: [F; 2], config: ClientConfig, now: Instant) -> Self {
        let publisher = factories[0].open(Role::ClientOffering, now);
        Self {
            factories,
            publisher,
            uplink: Uplink::new(config.uplink_bytes_max),
            config,
            subscriber: None,
            local: HashMap::new(),
            remote: RemoteTracks::default(),
            outputs: VecDeque::new(),
            sid: String::new(),
            offer_id: 0,
            wakes: [None; 2],
        }
    }

    /// What to join with. In single mode it carries the first offer.
    pub fn join_request(&mut self, now: Instant) -> JoinRequest {
        let publisher_offer = if self.config.single { self.next_offer(false, now) } else { None };
        JoinRequest { publisher_offer, ..self.request() }
    }

    /// What to come back to the same session with.
    pub fn resume_request(&self) -> JoinRequest {
        JoinRequest { reconnect: true, participant_sid: self.sid.clone(), ..self.request() }
    }

    /// One connection instead of two.
    pub fn is_single(&self) -> bool {
        self.config.single
    }

    /// The participant's sid, once joined.
    pub fn sid(&self) -> &str {
        &self.sid
    }

    /// Asks to publish a data track under a handle.
    pub fn publish(&mut self, handle: u16, name: &str) {
        if let Some(valid) = Handle::new(handle) {
            self.local.insert(handle, LocalTrack::new(valid, self.config.packet_bytes_max));
        }
        self.signal(Request::PublishDataTrack(PublishDataTrack::new(u32::from(handle), name)));
    }

    /// Asks to unpublish whatever has this handle.
    pub fn unpublish(&mut self, handle: u16) {
        self.local.remove(&handle);
        self.signal(Request::unpublish_data_track(u32::from(handle)));
    }

    /// Asks for a track's frames.
    pub fn subscribe(&mut self, sid: &str) {
        self.update_subscription(sid, true);
    }

    /// No longer asks for a track's frames. What is on its way still shows.
    pub fn unsubscribe(&mut self, sid: &str) {
        self.update_subscription(sid, false);
    }

    /// Sends a frame whole, or drops it whole if too much is waiting.
    pub fn push(&mut self, handle: u16, payload: &[u8], now: Instant) -> Pushed {
        let Some(track) = self.local.get_mut(&handle) else { return Pushed::Unpublished };
        if !self.uplink.has_room() {
            return Pushed::Dropped;
        }
        for packet in track.packets(payload) {
            self.uplink.push(packet);
        }
        // Timers of what is written start from what the connection takes for now.
        self.publisher.handle_timeout(now);
        self.flush(now);
        Pushed::Accepted
    }

    /// Sends one message on a channel as it is, well formed or not.
    pub fn send_raw(&mut self, channel: ChannelKind, message: &[u8], now: Instant) -> bool {
        self.publisher.handle_timeout(now);
        let accepted = self.publisher.write(channel, message);
        self.drain(Target::Publisher, now);
        accepted
    }

    /// Sends any request.
    pub fn signal(&mut self, request: Request) {
        self.outputs.push_back(ClientOutput::Signal(request));
    }

    /// Says goodbye.
    pub fn leave(&mut self, now: Instant) {
        self.signal(Request::Leave(LeaveRequest { reason: DisconnectReason::ClientInitiated }));
        self.publisher.close(now);
        self.drain(Target::Publisher, now);
        if let Some(subscriber) = &mut self.subscriber {
            subscriber.close(now);
            self.drain(Target::Subscriber, now);
        }
    }

    /// Offers again, with new ICE credentials if asked for.
    pub fn offer(&mut self, ice_restart: bool, now: Instant) {
        if let Some(offer) = self.next_offer(ice_restart, now) {
            self.signal(Request::Offer(offer));
        }
        self.drain(Target::Publisher, now);
    }

    /// A message of the server.
    pub fn handle_signal(&mut self, response: Response, now: Instant) {
        match response {
            Response::Join(join) => {
                self.sid.clone_from(&join.participant.sid);
                self.remote.update(&join.other_participants);
                if !self.config.single {
                    self.offer(false, now);
                }
                self.event(ClientEvent::Joined(join));
            }
            Response::Reconnect(reconnect) => self.resumed(reconnect.last_message_seq, now),
            Response::Offer(offer) => self.answer(&offer, now),
            Response::Answer(answer) => self.answered(&answer, now),
            Response::Update(participants) => {
                self.remote.update(&participants);
                self.event(ClientEvent::Update(participants));
            }
            Response::DataTrackPublished(DataTrackPublication { info, .. }) => {
                if let Some(track) = self.local.get_mut(&info.pub_handle) {
                    track.sid = Some(info.sid.clone());
                }
                self.event(ClientEvent::Published(info));
            }
            Response::SubscriberHandles(handles) => {
                for handle in &handles {
                    let announced = self.remote.assign(handle);
                    self.event(ClientEvent::Handle { handle: handle.clone(), announced });
                }
            }
            other => self.event(ClientEvent::Other(Box::new(other))),
        }
    }

    /// The signal connection has ended; whoever drives the client decides what follows.
    pub fn note_signal_closed(&mut self) {
        self.event(ClientEvent::SignalClosed);
    }

    /// A datagram has come for one of the connections.
    pub fn handle_datagram(&mut self, target: Target, datagram: Datagram<'_>, now: Instant) {
        let Datagram { transport, source, destination, contents } = datagram;
        if let Some(connection) = self.connection(target) {
            connection.handle_datagram(transport, source, destination, contents, now);
            self.drain(target, now);
            self.flush(now);
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        for target in [Target::Publisher, Target::Subscriber] {
            if let Some(connection) = self.connection(target) {
                connection.handle_timeout(now);
                self.drain(target, now);
            }
        }
        self.flush(now);
    }

    /// What comes next; drain it after every call.
    pub fn poll_output(&mut self) -> ClientOutput {
        self.outputs
            .pop_front()
            .unwrap_or_else(|| ClientOutput::Timeout(self.wakes.iter().flatten().min().copied()))
    }

    /// Frames and packets of this client, both ways.
    pub fn uplink_dropped(&self) -> u64 {
        self.uplink.dropped()
    }

    fn request(&self) -> JoinRequest {
        JoinRequest {
            client: ClientInfo { sdk: "rust".to_owned(), protocol: 17, ..ClientInfo::default() },
            settings: ConnectionSettings { auto_subscribe: true, ..ConnectionSettings::default() },
            ..JoinRequest::default()
        }
    }

    fn next_offer(&mut self, ice_restart: bool, now: Instant) -> Option<SessionDescription> {
        let sdp = match self.publisher.create_offer(ice_restart, now) {
            Ok(sdp) => sdp?,
            Err(error) => {
                self.event(ClientEvent::Failed(error.to_string()));
                return None;
            }
        };
        self.offer_id += 1;
        Some(SessionDescription { id: self.offer_id, sdp, ..SessionDescription::default() })
    }

    fn answer(&mut self, offer: &SessionDescription, now: Instant) {
        let [_, factory] = &self.factories;
        let subscriber = self.subscriber.get_or_insert_with(|| factory.open(Role::ClientAnswering, now));
        match subscriber.accept_offer(&offer.sdp, now) {
            Ok(sdp) => {
                let answer = SessionDescription { id: offer.id, sdp, ..SessionDescription::default() };
                self.signal(Request::Answer(answer));
            }
            Err(error) => self.event(ClientEvent::Failed(error.to_string())),
        }
        self.drain(Target::Subscriber, now);
    }

    fn answered(&mut self, answer: &SessionDescription, now: Instant) {
        if answer.id != 0 && answer.id != self.offer_id {
            return;
        }
        if let Err(error) = self.publisher.accept_answer(&answer.sdp, now) {
            self.event(ClientEvent::Failed(error.to_string()));
        }
        self.drain(Target::Publisher, now);
    }

    fn resumed(&mut self, last_message_seq: u32, now: Instant) {
        let published = self.local.values().filter_map(|track| track.sid.clone().map(Some)).collect();
        let state = SyncState { publish_data_tracks: published, ..SyncState::default() };
        self.signal(Request::SyncState(Box::new(state)));
        self.event(ClientEvent::Resumed { last_message_seq });
        self.offer(true, now);
    }

    fn update_subscription(&mut self, sid: &str, subscribe: bool) {
        let update = DataSubscription {
            track_sid: sid.to_owned(),
            subscribe,
            options: SubscriptionOptions::default(),
        };
        self.signal(Request::UpdateDataSubscription(vec![update]));
    }

    fn connection(&mut self, target: Target) -> Option<&mut F::Connection> {
        match target {
            Target::Publisher => Some(&mut self.publisher),
            Target::Subscriber => self.subscriber.as_mut(),
        }
    }

    fn flush(&mut self, now: Instant) {
        if self.uplink.flush(&mut self.publisher) {
            self.drain(Target::Publisher, now);
        }
    }

    fn drain(&mut self, target: Target, now: Instant) {
        loop {
            let Some(connection) = self.connection(target) else { return };
            match connection.poll_output() {
                ConnectionOutput::Transmit(transmit) => {
                    self.outputs.push_back(ClientOutput::Transmit(target, transmit));
                }
                ConnectionOutput::Event(event) => self.connection_event(target, event, now),
                ConnectionOutput::Timeout(at) => {
                    self.wakes[target as usize] = Some(at);
                    return;
                }
            }
        }
    }

    fn connection_event(&mut self, target: Target, event: ConnectionEvent, now: Instant) {
        match event {
            ConnectionEvent::Message(ChannelKind::DataTrack, packet) => self.packet(&packet, now),
            ConnectionEvent::Message(kind, message) => self.event(ClientEvent::Message(kind, message)),
            ConnectionEvent::Connected => self.event(ClientEvent::Connected(target)),
            ConnectionEvent::ChannelOpen(kind) => self.event(ClientEvent::ChannelOpen(target, kind)),
            ConnectionEvent::Closed => self.event(ClientEvent::Closed(target)),
            ConnectionEvent::Interrupted | ConnectionEvent::Restored | ConnectionEvent::ChannelClosed(_) => {}
        }
    }

    fn packet(&mut self, packet: &Bytes, now: Instant) {
        for event in self.remote.packet(packet, now) {
            self.event(event);
        }
    }

    fn event(&mut self, event: ClientEvent) {
        self.outputs.push_back(ClientOutput::Event(event));
    }
}
