//! Bounds, each at its edge.

use livekit_protocol as pb;
use pb::signal_request::Message;
use prost::Message as _;
use trackyard_proto::limits::{
    JSON_OBJECTS_MAX, MESSAGE_PARTS_MAX, SERVER_MESSAGE_BYTES, SIGNAL_MESSAGE_BYTES,
};
use trackyard_proto::signal::{DataSubscription, DecodeError, MetadataUpdate, SubscriptionOptions};
use trackyard_proto::{Encoding, Outbound, Request, Response};

/// A message that `encode` makes of a text, of exactly so many bytes.
fn filled(bytes: usize, encode: impl Fn(&str) -> bytes::Bytes) -> bytes::Bytes {
    let around = encode(&"x".repeat(bytes / 2)).len() - bytes / 2;
    let frame = encode(&"x".repeat(bytes - around));
    let frame =
        if frame.len() == bytes { frame } else { encode(&"x".repeat(2 * bytes - around - frame.len())) };
    assert_eq!(frame.len(), bytes);
    frame
}

fn metadata(bytes: usize, encoding: Encoding) -> bytes::Bytes {
    filled(bytes, |text| Request::UpdateMetadata(MetadataUpdate::new(1).with_metadata(text)).encode(encoding))
}

#[test]
fn a_request_of_two_mebibytes_is_read_and_one_byte_more_is_not() {
    for encoding in [Encoding::Binary, Encoding::Json] {
        let frame = metadata(SIGNAL_MESSAGE_BYTES, encoding);
        assert!(matches!(Request::decode(&frame, encoding), Ok(Some(Request::UpdateMetadata(_)))));
        let frame = metadata(SIGNAL_MESSAGE_BYTES + 1, encoding);
        let error = Request::decode(&frame, encoding).unwrap_err();
        assert!(matches!(error, DecodeError::TooLarge { limit: SIGNAL_MESSAGE_BYTES, .. }), "{error}");
    }
}

#[test]
fn a_response_may_be_larger_than_a_request_but_is_bounded() {
    let token = |text: &str| Outbound::new(Response::RefreshToken(text.to_owned())).encode(Encoding::Binary);
    let frame = filled(SERVER_MESSAGE_BYTES, token);
    assert!(matches!(Response::decode(&frame, Encoding::Binary), Ok(Some(Response::RefreshToken(_)))));
    let frame = filled(SERVER_MESSAGE_BYTES + 1, token);
    let error = Response::decode(&frame, Encoding::Binary).unwrap_err();
    assert!(matches!(error, DecodeError::TooLarge { limit: SERVER_MESSAGE_BYTES, .. }), "{error}");
}

fn request(message: Message) -> Vec<u8> {
    pb::SignalRequest { message: Some(message) }.encode_to_vec()
}

fn check_parts(frame: &[u8], fits: bool) {
    let error = Request::decode(frame, Encoding::Binary).err();
    let refused = matches!(error, Some(DecodeError::TooManyParts { limit: MESSAGE_PARTS_MAX }));
    assert_eq!((error.is_none(), refused), (fits, !fits), "{error:?}");
}

#[test]
fn a_list_of_empty_subscriptions_is_bounded_before_it_is_allocated() {
    let subscriptions = |count| {
        let updates = vec![Default::default(); count];
        request(Message::UpdateDataSubscription(pb::UpdateDataSubscription { updates }))
    };
    check_parts(&subscriptions(MESSAGE_PARTS_MAX - 1), true);
    check_parts(&subscriptions(MESSAGE_PARTS_MAX), false);
}

#[test]
fn empty_media_tracks_of_a_sync_state_weigh_what_they_take() {
    let tracks = |count| {
        let publish_tracks = vec![Default::default(); count];
        request(Message::SyncState(pb::SyncState { publish_tracks, ..Default::default() }))
    };
    check_parts(&tracks(MESSAGE_PARTS_MAX / 8), true);
    check_parts(&tracks(MESSAGE_PARTS_MAX / 8 + 1), false);
}

#[test]
fn codecs_deep_in_a_sync_state_are_bounded_too() {
    let codecs = |count| {
        let track = pb::TrackInfo { codecs: vec![Default::default(); count], ..Default::default() };
        let published = pb::TrackPublishedResponse { track: Some(track), ..Default::default() };
        request(Message::SyncState(pb::SyncState { publish_tracks: vec![published], ..Default::default() }))
    };
    check_parts(&codecs(MESSAGE_PARTS_MAX - 9), true);
    check_parts(&codecs(MESSAGE_PARTS_MAX - 8), false);
}

#[test]
fn the_sync_state_of_as_many_tracks_as_there_are_handles_fits() {
    let all = 1..=65_535_u32;
    let info = |pub_handle| pb::DataTrackInfo {
        pub_handle,
        sid: "DTR_abc".to_owned(),
        name: format!("{pub_handle:x}"),
        encryption: pb::encryption::Type::Gcm as i32,
        ..Default::default()
    };
    let publish_data_tracks =
        all.clone().map(|handle| pb::PublishDataTrackResponse { info: Some(info(handle)) }).collect();
    let state = pb::SyncState { publish_data_tracks, ..Default::default() };
    let frame = request(Message::SyncState(state));
    assert!(frame.len() <= SIGNAL_MESSAGE_BYTES);
    let Ok(Some(Request::SyncState(state))) = Request::decode(&frame, Encoding::Binary) else { panic!() };
    assert_eq!(state.publish_data_tracks.len(), 65_535);
}

#[test]
fn a_subscription_to_as_many_tracks_as_there_are_handles_fits() {
    let update = |number: u32| DataSubscription {
        track_sid: format!("DTR_{number:012}"),
        subscribe: true,
        options: SubscriptionOptions::default(),
    };
    let request = Request::UpdateDataSubscription((0..65_535).map(update).collect());
    let frame = request.encode(Encoding::Binary);
    assert_eq!(Request::decode(&frame, Encoding::Binary).unwrap(), Some(request));
}

#[test]
fn objects_of_a_json_message_are_bounded() {
    let list = |count: usize| {
        let updates = vec!["{}"; count].join(",");
        format!(r#"{{"updateDataSubscription": {{"updates": [{updates}]}}}}"#)
    };
    let read = |text: String| Request::decode(text.as_bytes(), Encoding::Json);
    assert!(read(list(JSON_OBJECTS_MAX - 2)).is_ok());
    let error = read(list(JSON_OBJECTS_MAX - 1)).unwrap_err();
    assert!(matches!(error, DecodeError::TooManyParts { limit: JSON_OBJECTS_MAX }), "{error}");
}

#[test]
fn an_unknown_group_does_not_hide_a_list() {
    let group = [0xa3, 0x06, 0xa4, 0x06];
    let frame = |count| {
        let mut content = group.to_vec();
        let updates = vec![Default::default(); count];
        pb::UpdateDataSubscription { updates }.encode(&mut content).unwrap();
        let mut frame = group.to_vec();
        prost::encoding::bytes::encode(21, &content, &mut frame);
        frame
    };
    assert!(Request::decode(&frame(1), Encoding::Binary).unwrap().is_some(), "the decoder skips groups");
    check_parts(&frame(MESSAGE_PARTS_MAX), false);
}
