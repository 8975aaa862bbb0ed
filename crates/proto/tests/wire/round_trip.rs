//! Random messages come back as they were, in both encodings.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use trackyard_proto::signal::{
    DataSubscription, MetadataUpdate, PublishDataTrack, PublishedTrack, ReceiveState, SessionDescription,
    SubscriberHandle, SubscriptionOptions, SyncState,
};
use trackyard_proto::{
    DataTrackInfo, Encoding, Encryption, FrameEncoding, Outbound, ParticipantInfo, Request, Response,
    RoomInfo, Schema, SchemaEncoding,
};

use crate::samples;

const BOTH: [Encoding; 2] = [Encoding::Binary, Encoding::Json];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "\\PC{1,12}", "[\"\\\\\u{0}-\u{1f}]{1,4}"]
}

fn texts() -> impl Strategy<Value = BTreeMap<String, String>> {
    btree_map(text(), text(), 0..4)
}

fn encryption() -> impl Strategy<Value = Encryption> {
    prop_oneof![Just(Encryption::None), Just(Encryption::Gcm), Just(Encryption::Custom)]
}

fn frame_encoding() -> impl Strategy<Value = FrameEncoding> {
    prop_oneof![(0..=7).prop_map(FrameEncoding::WellKnown), text().prop_map(FrameEncoding::Custom)]
}

fn schema() -> impl Strategy<Value = Schema> {
    let encoding =
        prop_oneof![(0..=7).prop_map(SchemaEncoding::WellKnown), text().prop_map(SchemaEncoding::Custom)];
    (text(), option::of(encoding)).prop_map(|(name, encoding)| Schema { name, encoding })
}

fn track() -> impl Strategy<Value = DataTrackInfo> {
    (any::<u16>(), text(), text(), encryption(), option::of(frame_encoding()), option::of(schema())).prop_map(
        |(pub_handle, sid, name, encryption, frame_encoding, schema)| DataTrackInfo {
            pub_handle,
            sid,
            name,
            encryption,
            frame_encoding,
            schema,
        },
    )
}

fn participant() -> impl Strategy<Value = ParticipantInfo> {
    let milliseconds = 0..=u64::try_from(i64::MAX).unwrap();
    (
        text(),
        text(),
        texts(),
        milliseconds,
        any::<u32>(),
        any::<bool>(),
        vec(track().prop_map(Arc::new), 0..4),
    )
        .prop_map(
            |(identity, metadata, attributes, joined_at_ms, version, is_publisher, data_tracks)| {
                ParticipantInfo {
                    identity,
                    metadata,
                    attributes,
                    joined_at_ms,
                    version,
                    is_publisher,
                    data_tracks,
                    ..samples::participant()
                }
            },
        )
}

fn room() -> impl Strategy<Value = RoomInfo> {
    (text(), any::<u32>(), 0..=u64::try_from(i64::MAX).unwrap(), text(), any::<bool>()).prop_map(
        |(name, max_participants, creation_time_ms, metadata, active_recording)| RoomInfo {
            name,
            max_participants,
            creation_time_ms,
            metadata,
            active_recording,
            ..samples::room()
        },
    )
}

fn description() -> impl Strategy<Value = SessionDescription> {
    (any::<u32>(), text(), texts()).prop_map(|(id, sdp, mid_to_track_id)| SessionDescription {
        id,
        sdp,
        mid_to_track_id,
    })
}

fn handles() -> impl Strategy<Value = Vec<SubscriberHandle>> {
    let entry = |handle| {
        let publisher_identity = format!("robot{handle}");
        let track = PublishedTrack {
            publisher_identity,
            publisher_sid: String::new(),
            track_sid: "DTR_x".to_owned(),
        };
        SubscriberHandle { handle, track }
    };
    btree_set(any::<u16>(), 0..8).prop_map(move |set: BTreeSet<u16>| set.into_iter().map(entry).collect())
}

