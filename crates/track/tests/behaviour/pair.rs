//! A publisher's and a subscriber's tracks, the server between them played by the test.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use trackyard_proto::participant::{DisconnectReason, Kind, Permission};
use trackyard_proto::signal::{PublishedTrack, SubscriberHandle, SubscriptionOptions};
use trackyard_proto::{DataTrackInfo, Encryption, ParticipantInfo, ParticipantState, Request};
use trackyard_track::{
    LocalOutput, LocalTrackId, LocalTracks, LocalTracksConfig, PublishOptions, Received, RemoteFrame,
    RemoteOutput, RemoteTrackId, RemoteTracks, RemoteTracksConfig,
};

#[expect(clippy::disallowed_methods, reason = "any instant will do; only differences count")]
pub(crate) fn base() -> Instant {
    Instant::now()
}

/// A publisher whose tracks the server has taken.
pub(crate) fn publisher(options: &[PublishOptions], now: Instant) -> (LocalTracks, Vec<LocalTrackId>) {
    let mut tracks = LocalTracks::new(LocalTracksConfig::default(), now);
    tracks.restart(now);
    tracks.set_open(true, now);
    let mut ids = Vec::new();
    for options in options {
        ids.push(tracks.publish(options.clone(), now).unwrap());
        let LocalOutput::Request(Request::PublishDataTrack(request)) = tracks.poll_output() else {
            panic!("it does not ask")
        };
        let handle = u16::try_from(request.pub_handle).unwrap();
        tracks.published(&Arc::new(info(handle, &request.name)).into(), now);
        while !matches!(tracks.poll_output(), LocalOutput::Timeout(_)) {}
    }
    (tracks, ids)
}

/// A subscriber to one track, whose packets come under this handle.
pub(crate) fn subscriber(handle: u16, now: Instant) -> (RemoteTracks, RemoteTrackId) {
    let mut tracks = RemoteTracks::new(RemoteTracksConfig::default());
    tracks.restart(&[Arc::new(participant(vec![Arc::new(info(handle, "track"))]))], now);
    let id = tracks.find("publisher", "track").unwrap();
    tracks.subscribe(id, SubscriptionOptions::default(), now).unwrap();
    let track = PublishedTrack {
        publisher_identity: "publisher".to_owned(),
        publisher_sid: "PA_1".to_owned(),
        track_sid: info(handle, "track").sid,
    };
    tracks.handles(&[SubscriberHandle { handle, track }]);
    received(&mut tracks);
    (tracks, id)
}

/// What has come out since the last time: frames, and how many did not come.
pub(crate) fn received(tracks: &mut RemoteTracks) -> (Vec<RemoteFrame>, u64) {
    let (mut frames, mut missing) = (Vec::new(), 0);
    loop {
        match tracks.poll_output() {
            RemoteOutput::Item(_, Received::Frame(frame)) => frames.push(frame),
            RemoteOutput::Item(_, Received::Gap(gap)) => missing += gap.frames,
            RemoteOutput::Request(_) | RemoteOutput::Event(_) => {}
            RemoteOutput::Timeout(_) => return (frames, missing),
        }
    }
}

/// Every packet that waits.
pub(crate) fn flush(tracks: &mut LocalTracks, now: Instant) -> Vec<Bytes> {
    let mut packets = Vec::new();
    loop {
        tracks.update_buffered(0, now);
        let Some(packet) = tracks.peek(now) else { return packets };
        packets.push(packet.clone());
        tracks.written(now);
    }
}

fn info(pub_handle: u16, name: &str) -> DataTrackInfo {
    DataTrackInfo {
        pub_handle,
        sid: format!("DTR_{pub_handle}"),
        name: name.to_owned(),
        encryption: Encryption::None,
        frame_encoding: None,
        schema: None,
    }
}

/// One participant of that many tracks.
pub(crate) fn participant(data_tracks: Vec<Arc<DataTrackInfo>>) -> ParticipantInfo {
    ParticipantInfo {
        sid: "PA_1".to_owned(),
        identity: "publisher".to_owned(),
        name: String::new(),
        state: ParticipantState::Active,
        metadata: String::new(),
        attributes: std::collections::BTreeMap::new(),
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
        data_tracks,
        client_protocol: 0,
        capabilities: Vec::new(),
    }
}
