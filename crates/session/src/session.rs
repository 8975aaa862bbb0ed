//! A session with the data tracks of this client and of others.

mod packets;
mod profile;
mod settle;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use trackyard_peer::{ConnectionFactory, Datagram, LocalAddress, Target};
use trackyard_proto::signal::SubscriptionOptions;
use trackyard_proto::{DataBlob, DataBlobKey, ParticipantInfo, Response};
use trackyard_track::{
    Decryptor, Encryptor, Frame, LocalTrackId, LocalTrackStats, LocalTracks, LocalTracksConfig, PublishError,
    PublishOptions, PushError, RemoteTrackId, RemoteTracks, RemoteTracksConfig, SubscribeError,
    SubscriptionId,
};

use crate::blobs::{BlobRequestId, Blobs};
use crate::config::SessionConfig;
use crate::engine::Engine;
use crate::event::{Output, SessionEvent, SignalFailure};
use crate::packets::Packets;
use crate::profile::Profile;

/// Bounds of the tracks of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TracksConfig {
    /// Of those this client publishes.
    pub local: LocalTracksConfig,
    /// Of those it subscribes to.
    pub remote: RemoteTracksConfig,
}

/// A session and its data tracks: what is published and subscribed to goes on over every interruption.
pub struct Session<F: ConnectionFactory> {
    engine: Engine<F>,
    local: LocalTracks,
    remote: RemoteTracks,
    blobs: Blobs,
    packets: Packets,
    profile: Profile,
    /// Of this participant, once joined.
    identity: String,
    outputs: VecDeque<Output<SessionEvent>>,
    /// When the engine wants to be called.
    engine_wake: Option<Instant>,
}

impl<F: ConnectionFactory> Session<F> {
    /// Begins to join.
    pub fn new(config: SessionConfig, tracks: TracksConfig, factories: [F; 2], now: Instant) -> Self {
        let mut session = Self {
            engine: Engine::new(config, factories, now),
            local: LocalTracks::new(tracks.local, now),
            remote: RemoteTracks::new(tracks.remote),
            blobs: Blobs::default(),
            packets: Packets::default(),
            profile: Profile::default(),
            identity: String::new(),
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

    /// What decrypts the frames of encrypted tracks from now on.
    pub fn set_decryptor(&mut self, decryptor: Option<Box<dyn Decryptor>>) {
        self.remote.set_decryptor(decryptor);
    }

    /// Subscribes to a track of another participant; what comes of it is a [`SessionEvent::Remote`], and
    /// what it receives a [`SessionEvent::Item`].
    ///
    /// # Errors
    /// [`SubscribeError`] if there is no need to ask the server.
    pub fn subscribe(
        &mut self,
        track: RemoteTrackId,
        options: SubscriptionOptions,
        now: Instant,
    ) -> Result<SubscriptionId, SubscribeError> {
        let subscription = self.remote.subscribe(track, options, now);
        self.settle(now);
        subscription
    }

    /// Ends a subscription.
    pub fn unsubscribe(&mut self, subscription: SubscriptionId, now: Instant) {
        self.remote.unsubscribe(subscription, now);
        self.settle(now);
    }

    /// The tracks of others.
    pub fn remote(&self) -> &RemoteTracks {
        &self.remote
    }

    /// Everyone in the room as far as the server has told, this participant included, in the order of identities.
    pub fn participants(&self) -> impl Iterator<Item = &Arc<ParticipantInfo>> {
        self.engine.participants()
    }

    /// Stores a data blob with this participant, in place of any other under its key, for as long as it is in the
    /// room; answered by a [`SessionEvent::DataBlob`].
    pub fn store_data_blob(&mut self, blob: DataBlob, now: Instant) -> BlobRequestId {
        let request = self.blobs.store(blob, now);
        self.settle(now);
        request
    }

    /// Asks for a data blob of a participant; answered by a [`SessionEvent::DataBlob`].
    pub fn get_data_blob(
        &mut self,
        identity: impl Into<String>,
        key: DataBlobKey,
        now: Instant,
    ) -> BlobRequestId {
        let request = self.blobs.get(identity.into(), key, now);
        self.settle(now);
        request
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
        self.remote.handle_timeout(now);
        self.blobs.handle_timeout(now);
        self.profile.handle_timeout(now);
        self.settle(now);
    }

    /// Makes connections from now on; those that exist stay.
    pub fn set_factories(&mut self, factories: [F; 2]) {
        self.engine.set_factories(factories);
    }

    /// The machine has another address, or a relay has given one: see [`Engine::add_local_address`].
    pub fn add_local_address(&mut self, target: Target, address: LocalAddress, now: Instant) {
        self.engine.add_local_address(target, address, now);
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
            let tracks = [self.local.poll_timeout(), self.remote.poll_timeout()];
            let packets = self.packets.outgoing.poll_timeout();
            let requests = [self.blobs.poll_timeout(), self.profile.poll_timeout(), packets];
            let wakes = requests.into_iter().chain(tracks).chain([self.engine_wake]);
            Output::Timeout(wakes.flatten().min())
        })
    }
}
