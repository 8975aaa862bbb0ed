//! Drives the official client's data-track core through its public surface, without a network.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use livekit_datatrack::api::{
    DataTrackFrame, DataTrackOptions, DataTrackStream, DataTrackSubscribeOptions, LocalDataTrack,
};
use livekit_datatrack::backend::{
    DecryptionError, DecryptionProvider, EncryptedPayload, EncryptionError, EncryptionProvider, local, remote,
};
use livekit_protocol as proto;
use trackyard_wire::Encryption;

/// The one track's handle in both directions.
pub(crate) const HANDLE: u16 = 7;
const SID: &str = "DTR_differential";
/// More than any test lets wait.
const FRAMES_MAX: usize = 256;

/// Shows the encryption extension where the official API hides it: "encrypting" takes it from the
/// end of the payload, "decrypting" puts it there.
#[derive(Debug)]
struct ExposeExtension;

impl EncryptionProvider for ExposeExtension {
    fn encrypt(&self, payload: Bytes) -> Result<EncryptedPayload, EncryptionError> {
        let (payload, exposed) = payload.split_at(payload.len() - 13);
        let mut iv = [0; 12];
        iv.copy_from_slice(&exposed[1..]);
        Ok(EncryptedPayload { payload: Bytes::copy_from_slice(payload), iv, key_index: exposed[0] })
    }
}

impl DecryptionProvider for ExposeExtension {
    fn decrypt(&self, frame: EncryptedPayload, _: String) -> Result<Bytes, DecryptionError> {
        Ok(expose(&frame.payload, Encryption { key_index: frame.key_index, iv: frame.iv }))
    }
}

fn expose(payload: &[u8], encryption: Encryption) -> Bytes {
    [payload, &[encryption.key_index], &encryption.iv].concat().into()
}

/// A frame as the application sees it, and what of its extensions can be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) payload: Bytes,
    pub(crate) user_timestamp: Option<u64>,
}

impl Seen {
    /// What the official receiver must show for a frame.
    pub(crate) fn new(payload: &[u8], encryption: Option<Encryption>, user_timestamp: Option<u64>) -> Self {
        let payload = match encryption {
            Some(encryption) => expose(payload, encryption),
            None => Bytes::copy_from_slice(payload),
        };
        Self { payload, user_timestamp }
    }
}

fn track_info(encrypted: bool) -> proto::DataTrackInfo {
    let encryption = if encrypted { proto::encryption::Type::Gcm } else { Default::default() };
    proto::DataTrackInfo {
        pub_handle: HANDLE.into(),
        sid: SID.to_owned(),
        name: "differential".to_owned(),
        encryption: encryption.into(),
        ..Default::default()
    }
}

/// The official receiver, subscribed to one track.
pub(crate) struct OfficialReceiver {
    input: remote::ManagerInput,
    frames: DataTrackStream,
    /// Keeps the track and the manager's events alive.
    _output: remote::ManagerOutput,
}

impl OfficialReceiver {
    pub(crate) async fn subscribe(encrypted: bool) -> Self {
        let decryption_provider = encrypted.then(|| Arc::new(ExposeExtension) as _);
        let (manager, input, mut output) =
            remote::Manager::new(remote::ManagerOptions { decryption_provider });
        tokio::spawn(manager.run());

        let info = track_info(encrypted).try_into().unwrap();
        let updates = HashMap::from([("publisher".to_owned(), vec![info])]);
        input.send(remote::SfuPublicationUpdates { updates }.into()).unwrap();
        let Some(remote::OutputEvent::TrackPublished(published)) = output.next().await else {
            panic!("the track is not announced");
        };
        let options = DataTrackSubscribeOptions::default().with_buffer_size(FRAMES_MAX);
        let subscribed = published.track.subscribe_with_options(options);
        let handles = async {
            let Some(remote::OutputEvent::SfuUpdateSubscription(_)) = output.next().await else {
                panic!("the subscription is not requested");
            };
            let info = proto::data_track_subscriber_handles::PublishedDataTrack {
                track_sid: SID.to_owned(),
                ..Default::default()
            };
            let message =
                proto::DataTrackSubscriberHandles { sub_handles: HashMap::from([(HANDLE.into(), info)]) };
            let handles: remote::SfuSubscriberHandles = message.try_into().unwrap();
            input.send(handles.into()).unwrap();
        };
        let (frames, ()) = tokio::join!(subscribed, handles);
        Self { frames: frames.unwrap(), input, _output: output }
    }

    /// Hands over a packet and returns the frames it completes.
    pub(crate) async fn push(&mut self, packet: &[u8]) -> Vec<Seen> {
        let packet = Bytes::copy_from_slice(packet);
        self.input.send(remote::InputEvent::PacketReceived(packet)).unwrap();
        // On a runtime of one thread everyone else runs in between: first the manager, then the
        // track's task, then whatever these have woken.
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
        let mut seen = Vec::new();
        while let Some(Some(frame)) = self.frames.next().now_or_never() {
            let user_timestamp = frame.user_timestamp();
            seen.push(Seen { payload: frame.payload(), user_timestamp });
        }
        seen
    }
}

/// The official sender, with one track published.
pub(crate) struct OfficialSender {
    track: LocalDataTrack,
    output: local::ManagerOutput,
    _input: local::ManagerInput,
}

impl OfficialSender {
    pub(crate) async fn publish(encrypted: bool) -> Self {
        let encryption_provider = encrypted.then(|| Arc::new(ExposeExtension) as _);
        let (manager, input, mut output) = local::Manager::new(local::ManagerOptions { encryption_provider });
        tokio::spawn(manager.run());

        let published = input.publish_track(DataTrackOptions::new("differential"));
        let accepted = async {
            let Some(local::OutputEvent::SfuPublishRequest(request)) = output.next().await else {
                panic!("the publication is not requested");
            };
            let request: proto::PublishDataTrackRequest = request.into();
            let info = proto::DataTrackInfo { pub_handle: request.pub_handle, ..track_info(encrypted) };
            let message = proto::PublishDataTrackResponse { info: Some(info) };
            let response: local::SfuPublishResponse = message.try_into().unwrap();
            input.send(response.into()).unwrap();
        };
        let (track, ()) = tokio::join!(published, accepted);
        Self { track: track.unwrap(), output, _input: input }
    }

    /// The packets it makes of a frame.
    pub(crate) async fn cut(&mut self, seen: &Seen) -> Vec<Bytes> {
        let mut frame = DataTrackFrame::new(seen.payload.clone());
        if let Some(user_timestamp) = seen.user_timestamp {
            frame = frame.with_user_timestamp(user_timestamp);
        }
        self.track.try_push(frame).unwrap();
        match self.output.next().await {
            Some(local::OutputEvent::PacketsAvailable(packets)) => packets,
            other => panic!("no packets but {other:?}"),
        }
    }
}
