//! Every arm of both signal messages, from the generated types.

use livekit_protocol as pb;
use pb::signal_request::Message as Sent;
use pb::signal_response::Message as Received;
use prost::Message as _;
use trackyard_proto::signal::{DecodeError, SignalTarget};
use trackyard_proto::{DisconnectReason, Encoding, Request, Response};

fn request(message: Sent) -> Request {
    let frame = pb::SignalRequest { message: Some(message) };
    let binary = Request::decode(&frame.encode_to_vec(), Encoding::Binary).unwrap().unwrap();
    let json = serde_json::to_vec(&frame).unwrap();
    assert_eq!(Request::decode(&json, Encoding::Json).unwrap().as_ref(), Some(&binary));
    binary
}

fn response(message: Received) -> Result<Response, DecodeError> {
    let frame = pb::SignalResponse { message: Some(message) };
    let binary = Response::decode(&frame.encode_to_vec(), Encoding::Binary);
    let json = Response::decode(&serde_json::to_vec(&frame).unwrap(), Encoding::Json);
    assert_eq!(json.ok(), binary.as_ref().ok().cloned());
    Ok(binary?.expect("it has an arm"))
}

#[test]
#[allow(deprecated, reason = "old clients still send it")]
fn requests_without_effect_are_known_by_name() {
    let check = |message, name| assert_eq!(request(message), Request::Other(name));
    check(Sent::Mute(Default::default()), "mute");
    check(Sent::Subscription(Default::default()), "subscription");
    check(Sent::TrackSetting(Default::default()), "track_setting");
    check(Sent::UpdateLayers(Default::default()), "update_layers");
    check(Sent::Simulate(Default::default()), "simulate");
    check(Sent::UpdateAudioTrack(Default::default()), "update_audio_track");
    check(Sent::UpdateVideoTrack(Default::default()), "update_video_track");
}

#[test]
fn every_other_request_has_a_type_of_its_own_even_when_empty() {
    use Request as R;
    assert!(matches!(request(Sent::Offer(Default::default())), R::Offer(_)));
    assert!(matches!(request(Sent::Answer(Default::default())), R::Answer(_)));
    assert!(matches!(request(Sent::Trickle(Default::default())), R::Trickle(_)));
    assert!(matches!(request(Sent::AddTrack(Default::default())), R::AddTrack { .. }));
    assert!(matches!(request(Sent::Leave(Default::default())), R::Leave(_)));
    assert!(matches!(request(Sent::Ping(0)), R::Ping(0)));
    assert!(matches!(request(Sent::PingReq(Default::default())), R::PingReq { .. }));
    assert!(matches!(request(Sent::SyncState(Default::default())), R::SyncState(_)));
    assert!(matches!(request(Sent::UpdateMetadata(Default::default())), R::UpdateMetadata(_)));
    assert!(matches!(request(Sent::PublishDataTrackRequest(Default::default())), R::PublishDataTrack(_)));
    let unpublish = Sent::UnpublishDataTrackRequest(Default::default());
    assert!(matches!(request(unpublish), R::UnpublishDataTrack { .. }));
    let update = Sent::UpdateDataSubscription(Default::default());
    assert!(matches!(request(update), R::UpdateDataSubscription(_)));
    let permission = Sent::SubscriptionPermission(Default::default());
    assert!(matches!(request(permission), R::SubscriptionPermission(_)));
    assert!(matches!(request(Sent::StoreDataBlobRequest(Default::default())), R::StoreDataBlob { .. }));
    assert!(matches!(request(Sent::GetDataBlobRequest(Default::default())), R::GetDataBlob { .. }));
}

#[test]
fn responses_for_media_are_known_by_name() {
    let check = |message, name| assert_eq!(response(message).unwrap(), Response::Other(name));
    check(Received::TrackPublished(Default::default()), "track_published");
    check(Received::Mute(Default::default()), "mute");
    check(Received::SpeakersChanged(Default::default()), "speakers_changed");
    check(Received::ConnectionQuality(Default::default()), "connection_quality");
    check(Received::StreamStateUpdate(Default::default()), "stream_state_update");
    check(Received::SubscribedQualityUpdate(Default::default()), "subscribed_quality_update");
    check(Received::TrackUnpublished(Default::default()), "track_unpublished");
    check(Received::SubscriptionResponse(Default::default()), "subscription_response");
    check(Received::TrackSubscribed(Default::default()), "track_subscribed");
    check(Received::RoomMoved(Default::default()), "room_moved");
    check(Received::SubscribedAudioCodecUpdate(Default::default()), "subscribed_audio_codec_update");
}

#[test]
fn responses_without_what_clients_unwrap_are_refused() {
    let check = |message, field| match response(message) {
        Err(DecodeError::Missing(name)) => assert_eq!(name, field),
        other => panic!("{other:?}"),
    };
    check(Received::StoreDataBlobResponse(Default::default()), "key");
    check(Received::GetDataBlobResponse(Default::default()), "blob");
    check(Received::Join(Default::default()), "room");
    let no_participant = pb::JoinResponse { room: Some(Default::default()), ..Default::default() };
    check(Received::Join(no_participant), "participant");
    check(Received::RoomUpdate(Default::default()), "room");
    check(Received::PublishDataTrackResponse(Default::default()), "info");
    check(Received::UnpublishDataTrackResponse(Default::default()), "info");
}

