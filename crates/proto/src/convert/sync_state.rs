//! What a client believes after a resume, and data subscriptions.

use livekit_protocol as pb;
use pb::update_data_subscription::Update;

use crate::signal::{DataSubscription, ReceiveState, SubscriptionOptions, SyncState};

/// Sids of media tracks start so; anything else stands for a cid.
const MEDIA_SID_PREFIX: &str = "TR_";

impl From<pb::SyncState> for SyncState {
    fn from(state: pb::SyncState) -> Self {
        let data_tracks = state.publish_data_tracks.into_iter();
        Self {
            publish_tracks: state.publish_tracks.into_iter().map(media_track).collect(),
            publish_data_tracks: data_tracks.map(|track| track.info.map(|info| info.sid)).collect(),
            data_subscription: state.data_subscription.map(data_subscriptions).unwrap_or_default(),
            receive_states: state.datachannel_receive_states.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<&SyncState> for pb::SyncState {
    fn from(state: &SyncState) -> Self {
        Self {
            publish_tracks: state.publish_tracks.iter().map(|id| published(id)).collect(),
            publish_data_tracks: state.publish_data_tracks.iter().map(data_published).collect(),
            data_subscription: (!state.data_subscription.is_empty())
                .then(|| update_data_subscription(&state.data_subscription)),
            datachannel_receive_states: state.receive_states.iter().map(Into::into).collect(),
            ..Self::default()
        }
    }
}

impl From<pb::DataChannelReceiveState> for ReceiveState {
    fn from(state: pb::DataChannelReceiveState) -> Self {
        Self { publisher_sid: state.publisher_sid, last_sequence: state.last_seq }
    }
}

impl From<&ReceiveState> for pb::DataChannelReceiveState {
    fn from(state: &ReceiveState) -> Self {
        Self { publisher_sid: state.publisher_sid.clone(), last_seq: state.last_sequence }
    }
}

/// Data subscriptions as sent.
pub(super) fn data_subscriptions(update: pb::UpdateDataSubscription) -> Vec<DataSubscription> {
    update.updates.into_iter().map(Into::into).collect()
}

/// Data subscriptions to send.
pub(super) fn update_data_subscription(updates: &[DataSubscription]) -> pb::UpdateDataSubscription {
    pb::UpdateDataSubscription { updates: updates.iter().map(Into::into).collect() }
}

impl From<Update> for DataSubscription {
    fn from(update: Update) -> Self {
        let target_fps = update.options.and_then(|options| options.target_fps);
        Self {
            track_sid: update.track_sid,
            subscribe: update.subscribe,
            options: SubscriptionOptions { target_fps, ..SubscriptionOptions::default() },
        }
    }
}

impl From<&DataSubscription> for Update {
    fn from(update: &DataSubscription) -> Self {
        let target_fps = update.options.target_fps;
        Self {
            track_sid: update.track_sid.clone(),
            subscribe: update.subscribe,
            options: target_fps.map(|fps| pb::DataTrackSubscriptionOptions { target_fps: Some(fps) }),
        }
    }
}

fn media_track(published: pb::TrackPublishedResponse) -> String {
    let sid = published.track.map(|track| track.sid).unwrap_or_default();
    if sid.is_empty() { published.cid } else { sid }
}

fn published(id: &str) -> pb::TrackPublishedResponse {
    if id.starts_with(MEDIA_SID_PREFIX) {
        let track = pb::TrackInfo { sid: id.to_owned(), ..pb::TrackInfo::default() };
        pb::TrackPublishedResponse { track: Some(track), ..pb::TrackPublishedResponse::default() }
    } else {
        pb::TrackPublishedResponse { cid: id.to_owned(), track: None }
    }
}

fn data_published(sid: &Option<String>) -> pb::PublishDataTrackResponse {
    let info = sid.as_ref().map(|sid| pb::DataTrackInfo { sid: sid.clone(), ..pb::DataTrackInfo::default() });
    pb::PublishDataTrackResponse { info }
}
