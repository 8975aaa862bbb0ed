//! Packets between participants: against the generated types, random ones there and back, bounds,
//! and the decoder under mutation.

use std::collections::BTreeMap;

use bytes::Bytes;
use fastrand::Rng;
use livekit_protocol as pb;
use pb::data_packet::Value;
use pb::data_stream as wire;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use prost::Message as _;
use trackyard_proto::limits::DATA_PACKET_BYTES;
use trackyard_proto::packet::{
    Compression, EncryptedPacket, PacketError, RpcAck, RpcErrorInfo, RpcRequest, RpcResponse, RpcResult,
    StreamChunk, StreamContent, StreamHeader, StreamTrailer, TextHeader, TextOperation, UserPacket,
    put_sequence,
};
use trackyard_proto::{DataPacket, Encryption, PacketKind, PacketValue};

use crate::mutation::mutated;

fn attributes() -> BTreeMap<String, String> {
    BTreeMap::from([("lk.rpc_request_id".to_owned(), "1".to_owned())])
}

fn header() -> StreamHeader {
    StreamHeader {
        stream_id: "stream".to_owned(),
        timestamp_ms: 1_700_000_000_123,
        topic: "chat".to_owned(),
        mime_type: "text/plain".to_owned(),
        total_length: Some(3),
        encryption: Encryption::None,
        attributes: attributes(),
        inline_content: Some(Bytes::from_static(b"abc")),
        compression: Compression::DeflateRaw,
        content: Some(StreamContent::Text(TextHeader {
            operation: TextOperation::Update,
            version: 2,
            reply_to_stream_id: "other".to_owned(),
            attached_stream_ids: vec!["file".to_owned()],
            generated: true,
        })),
    }
}

/// One of each kind.
fn values() -> Vec<PacketValue> {
    vec![
        PacketValue::User(UserPacket {
            payload: Bytes::from_static(b"payload"),
            topic: Some("chat".to_owned()),
            id: Some("id".to_owned()),
            start_time: Some(1),
            end_time: Some(2),
            nonce: Bytes::from_static(&[7; 16]),
        }),
        PacketValue::StreamHeader(header()),
        PacketValue::StreamChunk(StreamChunk {
            stream_id: "stream".to_owned(),
            chunk_index: 9,
            content: Bytes::from_static(b"chunk"),
            version: 1,
        }),
        PacketValue::StreamTrailer(StreamTrailer {
            stream_id: "stream".to_owned(),
            reason: "interrupted".to_owned(),
            attributes: attributes(),
        }),
        PacketValue::RpcRequest(RpcRequest {
            id: "call".to_owned(),
            method: "greet".to_owned(),
            payload: "{}".to_owned(),
            response_timeout_ms: 8_000,
            version: 1,
            compressed_payload: Bytes::from_static(b"z"),
        }),
        PacketValue::RpcAck(RpcAck { request_id: "call".to_owned() }),
        PacketValue::RpcResponse(RpcResponse {
            request_id: "call".to_owned(),
            result: Some(RpcResult::Error(RpcErrorInfo {
                code: 1500,
                message: "broken".to_owned(),
                data: "more".to_owned(),
            })),
        }),
        PacketValue::Encrypted(EncryptedPacket {
            encryption: Encryption::Gcm,
            iv: Bytes::from_static(&[1; 12]),
            key_index: 3,
            encrypted_value: Bytes::from_static(b"secret"),
        }),
    ]
}

fn packet(value: PacketValue) -> DataPacket {
    DataPacket {
        kind: PacketKind::Lossy,
        participant_sid: "PA_abc".to_owned(),
        participant_identity: "robot".to_owned(),
        destination_identities: vec!["a".to_owned(), "b".to_owned()],
        sequence: 42,
        value,
    }
}

#[test]
fn a_stream_header_is_what_official_clients_write() {
    let written = pb::DataPacket::decode(&*packet(PacketValue::StreamHeader(header())).encode()).unwrap();
    assert_eq!((written.sequence, &*written.participant_sid), (42, "PA_abc"));
    let Some(Value::StreamHeader(header)) = written.value else { panic!("no header") };
    assert_eq!((header.timestamp, header.total_length), (1_700_000_000_123, Some(3)));
    assert_eq!(header.compression(), wire::CompressionType::DeflateRaw);
    assert_eq!(header.inline_content.as_deref(), Some(&b"abc"[..]));
    let Some(wire::header::ContentHeader::TextHeader(text)) = header.content_header else {
        panic!("no text")
    };
    assert_eq!(text.operation_type(), wire::OperationType::Update);
    assert_eq!((text.version, text.generated), (2, true));
}

