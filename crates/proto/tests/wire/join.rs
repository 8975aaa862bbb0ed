//! The join request: its wrapping, its limits, and the parameters of v0.

use std::collections::BTreeMap;
use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use livekit_protocol as pb;
use pb::wrapped_join_request::Compression;
use prost::Message as _;
use trackyard_proto::join::{AttributesError, JoinDecodeError, JoinQuery, JoinRequest};
use trackyard_proto::limits::{JOIN_REQUEST_BYTES, JOIN_TRACK_PARTS_MAX, JOIN_TRACKS_MAX};

use crate::samples;

pub(crate) fn wrap(compression: i32, join_request: Vec<u8>) -> String {
    URL_SAFE.encode(pb::WrappedJoinRequest { compression, join_request }.encode_to_vec())
}

pub(crate) fn plain(request: &pb::JoinRequest) -> String {
    wrap(Compression::None as i32, request.encode_to_vec())
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn decode(parameter: &str) -> Result<JoinRequest, JoinDecodeError> {
    JoinRequest::decode_wrapped(parameter)
}

fn wire() -> pb::JoinRequest {
    pb::JoinRequest {
        client_info: Some(pb::ClientInfo {
            sdk: pb::client_info::Sdk::Python as i32,
            version: "1.2.0".to_owned(),
            protocol: 17,
            os: "linux".to_owned(),
            browser: "Firefox".to_owned(),
            client_protocol: 2,
            capabilities: vec![1, 2],
            ..Default::default()
        }),
        connection_settings: Some(pb::ConnectionSettings { auto_subscribe: true, ..Default::default() }),
        metadata: "m".to_owned(),
        participant_attributes: [("role".to_owned(), "arm".to_owned())].into(),
        publisher_offer: Some(pb::SessionDescription {
            r#type: "offer".to_owned(),
            sdp: "v=0\r\n".to_owned(),
            id: 3,
            mid_to_track_id: [("1".to_owned(), "TR_x".to_owned())].into(),
        }),
        reconnect: true,
        participant_sid: "PA_abc".to_owned(),
        ..Default::default()
    }
}

#[test]
fn plain_and_gzip_wrappings_are_read() {
    let expected = samples::join_request();
    assert_eq!(decode(&plain(&wire())).unwrap(), expected);
    let gzipped = wrap(Compression::Gzip as i32, gzip(&wire().encode_to_vec()));
    assert_eq!(decode(&gzipped).unwrap(), expected);
    assert_eq!(decode(&expected.encode_wrapped(false)).unwrap(), expected);
    assert_eq!(decode(&expected.encode_wrapped(true)).unwrap(), expected);
}

#[test]
fn what_we_send_is_what_the_generated_types_read() {
    let parameter = samples::join_request().encode_wrapped(false);
    let wrapped = pb::WrappedJoinRequest::decode(URL_SAFE.decode(parameter).unwrap().as_slice()).unwrap();
    assert_eq!(pb::JoinRequest::decode(wrapped.join_request.as_slice()).unwrap(), wire());
}

#[test]
fn absent_settings_mean_no_auto_subscribe() {
    let request = decode(&plain(&pb::JoinRequest::default())).unwrap();
    assert_eq!(request, JoinRequest::default());
    assert!(!request.settings.auto_subscribe);
}

#[test]
fn only_padded_url_safe_base64_is_read() {
    let wrapped = |metadata: &str| {
        let request = pb::JoinRequest { metadata: metadata.to_owned(), ..Default::default() };
        pb::WrappedJoinRequest { compression: 0, join_request: request.encode_to_vec() }.encode_to_vec()
    };
    // These texts encode to the characters that the two alphabets do not share, and to padding.
    let bytes = wrapped("\u{fbff}\u{fbfe}~~~??>>");
    let (url, standard) = (URL_SAFE.encode(&bytes), STANDARD.encode(&bytes));
    assert_ne!(url, standard);
    assert!(decode(&url).is_ok());
    assert!(matches!(decode(&standard), Err(JoinDecodeError::Base64(_))));
    let bytes = (0..3).map(|n| wrapped(&"x".repeat(n))).find(|bytes| bytes.len() % 3 != 0).unwrap();
    assert!(decode(&URL_SAFE.encode(&bytes)).is_ok());
    assert!(matches!(decode(&URL_SAFE_NO_PAD.encode(&bytes)), Err(JoinDecodeError::Base64(_))));
    assert!(matches!(decode("not base64!"), Err(JoinDecodeError::Base64(_))));
}

#[test]
fn a_malformed_request_is_told_from_one_that_is_too_large() {
    let none = |bytes: &[u8]| decode(&wrap(Compression::None as i32, bytes.to_vec()));
    let gzipped = |bytes: &[u8]| decode(&wrap(Compression::Gzip as i32, bytes.to_vec()));
    assert!(matches!(none(&[0xff]), Err(JoinDecodeError::Protobuf(_))));
    assert!(matches!(none(&[0x1a, 0x09, b'x']), Err(JoinDecodeError::Protobuf(_))), "cut short");
    assert!(matches!(decode(&URL_SAFE.encode([0xff])), Err(JoinDecodeError::Protobuf(_))));
    assert!(matches!(decode(&wrap(7, Vec::new())), Err(JoinDecodeError::Compression(7))));
    assert!(matches!(gzipped(b"no gzip"), Err(JoinDecodeError::Gzip(_))));
    let whole = gzip(&wire().encode_to_vec());
    assert!(matches!(gzipped(&whole[..whole.len() - 5]), Err(JoinDecodeError::Gzip(_))), "cut short");
}

#[test]
fn the_text_for_too_large_is_the_protocols() {
    let parameter = "A".repeat(JOIN_REQUEST_BYTES * 2);
    assert_eq!(decode(&parameter).unwrap_err().to_string(), "join request too large");
}

/// A request of exactly so many bytes.
fn of_size(bytes: usize) -> Vec<u8> {
    let request = |length| pb::JoinRequest { metadata: "x".repeat(length), ..Default::default() };
    let around = request(bytes).encoded_len() - bytes;
    let encoded = request(bytes - around).encode_to_vec();
    assert_eq!(encoded.len(), bytes);
    encoded
}

#[test]
fn one_mebibyte_is_read_and_one_byte_more_is_not() {
    let (fits, large) = (of_size(JOIN_REQUEST_BYTES), of_size(JOIN_REQUEST_BYTES + 1));
    assert!(decode(&wrap(0, fits.clone())).is_ok());
    assert!(matches!(decode(&wrap(0, large.clone())), Err(JoinDecodeError::TooLarge)));
    assert!(decode(&wrap(1, gzip(&fits))).is_ok());
    assert!(matches!(decode(&wrap(1, gzip(&large))), Err(JoinDecodeError::TooLarge)));
}

#[test]
fn a_decompression_bomb_is_given_up_at_the_limit() {
    // Two hundred times the limit.
    let zeros = vec![0; JOIN_REQUEST_BYTES];
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for _ in 0..200 {
        encoder.write_all(&zeros).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < JOIN_REQUEST_BYTES);
    assert!(matches!(decode(&wrap(1, bomb)), Err(JoinDecodeError::TooLarge)));
    let incompressible: Vec<u8> = (0..=JOIN_REQUEST_BYTES).map(|i| (i * 31) as u8).collect();
    assert!(matches!(decode(&wrap(1, incompressible)), Err(JoinDecodeError::TooLarge)), "compressed");
}

#[test]
fn sync_state_is_skipped_without_being_read() {
    let state = pb::SyncState { publish_tracks: vec![Default::default(); 400_000], ..Default::default() };
    let request = pb::JoinRequest { sync_state: Some(state), ..wire() };
    assert_eq!(decode(&plain(&request)).unwrap(), samples::join_request());
    let mut invalid = wire().encode_to_vec();
    invalid.extend([0x52, 0x01, 0xff]);
    assert_eq!(decode(&wrap(0, invalid)).unwrap(), samples::join_request());
}

#[test]
fn media_tracks_asked_for_along_are_kept_and_bounded() {
    let track = |number| pb::AddTrackRequest { cid: format!("cid{number}"), ..Default::default() };
    let asking = |count| {
        let add_track_requests = (0..count).map(track).collect();
        decode(&plain(&pb::JoinRequest { add_track_requests, ..Default::default() }))
    };
    let request = asking(JOIN_TRACKS_MAX).unwrap();
    assert_eq!(request.add_tracks.len(), JOIN_TRACKS_MAX);
    assert_eq!(request.add_tracks[1].media_track_cid(), Some("cid1"));
    assert!(matches!(asking(JOIN_TRACKS_MAX + 1), Err(JoinDecodeError::TooLarge)));
    assert_eq!(decode(&request.encode_wrapped(false)).unwrap(), request);
}

#[test]
fn layers_of_media_tracks_are_bounded_before_they_are_allocated() {
    let asking = |count| {
        let codec = pb::SimulcastCodec { layers: vec![Default::default(); count], ..Default::default() };
        let track = pb::AddTrackRequest { simulcast_codecs: vec![codec], ..Default::default() };
        decode(&plain(&pb::JoinRequest { add_track_requests: vec![track], ..Default::default() }))
    };
    assert!(asking(JOIN_TRACK_PARTS_MAX - 1).is_ok());
    assert!(matches!(asking(JOIN_TRACK_PARTS_MAX), Err(JoinDecodeError::TooLarge)));
}

fn query(text: &str) -> JoinQuery {
    JoinQuery::parse(text.split('&').filter_map(|pair| pair.split_once('=')))
}

#[test]
fn query_parameters_amount_to_a_join_request() {
    let text = "access_token=t&reconnect=1&sid=PA_abc&sdk=python&protocol=17&client_protocol=2\
        &version=1.2.0&os=linux&browser=Firefox&adaptive_stream=1&subscriber_allow_pause=true\
        &disable_ice_lite=1&auto_subscribe_data_track=1&publish=cam\
        &capabilities=CAP_PACKET_TRAILER,NO_SUCH, CAP_COMPRESSION_DEFLATE_RAW,CAP_PACKET_TRAILER";
    let query = query(text);
    assert_eq!(query.publish.as_deref(), Some("cam"));
    let request = query.strict().unwrap();
    assert_eq!(request.client, samples::join_request().client);
    assert!(request.reconnect && request.participant_sid == "PA_abc");
    let settings = request.settings;
    assert!(settings.auto_subscribe && settings.adaptive_stream && settings.subscriber_allow_pause);
    assert!(settings.disable_ice_lite && settings.auto_subscribe_data_track);
}

#[test]
fn an_absent_auto_subscribe_parameter_means_yes() {
    let auto = |text| query(text).request.settings.auto_subscribe;
    assert!(auto("") && auto("auto_subscribe=") && auto("auto_subscribe=1") && auto("auto_subscribe=true"));
    assert!(!auto("auto_subscribe=0") && !auto("auto_subscribe=false") && !auto("auto_subscribe=yes"));
}

#[test]
fn reconnect_is_1_or_true() {
    let reconnect = |text| query(text).request.reconnect;
    assert!(reconnect("reconnect=1") && reconnect("reconnect=true"));
    assert!(!reconnect("") && !reconnect("reconnect=0") && !reconnect("reconnect=2"));
}

#[test]
fn sdks_are_known_by_their_lower_case_names() {
    let known = "js ios swift android flutter go unity reactnative rust python cpp unityweb node esp32";
    for name in known.split(' ') {
        assert_ne!(query(&format!("sdk={name}")).request.client.sdk, "", "{name}");
    }
    assert_eq!(query("sdk=JS").request.client.sdk, "");
    assert_eq!(query("sdk=unheard-of").request.client.sdk, "");
    let sdk = |number| {
        let client_info = Some(pb::ClientInfo { sdk: number, ..Default::default() });
        decode(&plain(&pb::JoinRequest { client_info, ..Default::default() })).unwrap().client.sdk
    };
    let names = (0..=16).map(sdk).collect::<Vec<_>>().join(" ");
    let expected =
        " js swift android flutter go unity reactnative rust python cpp unityweb node unreal esp32 dotnet ";
    assert_eq!(names, expected);
    assert_eq!((sdk(-1), sdk(i32::MAX)), (String::new(), String::new()));
}

#[test]
fn attributes_are_base64_of_a_json_map() {
    let expected = BTreeMap::from([("role".to_owned(), "arm".to_owned()), ("e".to_owned(), String::new())]);
    let json = br#"{"role":"arm","e":""}"#;
    for text in [URL_SAFE.encode(json), URL_SAFE_NO_PAD.encode(json)] {
        let query = query(&format!("attributes={text}"));
        assert_eq!(query.strict().unwrap().attributes, expected);
    }
    assert_eq!(query("attributes=").strict().unwrap().attributes, BTreeMap::new());
}

#[test]
fn invalid_attributes_are_told_and_can_be_ignored() {
    let invalid = |json: &str| query(&format!("sid=PA_1&attributes={}", URL_SAFE.encode(json)));
    for json in ["", "null", "[]", r#"{"a": 1}"#, r#"{"a": {}}"#, "{"] {
        let query = if json.is_empty() { query("sid=PA_1&attributes=!") } else { invalid(json) };
        assert!(query.invalid_attributes.is_some(), "{json}");
        assert_eq!(query.request.participant_sid, "PA_1");
        assert!(query.request.attributes.is_empty());
        assert!(query.strict().is_err());
    }
    let large = query(&format!("attributes={}", "A".repeat(JOIN_REQUEST_BYTES + 1)));
    assert!(matches!(large.invalid_attributes, Some(AttributesError::TooLarge)));
}
