//! Remote tracks beside a server that is played by the test.

mod catalogue;
mod packets;
mod subscribing;

use std::collections::BTreeMap;
use std::time::Duration;

use trackyard_proto::participant::{DisconnectReason, Kind, Permission};
use trackyard_proto::signal::{PublishedTrack, SubscriberHandle, SubscriptionOptions};
use trackyard_proto::{Encryption, ParticipantInfo, ParticipantState};
use trackyard_wire::{Extensions, FrameNumber, Handle, PacketBuilder, Sequence};

use super::*;
use crate::CipherError;

/// What one client knows of others, and what it has said and told.
struct Run {
    tracks: RemoteTracks,
    now: Instant,
    said: Vec<String>,
    told: Vec<String>,
}

impl Run {
    fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "any instant will do; only differences count")]
        let now = Instant::now();
        let mut tracks = RemoteTracks::new(RemoteTracksConfig::default());
        tracks.restart(&[], now);
        Self { tracks, now, said: Vec::new(), told: Vec::new() }
    }

    /// One participant publishes `tracks`, and one of them, `DTR_a`, is subscribed to under handle 7.
    fn subscribed(tracks: &str) -> (Self, RemoteTrackId, SubscriptionId) {
        let mut run = Self::new();
        run.update("bob", tracks);
        let (track, subscription) = run.subscribe("a");
        run.handles(&[(7, "DTR_a")]);
        run.said();
        run.told();
        (run, track, subscription)
    }

    fn drain(&mut self) {
        loop {
            match self.tracks.poll_output() {
                RemoteOutput::Request(Request::UpdateDataSubscription(changes)) => {
                    self.said.extend(changes.iter().map(said));
                }
                RemoteOutput::Request(other) => panic!("unexpected {other:?}"),
                RemoteOutput::Event(event) => self.told.push(told(&event)),
                RemoteOutput::Item(_, Received::Frame(frame)) => {
                    let payload = String::from_utf8_lossy(&frame.payload);
                    self.told.push(format!("{}={payload}", frame.number as u16));
                }
                RemoteOutput::Item(_, Received::Gap(gap)) => {
                    self.told.push(format!("-{}:{}", gap.frames, gap.reason.label()));
                }
                RemoteOutput::Timeout(_) => return,
            }
        }
    }

    /// What was said since the last time.
    fn said(&mut self) -> String {
        self.drain();
        std::mem::take(&mut self.said).join(" ")
    }

    /// What was told since the last time.
    fn told(&mut self) -> String {
        self.drain();
        std::mem::take(&mut self.told).join(" ")
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.tracks.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.tracks.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    fn update(&mut self, identity: &str, tracks: &str) {
        self.tracks.update(&participant(identity, "PA_1", tracks), self.now);
    }

    fn id(&self, sid_end: &str) -> RemoteTrackId {
        self.tracks.by_sid[&format!("DTR_{sid_end}")]
    }

    fn subscribe(&mut self, sid_end: &str) -> (RemoteTrackId, SubscriptionId) {
        let track = self.id(sid_end);
        (track, self.tracks.subscribe(track, SubscriptionOptions::default(), self.now).unwrap())
    }

    fn handles(&mut self, handles: &[(u16, &str)]) {
        let entry = |(handle, sid): &(u16, &str)| SubscriberHandle {
            handle: *handle,
            track: PublishedTrack {
                publisher_identity: "bob".to_owned(),
                publisher_sid: "PA_1".to_owned(),
                track_sid: (*sid).to_owned(),
            },
        };
        self.tracks.handles(&handles.iter().map(entry).collect::<Vec<_>>());
    }

    fn packet(&mut self, handle: u16, frame: u16, payload: &str) {
        self.extended(handle, frame, payload, Extensions::default());
    }

    fn extended(&mut self, handle: u16, frame: u16, payload: &str, extensions: Extensions) {
        let builder = PacketBuilder {
            start: true,
            last: true,
            handle: Handle::new(handle).unwrap(),
            sequence: Sequence::new(frame),
            frame: FrameNumber::new(frame),
            timestamp: 0,
            extensions,
        };
        self.tracks.packet(&builder.build(payload.as_bytes()).into(), self.now);
    }
}

fn said(change: &DataSubscription) -> String {
    let rate = change.options.target_fps.map(|fps| format!("@{fps}")).unwrap_or_default();
    format!("{}{}{rate}", if change.subscribe { '+' } else { '-' }, &change.track_sid[4..])
}

fn told(event: &RemoteEvent) -> String {
    match event {
        RemoteEvent::Published { info, publisher, .. } => format!("published:{publisher}/{}", info.name),
        RemoteEvent::Unpublished { info, publisher, .. } => format!("unpublished:{publisher}/{}", info.name),
        RemoteEvent::Migrated { info, old_sid, .. } => {
            format!("migrated:{}>{}", &old_sid[4..], &info.sid[4..])
        }
        RemoteEvent::Subscribed { subscriptions, .. } => format!("subscribed:{}", subscriptions.len()),
        RemoteEvent::SubscribeFailed { subscriptions, error, .. } => {
            format!("failed:{}:{error:?}", subscriptions.len())
        }
        RemoteEvent::Undecryptable { error, .. } => format!("undecryptable:{error:?}"),
    }
}

/// Tracks are words: `a:1:cam` has the sid `DTR_a`, handle 1 and the name cam; `!` before the name
/// encrypts it.
fn participant(identity: &str, sid: &str, tracks: &str) -> ParticipantInfo {
    ParticipantInfo {
        sid: sid.to_owned(),
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
        data_tracks: tracks.split_whitespace().map(|word| Arc::new(info(word))).collect(),
        client_protocol: 0,
        capabilities: Vec::new(),
    }
}

fn info(word: &str) -> DataTrackInfo {
    let mut parts = word.splitn(3, ':');
    let (sid, handle, name) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let encryption = if name.starts_with('!') { Encryption::Gcm } else { Encryption::None };
    DataTrackInfo {
        pub_handle: handle.parse().unwrap(),
        sid: format!("DTR_{sid}"),
        name: name.trim_start_matches('!').to_owned(),
        encryption,
        frame_encoding: None,
        schema: None,
    }
}