#[test]
#[allow(deprecated)]
fn the_sender_of_a_user_packet_may_stand_within_it() {
    let user = pb::UserPacket {
        participant_sid: "PA_old".to_owned(),
        participant_identity: "old".to_owned(),
        destination_identities: vec!["me".to_owned()],
        payload: b"x".to_vec(),
        ..Default::default()
    };
    let old = pb::DataPacket { value: Some(Value::User(user)), ..Default::default() };
    let read = DataPacket::decode(&old.encode_to_vec()).unwrap();
    assert_eq!((&*read.participant_sid, &*read.participant_identity), ("PA_old", "old"));
    assert_eq!(read.destination_identities, ["me"]);
    assert_eq!(read.kind, PacketKind::Reliable);
    let both = pb::DataPacket { participant_identity: "new".to_owned(), ..old };
    assert_eq!(DataPacket::decode(&both.encode_to_vec()).unwrap().participant_identity, "new");
}

#[test]
fn a_number_given_late_counts() {
    for value in values() {
        let unnumbered = DataPacket { sequence: 0, ..packet(value.clone()) };
        let mut bytes = unnumbered.encode();
        assert_eq!(bytes.len(), unnumbered.encoded_len());
        put_sequence(&mut bytes, 7);
        put_sequence(&mut bytes, u32::MAX);
        assert_eq!(DataPacket::decode(&bytes).unwrap(), DataPacket { sequence: u32::MAX, ..unnumbered });
    }
}

#[test]
fn every_kind_but_the_encrypted_is_encrypted() {
    for value in values() {
        let payload = value.encode_payload();
        assert_eq!(payload.is_none(), matches!(value, PacketValue::Encrypted(_)));
        if let Some(payload) = payload {
            assert_eq!(PacketValue::decode_payload(&payload).unwrap(), value);
        }
    }
    assert!(PacketValue::Other.encode_payload().is_none());
    assert_eq!(PacketValue::decode_payload(&[]).unwrap(), PacketValue::Other);
}

#[test]
fn what_has_no_name_here_is_other() {
    let metrics =
        pb::DataPacket { value: Some(Value::Metrics(pb::MetricsBatch::default())), ..Default::default() };
    assert_eq!(DataPacket::decode(&metrics.encode_to_vec()).unwrap().value, PacketValue::Other);
    // Field 200, which nobody knows yet.
    assert_eq!(DataPacket::decode(&[0xc2, 0x0c, 1, 0]).unwrap(), DataPacket::default());
    let mut odd = pb::DataPacket::from_header(|header| header.compression = 9);
    let Ok(DataPacket { value: PacketValue::StreamHeader(header), .. }) = DataPacket::decode(&odd) else {
        panic!("no header");
    };
    assert_eq!(header.compression, Compression::Unknown(9));
    odd.truncate(odd.len() - 1);
    assert!(matches!(DataPacket::decode(&odd), Err(PacketError::Protobuf(_))));
}

/// A header as the generated types write it.
trait FromHeader {
    fn from_header(change: impl FnOnce(&mut wire::Header)) -> Vec<u8>;
}

impl FromHeader for pb::DataPacket {
    fn from_header(change: impl FnOnce(&mut wire::Header)) -> Vec<u8> {
        let mut header = wire::Header { stream_id: "s".to_owned(), ..Default::default() };
        change(&mut header);
        Self { value: Some(Value::StreamHeader(header)), ..Default::default() }.encode_to_vec()
    }
}

#[test]
fn a_packet_may_be_as_large_as_a_channel_carries() {
    let user = |bytes: usize| {
        let payload = Bytes::from(vec![1; bytes]);
        PacketValue::User(UserPacket { payload, ..UserPacket::default() }).reliable(Vec::new()).encode()
    };
    let around = user(DATA_PACKET_BYTES / 2).len() - DATA_PACKET_BYTES / 2;
    assert!(DataPacket::decode(&user(DATA_PACKET_BYTES - around)).is_ok());
    let error = DataPacket::decode(&user(DATA_PACKET_BYTES - around + 1)).unwrap_err();
    assert!(matches!(error, PacketError::TooLarge { limit: DATA_PACKET_BYTES, .. }), "{error}");
    let error = PacketValue::decode_payload(&vec![0; DATA_PACKET_BYTES + 1]).unwrap_err();
    assert!(matches!(error, PacketError::TooLarge { .. }), "{error}");
}