fn response() -> impl Strategy<Value = Response> {
    prop_oneof![
        vec(participant().prop_map(Arc::new), 0..3).prop_map(Response::Update),
        room().prop_map(|room| Response::RoomUpdate(Arc::new(room))),
        description().prop_map(Response::Offer),
        description().prop_map(Response::Answer),
        track().prop_map(|track| Response::DataTrackPublished(Arc::new(track).into())),
        handles().prop_map(Response::SubscriberHandles),
        any::<i64>().prop_map(Response::Pong),
        text().prop_map(Response::RefreshToken),
    ]
}

fn subscription() -> impl Strategy<Value = DataSubscription> {
    (text(), any::<bool>(), option::of(any::<u32>())).prop_map(|(track_sid, subscribe, target_fps)| {
        let options = SubscriptionOptions { target_fps, ..SubscriptionOptions::default() };
        DataSubscription { track_sid, subscribe, options }
    })
}

fn publish() -> impl Strategy<Value = PublishDataTrack> {
    (any::<u32>(), text(), encryption(), frame_encoding(), schema()).prop_map(
        |(handle, name, encryption, encoding, schema)| {
            PublishDataTrack::new(handle, name)
                .with_encryption(encryption)
                .with_frame_encoding(encoding)
                .with_schema(schema)
        },
    )
}

fn sync_state() -> impl Strategy<Value = SyncState> {
    let receive_state = (text(), any::<u32>())
        .prop_map(|(publisher_sid, last_sequence)| ReceiveState { publisher_sid, last_sequence });
    let tracks = (vec(text(), 0..3), vec(option::of(text()), 0..3));
    (tracks, vec(subscription(), 0..3), vec(receive_state, 0..3)).prop_map(
        |((publish_tracks, publish_data_tracks), data_subscription, receive_states)| SyncState {
            publish_tracks,
            publish_data_tracks,
            data_subscription,
            receive_states,
        },
    )
}

fn request() -> impl Strategy<Value = Request> {
    let metadata = (any::<u32>(), "\\PC{1,9}", texts()).prop_map(|(id, name, attributes)| {
        Request::UpdateMetadata(MetadataUpdate::new(id).with_name(name).with_attributes(attributes))
    });
    prop_oneof![
        description().prop_map(Request::Offer),
        publish().prop_map(Request::PublishDataTrack),
        any::<u32>().prop_map(Request::unpublish_data_track),
        vec(subscription(), 0..4).prop_map(Request::UpdateDataSubscription),
        sync_state().prop_map(|state| Request::SyncState(Box::new(state))),
        (any::<i64>(), any::<i64>()).prop_map(|(timestamp, rtt)| Request::PingReq { timestamp, rtt }),
        metadata,
    ]
}

proptest! {
    #[test]
    fn responses(response in response()) {
        let outbound = Outbound::new(response.clone());
        for encoding in BOTH {
            let read = Response::decode(&outbound.encode(encoding), encoding).unwrap();
            prop_assert_eq!(read.as_ref(), Some(&response));
        }
    }

    #[test]
    fn requests(request in request()) {
        for encoding in BOTH {
            let read = Request::decode(&request.encode(encoding), encoding).unwrap();
            prop_assert_eq!(read.as_ref(), Some(&request));
        }
    }
}

#[test]
fn one_of_every_kind() {
    for encoding in BOTH {
        for request in samples::requests() {
            let read = Request::decode(&request.encode(encoding), encoding).unwrap();
            assert_eq!(read, Some(request));
        }
        for response in samples::responses() {
            let outbound = Outbound::from(response.clone());
            assert_eq!(outbound.response(), &response);
            let read = Response::decode(&outbound.encode(encoding), encoding).unwrap();
            assert_eq!(read, Some(response));
        }
    }
}

#[test]
fn a_frame_is_made_once_however_many_receive_it() {
    let outbound = Outbound::new(Response::Update(vec![Arc::new(samples::participant())]));
    for encoding in BOTH {
        let frame = outbound.encode(encoding);
        assert_eq!(outbound.clone().encode(encoding).as_ptr(), frame.as_ptr());
    }
}
