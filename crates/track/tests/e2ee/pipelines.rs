//! Encrypted tracks from one end to the other: what official clients and this one publish arrives, and a
//! wrong key is told once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use trackyard_proto::participant::{DisconnectReason, Kind, Permission};
use trackyard_proto::signal::{PublishedTrack, SubscriberHandle, SubscriptionOptions};
use trackyard_proto::{DataTrackInfo, Encryption, ParticipantInfo, ParticipantState, Request};
use trackyard_track::e2ee::{FrameDecryptor, Key, KeyOptions};
use trackyard_track::{
    CipherError, Decryptor, Frame, LocalOutput, LocalTrackId, LocalTracks, LocalTracksConfig, PublishOptions,
    Received, RemoteDropReason, RemoteEvent, RemoteOutput, RemoteTracks, RemoteTracksConfig, SubscribeError,
};
use trackyard_wire::Encryption as Extension;

use crate::vectors::{all, header};
use crate::vocabulary::{key, receiver, sender, window};

const SID: &str = "DTR_0";
const WRONG: CipherError = CipherError::WrongKey { key_index: 0 };

fn begin() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "any instant will do; only differences count")]
    Instant::now()
}

fn info(handle: u16) -> DataTrackInfo {
    DataTrackInfo {
        pub_handle: handle,
        sid: SID.to_owned(),
        name: "t".to_owned(),
        encryption: Encryption::Gcm,
        frame_encoding: None,
        schema: None,
    }
}

fn participant(identity: &str, track: DataTrackInfo) -> ParticipantInfo {
    ParticipantInfo {
        sid: "PA_1".to_owned(),
        identity: identity.to_owned(),
        name: String::new(),
        state: ParticipantState::Active,
        metadata: String::new(),
        attributes: BTreeMap::new(),
        joined_at_ms: 0,
        version: 0,
        permission: Permission {
            can_subscribe: true,
            can_publish: true,
            can_publish_data: true,
            can_publish_sources: Vec::new(),
            hidden: false,
            recorder: false,
            can_update_metadata: false,
            agent: false,
            can_subscribe_metrics: false,
        },
        region: String::new(),
        is_publisher: true,
        kind: Kind::Standard,
        kind_details: Vec::new(),
        disconnect_reason: DisconnectReason::Unknown,
        tracks: Vec::new(),
        data_tracks: vec![Arc::new(track)],
        client_protocol: 0,
        capabilities: Vec::new(),
    }
}

/// Keys that the tracks use and the test sets, as an application does.
#[derive(Debug, Clone)]
struct Keys(Arc<Mutex<FrameDecryptor>>);

impl Keys {
    fn new(decryptor: FrameDecryptor) -> Self {
        Self(Arc::new(Mutex::new(decryptor)))
    }

    fn set_shared(&self, key: &Key) {
        self.0.lock().unwrap().set_shared_key(0, key).unwrap();
    }
}

impl Decryptor for Keys {
    fn decrypt(
        &mut self,
        publisher: &str,
        encryption: &Extension,
        payload: &[u8],
    ) -> Result<Vec<u8>, CipherError> {
        self.0.lock().unwrap().decrypt(publisher, encryption, payload)
    }
}

/// Someone who is subscribed to the one track of `identity`, whose packets carry `handle`.
struct Subscriber {
    tracks: RemoteTracks,
    now: Instant,
    frames: Vec<Bytes>,
    lost: u64,
    told: Vec<Option<CipherError>>,
}

impl Subscriber {
    fn new(identity: &str, handle: u16, keys: &Keys) -> Self {
        let now = begin();
        let mut tracks = RemoteTracks::new(RemoteTracksConfig::default());
        tracks.restart(&[], now);
        tracks.update(&participant(identity, info(handle)), now);
        let track = tracks.find(identity, "t").unwrap();
        let refused = tracks.subscribe(track, SubscriptionOptions::default(), now);
        assert_eq!(refused, Err(SubscribeError::NoDecryptor));
        tracks.set_decryptor(Some(Box::new(keys.clone())));
        tracks.subscribe(track, SubscriptionOptions::default(), now).unwrap();
        let track = PublishedTrack {
            publisher_identity: identity.to_owned(),
            publisher_sid: "PA_1".to_owned(),
            track_sid: SID.to_owned(),
        };
        tracks.handles(&[SubscriberHandle { handle, track }]);
        Self { tracks, now, frames: Vec::new(), lost: 0, told: Vec::new() }
    }

    fn take(&mut self, packets: &[Vec<u8>]) {
        for packet in packets {
            self.tracks.packet(&packet.clone().into(), self.now);
        }
        self.now += Duration::from_secs(1);
        self.tracks.handle_timeout(self.now);
        loop {
            match self.tracks.poll_output() {
                RemoteOutput::Timeout(_) => return,
                RemoteOutput::Item(_, Received::Frame(frame)) => self.frames.push(frame.payload),
                RemoteOutput::Item(_, Received::Gap(gap)) => {
                    assert_eq!(gap.reason, RemoteDropReason::Undecryptable);
                    self.lost += gap.frames;
                }
                RemoteOutput::Event(RemoteEvent::Undecryptable { error, .. }) => self.told.push(error),
                RemoteOutput::Event(_) | RemoteOutput::Request(_) => {}
            }
        }
    }
}

