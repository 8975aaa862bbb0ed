//! A session with the data tracks that this client publishes.

use std::collections::VecDeque;
use std::time::Instant;

use trackyard_peer::{ChannelKind, Connection, ConnectionFactory, Datagram, Target};
use trackyard_proto::Response;
use trackyard_proto::signal::SyncState;
use trackyard_track::{
    Encryptor, Frame, LocalOutput, LocalTrackId, LocalTrackStats, LocalTracks, LocalTracksConfig,
    PublishError, PublishOptions, PushError,
};

use crate::config::SessionConfig;
use crate::engine::Engine;
use crate::event::{EngineEvent, Output, SessionEvent, SignalFailure};

/// A session and what is published in it: what it carries over an interruption is published again, or still.
pub struct Session<F: ConnectionFactory> {
    engine: Engine<F>,
    local: LocalTracks,
    outputs: VecDeque<Output<SessionEvent>>,
    /// When the engine wants to be called.
    engine_wake: Option<Instant>,
}

impl<F: ConnectionFactory> Session<F> {
    /// Begins to join.
    pub fn new(config: SessionConfig, tracks: LocalTracksConfig, factories: [F; 2], now: Instant) -> Self {
        let mut session = Self {
            engine: Engine::new(config, factories, now),
            local: LocalTracks::new(tracks, now),
            outputs: VecDeque::new(),
            engine_wake: None,
        };
        session.settle(now);
        session
    }

    /// The session itself: whether it is up, and its end.
    pub fn engine(&self) -> &Engine<F> {
        &self.engine
    }

    /// What encrypts the frames of encrypted tracks from now on.
    pub fn set_encryptor(&mut self, encryptor: Option<Box<dyn Encryptor>>) {
        self.local.set_encryptor(encryptor);
    }

    /// Publishes a data track; what comes of it is a [`SessionEvent::Local`].
    ///
    /// # Errors
    /// [`PublishError`] if there is no need to ask the server.
    pub fn publish(&mut self, options: PublishOptions, now: Instant) -> Result<LocalTrackId, PublishError> {
        let track = self.local.publish(options, now);
        self.settle(now);
        track
    }

    /// Unpublishes a track and drops what waits; answers what it has counted.
    pub fn unpublish(&mut self, track: LocalTrackId, now: Instant) -> Option<LocalTrackStats> {
        let stats = self.local.unpublish(track);
        self.settle(now);
        stats
    }

    /// Pushes a frame, which is sent as soon as the path has room. Never blocks.
    ///
    /// # Errors
    /// [`PushError`] gives the frame back.
    pub fn try_push(&mut self, track: LocalTrackId, frame: Frame, now: Instant) -> Result<(), PushError> {
        let pushed = self.local.try_push(track, frame, now);
        self.settle(now);
        pushed
    }

    /// What a track has counted; nothing once it is gone.
    pub fn local_stats(&self, track: LocalTrackId) -> Option<LocalTrackStats> {
        self.local.stats(track)
    }

    /// A message of the server.
    pub fn handle_signal(&mut self, response: Response, now: Instant) {
        self.engine.handle_signal(response, now);
        self.settle(now);
    }

    /// The signal connection could not be opened.
    pub fn signal_failed(&mut self, failure: SignalFailure, now: Instant) {
        self.engine.signal_failed(failure, now);
        self.settle(now);
    }

    /// The signal connection has ended without a word.
    pub fn signal_closed(&mut self, now: Instant) {
        self.engine.signal_closed(now);
        self.settle(now);
    }

    /// A datagram has come for one of the connections.
    pub fn handle_datagram(&mut self, target: Target, datagram: Datagram<'_>, now: Instant) {
        self.engine.handle_datagram(target, datagram, now);
        self.settle(now);
    }

    /// Time has passed; `unix_ms` is what the server may see of the wall clock.
    pub fn handle_timeout(&mut self, unix_ms: i64, now: Instant) {
        self.engine.handle_timeout(unix_ms, now);
        self.local.handle_timeout(now);
        self.settle(now);
    }