#[test]
fn handles_beyond_sixteen_bits_are_refused() {
    let info = |pub_handle| pb::DataTrackInfo { pub_handle, ..Default::default() };
    let published = |handle| {
        response(Received::PublishDataTrackResponse(pb::PublishDataTrackResponse {
            info: Some(info(handle)),
        }))
    };
    assert!(published(65_535).is_ok());
    assert!(matches!(published(65_536), Err(DecodeError::OutOfRange("pub_handle"))));
    let handles = |handle| {
        let sub_handles = [(handle, Default::default())].into();
        response(Received::DataTrackSubscriberHandles(pb::DataTrackSubscriberHandles { sub_handles }))
    };
    assert!(handles(65_535).is_ok());
    assert!(matches!(handles(65_536), Err(DecodeError::OutOfRange("sub_handles"))));
}

#[test]
fn older_servers_are_read_by_their_legacy_fields() {
    let join = pb::JoinResponse {
        room: Some(pb::Room { creation_time: 5, ..Default::default() }),
        participant: Some(pb::ParticipantInfo { joined_at: 7, ..Default::default() }),
        server_version: "1.8.0".to_owned(),
        server_region: "there".to_owned(),
        ..Default::default()
    };
    let Ok(Response::Join(join)) = response(Received::Join(join)) else { panic!("not a join") };
    assert_eq!((join.server_version.as_str(), join.region.as_str()), ("1.8.0", "there"));
    assert_eq!((join.room.creation_time_ms, join.participant.joined_at_ms), (5000, 7000));
}

#[test]
fn an_empty_message_and_an_arm_of_the_future_are_none() {
    for frame in [&[][..], &[0xc2, 0x3e, 0x00], &[0xc0, 0x3e, 0x01]] {
        assert!(Request::decode(frame, Encoding::Binary).unwrap().is_none());
        assert!(Response::decode(frame, Encoding::Binary).unwrap().is_none());
    }
    for frame in ["{}", r#"{"fromTheFuture": {"a": [1, null]}}"#] {
        assert!(Request::decode(frame.as_bytes(), Encoding::Json).unwrap().is_none());
        assert!(Response::decode(frame.as_bytes(), Encoding::Json).unwrap().is_none());
    }
}

#[test]
fn numbers_that_name_nothing_have_a_meaning() {
    let leave = pb::LeaveRequest { reason: 99, ..Default::default() };
    let frame = pb::SignalRequest { message: Some(Sent::Leave(leave)) }.encode_to_vec();
    let Ok(Some(Request::Leave(leave))) = Request::decode(&frame, Encoding::Binary) else { panic!() };
    assert_eq!(leave.reason, DisconnectReason::Unknown);
    let trickle = pb::TrickleRequest { target: -5, ..Default::default() };
    let frame = pb::SignalRequest { message: Some(Sent::Trickle(trickle)) }.encode_to_vec();
    let Ok(Some(Request::Trickle(trickle))) = Request::decode(&frame, Encoding::Binary) else { panic!() };
    assert_eq!(trickle.target, SignalTarget::Publisher);
}

#[test]
fn sync_state_tells_sids_cids_and_entries_without_info_apart() {
    let track = |sid: &str| pb::TrackInfo { sid: sid.to_owned(), ..Default::default() };
    let published = |cid: &str, track| pb::TrackPublishedResponse { cid: cid.to_owned(), track };
    let data = |sid: &str| pb::DataTrackInfo { sid: sid.to_owned(), ..Default::default() };
    let state = pb::SyncState {
        publish_tracks: vec![published("c1", Some(track("TR_1"))), published("c2", None)],
        publish_data_tracks: vec![
            pb::PublishDataTrackResponse { info: Some(data("DTR_1")) },
            pb::PublishDataTrackResponse { info: None },
        ],
        ..Default::default()
    };
    let Request::SyncState(state) = request(Sent::SyncState(state)) else { panic!("not a sync state") };
    assert_eq!(state.publish_tracks, ["TR_1", "c2"]);
    assert_eq!(state.publish_data_tracks, [Some("DTR_1".to_owned()), None]);
}

#[test]
fn empty_name_and_metadata_are_unchanged_and_an_empty_attribute_stays() {
    let update = pb::UpdateParticipantMetadata {
        attributes: [("k".to_owned(), String::new())].into(),
        request_id: 3,
        ..Default::default()
    };
    let Request::UpdateMetadata(update) = request(Sent::UpdateMetadata(update)) else { panic!() };
    assert_eq!((update.request_id, update.name, update.metadata), (3, None, None));
    assert_eq!(update.attributes.get("k").map(String::as_str), Some(""));
    assert_eq!(update.echo.name(), "update_metadata");
}