#[test]
fn packets_under_mutation() {
    const INPUTS: usize = 200_000;
    let mut rng = Rng::with_seed(0x7ac8);
    let packets: Vec<_> = values().into_iter().map(|value| packet(value).encode()).collect();
    let payloads: Vec<_> = values().iter().filter_map(PacketValue::encode_payload).collect();
    let (mut accepted, mut within) = (0, 0);
    for _ in 0..INPUTS / 2 {
        if let Ok(packet) = DataPacket::decode(&mutated(&packets, &mut rng)) {
            assert_eq!(DataPacket::decode(&packet.encode()).unwrap(), packet);
            accepted += 1;
        }
        if let Ok(value) = PacketValue::decode_payload(&mutated(&payloads, &mut rng)) {
            let again = value.encode_payload().unwrap_or_default();
            assert_eq!(PacketValue::decode_payload(&again).unwrap(), value);
            within += 1;
        }
    }
    for accepted in [accepted, within] {
        assert!((INPUTS / 100..INPUTS / 2 - INPUTS / 100).contains(&accepted), "{accepted} accepted");
    }
}

fn text() -> impl Strategy<Value = String> {
    "\\PC{0,12}"
}

fn bytes() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..40).prop_map(Bytes::from)
}

fn texts() -> impl Strategy<Value = BTreeMap<String, String>> {
    btree_map(text(), text(), 0..4)
}

fn content() -> impl Strategy<Value = StreamContent> {
    let texts = (any::<i32>(), text(), vec(text(), 0..3), any::<bool>()).prop_map(
        |(version, reply_to_stream_id, attached_stream_ids, generated)| {
            StreamContent::Text(TextHeader {
                operation: TextOperation::Reaction,
                version,
                reply_to_stream_id,
                attached_stream_ids,
                generated,
            })
        },
    );
    prop_oneof![texts, text().prop_map(|name| StreamContent::Bytes { name })]
}

fn stream_header() -> impl Strategy<Value = StreamHeader> {
    let compression = prop_oneof![
        Just(Compression::None),
        Just(Compression::DeflateRaw),
        (2..i32::MAX).prop_map(Compression::Unknown)
    ];
    let rest = (option::of(bytes()), compression, option::of(content()));
    let most = (text(), 0..1_u64 << 62, text(), option::of(any::<u64>()), texts());
    (most, rest).prop_map(|((stream_id, timestamp_ms, topic, total_length, attributes), rest)| StreamHeader {
        stream_id,
        timestamp_ms,
        topic,
        mime_type: "any".to_owned(),
        total_length,
        encryption: Encryption::None,
        attributes,
        inline_content: rest.0,
        compression: rest.1,
        content: rest.2,
    })
}

fn value() -> impl Strategy<Value = PacketValue> {
    let user = (bytes(), option::of(text()), option::of(any::<u64>()), bytes()).prop_map(
        |(payload, topic, start_time, nonce)| {
            PacketValue::User(UserPacket { payload, topic, start_time, nonce, ..UserPacket::default() })
        },
    );
    let chunk = (text(), any::<u64>(), bytes()).prop_map(|(stream_id, chunk_index, content)| {
        PacketValue::StreamChunk(StreamChunk { stream_id, chunk_index, content, version: 0 })
    });
    let response = (text(), option::of(bytes()), text()).prop_map(|(request_id, compressed, payload)| {
        let result = compressed.map_or(RpcResult::Payload(payload), RpcResult::Compressed);
        PacketValue::RpcResponse(RpcResponse { request_id, result: Some(result) })
    });
    prop_oneof![user, stream_header().prop_map(PacketValue::StreamHeader), chunk, response]
}

proptest! {
    #[test]
    fn packets_there_and_back(value in value(), to in vec(text(), 0..4), sequence in any::<u32>()) {
        let packet = DataPacket { destination_identities: to, sequence, ..packet(value) };
        prop_assert_eq!(DataPacket::decode(&packet.encode()).unwrap(), packet);
    }
}