    /// The network has changed: ICE begins anew over what there is now.
    pub fn network_changed(&mut self, now: Instant) {
        self.engine.network_changed(now);
        self.settle(now);
    }

    /// Ends it: says so, and closes everything.
    pub fn close(&mut self, now: Instant) {
        self.engine.close(now);
        self.settle(now);
    }

    /// What comes next.
    pub fn poll_output(&mut self) -> Output<SessionEvent> {
        self.outputs.pop_front().unwrap_or_else(|| {
            let wakes = [self.engine_wake, self.local.poll_timeout()];
            Output::Timeout(wakes.into_iter().flatten().min())
        })
    }

    /// Hands on what the parts have to say to each other, until none has anything left.
    fn settle(&mut self, now: Instant) {
        loop {
            let heard = self.drain_engine(now) | self.drain_local() | self.flush(now);
            if !heard {
                return;
            }
        }
    }

    fn drain_engine(&mut self, now: Instant) -> bool {
        let mut heard = false;
        loop {
            let output = match self.engine.poll_output() {
                Output::OpenSignal(request) => Output::OpenSignal(request),
                Output::CloseSignal => Output::CloseSignal,
                Output::Signal(request) => Output::Signal(request),
                Output::Transmit(target, transmit) => Output::Transmit(target, transmit),
                Output::Event(event) => {
                    heard = true;
                    self.engine_event(event, now);
                    continue;
                }
                Output::Timeout(at) => {
                    self.engine_wake = at;
                    return heard;
                }
            };
            self.outputs.push_back(output);
        }
    }

    fn engine_event(&mut self, event: EngineEvent, now: Instant) {
        match &event {
            EngineEvent::Joined(_) => self.local.restart(now),
            EngineEvent::Reconnecting { .. } | EngineEvent::Closed(_) => self.local.pause(),
            EngineEvent::Resumed => {
                let published = self.local.sync_state();
                let state = SyncState { publish_data_tracks: published, ..SyncState::default() };
                self.engine.sync(state, now);
                self.local.resume(now);
            }
            EngineEvent::Response(response) => self.local_answer(response, now),
            _ => {}
        }
        self.outputs.push_back(Output::Event(SessionEvent::Engine(event)));
    }

    /// Answers to what was asked for published tracks.
    fn local_answer(&mut self, response: &Response, now: Instant) {
        match response {
            Response::DataTrackPublished(info) => self.local.published(info),
            Response::DataTrackUnpublished(info) => self.local.unpublished(info),
            Response::RequestResponse { reason, message, echo: Some(echo), .. } => {
                self.local.refused(echo, (*reason, message), now);
            }
            _ => {}
        }
    }

    fn drain_local(&mut self) -> bool {
        let mut heard = false;
        loop {
            match self.local.poll_output() {
                LocalOutput::Request(request) => self.engine.signal(request),
                LocalOutput::Event(event) => {
                    self.outputs.push_back(Output::Event(SessionEvent::Local(event)));
                }
                LocalOutput::Timeout(_) => return heard,
            }
            heard = true;
        }
    }

    /// Writes what there is room for; `true` if anything was written.
    fn flush(&mut self, now: Instant) -> bool {
        let channel = self.engine.publisher();
        self.local.set_open(channel.is_open(ChannelKind::DataTrack), now);
        self.local.set_packet_bytes_max(channel.message_bytes_max());
        self.local.update_buffered(channel.buffered(ChannelKind::DataTrack), now);
        let mut wrote = false;
        while let Some(packet) = self.local.peek(now) {
            if !wrote {
                // Timers of what is written start from what the connection takes for now.
                channel.handle_timeout(now);
            }
            if !channel.write(ChannelKind::DataTrack, packet) {
                self.local.refused_by_channel(now);
                break;
            }
            self.local.written(now);
            wrote = true;
        }
        if wrote {
            self.engine.written(now);
        }
        wrote
    }
}