/// Someone who publishes one encrypted track.
struct Publisher {
    tracks: LocalTracks,
    track: LocalTrackId,
    handle: u16,
    now: Instant,
}

impl Publisher {
    fn new(key: &Key) -> Self {
        let now = begin();
        let mut tracks = LocalTracks::new(LocalTracksConfig::default(), now);
        tracks.set_encryptor(Some(Box::new(sender("alice", key))));
        tracks.restart(now);
        let options = PublishOptions { encryption: Encryption::Gcm, ..PublishOptions::new("t") };
        let track = tracks.publish(options, now).unwrap();
        let LocalOutput::Request(Request::PublishDataTrack(asked)) = tracks.poll_output() else {
            panic!("a track that is published is asked for")
        };
        let handle = asked.pub_handle.try_into().unwrap();
        tracks.published(&Arc::new(info(handle)).into(), now);
        tracks.set_open(true, now);
        Self { tracks, track, handle, now }
    }

    /// The packets of a frame.
    fn push(&mut self, payload: &[u8]) -> Vec<Vec<u8>> {
        let frame = Frame { payload: payload.to_vec().into(), user_timestamp: None };
        self.tracks.try_push(self.track, frame, self.now).unwrap();
        let mut packets = Vec::new();
        while let Some(packet) = self.tracks.peek(self.now) {
            packets.push(packet.to_vec());
            self.tracks.written(self.now);
            self.tracks.update_buffered(0, self.now);
        }
        packets
    }
}

#[test]
fn frames_of_official_clients_come_out_of_their_track() {
    for vector in all() {
        let options = vector.options();
        let key = Key::derive(&vector.secret(), &options).unwrap();
        let mut decryptor = FrameDecryptor::new(options);
        decryptor.set_shared_key(vector.index, &key).unwrap();
        let expected: Vec<_> = vector.frames().collect();
        let handle = header(&expected[0].packets[0]).handle.get();
        let mut subscriber = Subscriber::new(&vector.identity, handle, &Keys::new(decryptor));
        for (at, frame) in expected.iter().enumerate() {
            subscriber.take(&frame.packets);
            let arrived = subscriber.frames.get(at);
            assert!(
                arrived.is_some_and(|clear| *clear == frame.plaintext),
                "{} of {}",
                vector.name,
                vector.client
            );
        }
        assert_eq!((subscriber.frames.len(), subscriber.lost), (expected.len(), 0), "{}", vector.name);
    }
}

#[test]
fn frames_of_our_own_arrive_whatever_their_size() {
    let key = key("shared");
    let mut publisher = Publisher::new(&key);
    let keys = Keys::new(receiver(&key, KeyOptions::default()));
    let mut subscriber = Subscriber::new("alice", publisher.handle, &keys);
    for bytes in [0, 1, 1_000, 40_000, 1_000_000] {
        let payload: Vec<u8> = (0..bytes).map(|at: u32| at.to_le_bytes()[0]).collect();
        subscriber.take(&publisher.push(&payload));
        assert!(subscriber.frames.pop().is_some_and(|frame| frame == payload), "{bytes} bytes");
    }
    assert_eq!(subscriber.lost, 0);
}

#[test]
fn a_wrong_key_delivers_nothing_and_is_told_once_until_the_right_one_is_set() {
    let right = key("right");
    let mut publisher = Publisher::new(&right);
    let keys = Keys::new(FrameDecryptor::new(window(8)));
    let mut subscriber = Subscriber::new("alice", publisher.handle, &keys);
    let mut send = |frames: usize, subscriber: &mut Subscriber| {
        (0..frames).for_each(|_| subscriber.take(&publisher.push(b"hi")));
    };
    send(3, &mut subscriber);
    keys.set_shared(&key("wrong"));
    send(20, &mut subscriber);
    assert_eq!(subscriber.told, [Some(CipherError::NoKey { key_index: 0 }), Some(WRONG)]);
    assert_eq!((subscriber.frames.len(), subscriber.lost), (0, 23));

    keys.set_shared(&right);
    send(2, &mut subscriber);
    assert_eq!((subscriber.frames.len(), subscriber.lost), (2, 23));

    keys.set_shared(&key("wrong"));
    send(2, &mut subscriber);
    assert_eq!(subscriber.told.split_off(2), [Some(WRONG)], "it is another time");
    assert_eq!((subscriber.frames.len(), subscriber.lost), (2, 25));
}

#[test]
fn nothing_of_a_payload_is_seen_on_the_way() {
    let mut publisher = Publisher::new(&key("shared"));
    let payload = [0x5a; 64];
    for packet in publisher.push(&payload) {
        assert!(!packet.windows(8).any(|bytes| payload.starts_with(bytes)));
        assert!(header(&packet).extensions(&packet).encryption.is_some());
    }
}
