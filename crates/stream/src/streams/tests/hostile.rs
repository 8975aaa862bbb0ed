//! Anything that anybody may send.

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use trackyard_proto::packet::{
    Compression, RpcAck, RpcErrorInfo, RpcRequest, RpcResponse, RpcResult, StreamChunk, StreamHeader,
    StreamTrailer, TextHeader,
};

use super::*;
use crate::{CallRequest, RpcError};

fn id() -> impl Strategy<Value = String> {
    prop_oneof![Just("1"), Just("2"), Just("3"), Just("")].prop_map(str::to_owned)
}

fn bytes() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..300).prop_map(Bytes::from),
        Just(Bytes::from(vec![b'x'; 9_000])),
        // DEFLATE of a few bytes.
        Just(Bytes::from_static(&[0x4b, 0x4c, 0x4a, 0x06, 0x00])),
    ]
}

fn attributes() -> impl Strategy<Value = BTreeMap<String, String>> {
    let key = prop_oneof![
        Just("lk.rpc_request_id"),
        Just("lk.rpc_request_method"),
        Just("lk.rpc_request_response_timeout_ms"),
        Just("lk.rpc_request_version")
    ];
    let value = prop_oneof![Just("1"), Just("2"), Just("m"), Just(""), Just("-9"), Just("99999999999")];
    let pair = (key.prop_map(str::to_owned), value.prop_map(str::to_owned));
    proptest::collection::btree_map(pair.0, pair.1, 0..5)
}

fn header() -> impl Strategy<Value = StreamHeader> {
    let topic = prop_oneof![Just("t"), Just("other"), Just("lk.rpc_request"), Just("lk.rpc_response")];
    let size = proptest::option::of(prop_oneof![0_u64..400, Just(u64::MAX)]);
    let compression =
        prop_oneof![Just(Compression::None), Just(Compression::DeflateRaw), Just(Compression::Unknown(5))];
    let content = prop_oneof![
        Just(None),
        Just(Some(StreamContent::Text(TextHeader::default()))),
        Just(Some(StreamContent::Bytes { name: "n".to_owned() }))
    ];
    (id(), topic, size, attributes(), proptest::option::of(bytes()), compression, content).prop_map(
        |(stream_id, topic, total_length, attributes, inline_content, compression, content)| StreamHeader {
            stream_id,
            topic: topic.to_owned(),
            total_length,
            attributes,
            inline_content,
            compression,
            content,
            ..StreamHeader::default()
        },
    )
}

fn value() -> impl Strategy<Value = PacketValue> {
    let chunk = (id(), prop_oneof![0_u64..5, Just(u64::MAX)], bytes()).prop_map(
        |(stream_id, chunk_index, content)| {
            PacketValue::StreamChunk(StreamChunk { stream_id, chunk_index, content, version: 0 })
        },
    );
    let trailer = (id(), prop_oneof![Just(""), Just("no")]).prop_map(|(stream_id, reason)| {
        let reason = reason.to_owned();
        PacketValue::StreamTrailer(StreamTrailer { stream_id, reason, ..StreamTrailer::default() })
    });
    let request = (id(), prop_oneof![Just("m"), Just("none")], 0_u32..3, any::<u32>()).prop_map(
        |(id, method, version, response_timeout_ms)| {
            let method = method.to_owned();
            PacketValue::RpcRequest(RpcRequest {
                id,
                method,
                version,
                response_timeout_ms,
                ..RpcRequest::default()
            })
        },
    );
    let ack = id().prop_map(|request_id| PacketValue::RpcAck(RpcAck { request_id }));
    let result = prop_oneof![
        Just(None),
        Just(Some(RpcResult::Payload("p".to_owned()))),
        Just(Some(RpcResult::Compressed(Bytes::from_static(b"x")))),
        Just(Some(RpcResult::Error(RpcErrorInfo {
            code: 3, message: "ä".repeat(400), data: String::new()
        })))
    ];
    let response = (id(), result)
        .prop_map(|(request_id, result)| PacketValue::RpcResponse(RpcResponse { request_id, result }));
    prop_oneof![3 => header().prop_map(PacketValue::StreamHeader), 4 => chunk, 2 => trailer, 1 => request, 1 => ack, 1 => response]
}

#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant)]
enum Step {
    Packet(&'static str, PacketValue, bool),
    Left(&'static str),
    Over,
    Wait(u64),
    Take,
    Close,
    Respond,
    Call,
}

fn step() -> impl Strategy<Value = Step> {
    let sender = || prop_oneof![Just("a"), Just("b"), Just("")];
    prop_oneof![
        20 => (sender(), value(), any::<bool>()).prop_map(|(sender, value, plain)| Step::Packet(sender, value, plain)),
        1 => sender().prop_map(Step::Left),
        1 => Just(Step::Over),
        1 => (0_u64..5_000_000).prop_map(Step::Wait),
        6 => Just(Step::Take),
        2 => Just(Step::Close),
        2 => Just(Step::Respond),
        2 => Just(Step::Call),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Nothing panics, bounds hold, each call has one end, and in the end nothing is left.
    #[test]
    fn anything_is_borne(steps in proptest::collection::vec(step(), 0..200)) {
        let config = StreamsConfig {
            incoming: IncomingConfig {
                streams_max: 6,
                streams_per_sender_max: 4,
                bytes_max: 60_000,
                stream_bytes_max: 30_000,
                ..IncomingConfig::default()
            },
            rpc: RpcConfig {
                calls_max: 4,
                invocations_max: 4,
                invocations_per_caller_max: 3,
                held_max: 2,
                payload_bytes_max: 1_000,
            },
        };
        let mut side = Side::with("me", config);
        let mut now = Instant::now();
        side.streams.register_topic(Medium::Text, "t").unwrap();
        side.streams.register_topic(Medium::Bytes, "t").unwrap();
        side.streams.register_method("m").unwrap();
        side.streams.hold_until(now + Duration::from_secs(600));
        let (mut open, mut invoked) = (Vec::new(), Vec::new());
        let (mut calls, mut ended) = (0, 0);
        for step in steps {
            match step {
                Step::Packet(sender, value, plain) => {
                    let packet = DataPacket {
                        participant_identity: sender.to_owned(),
                        ..value.reliable(vec!["me".to_owned()])
                    };
                    let encryption = if plain { Encryption::None } else { Encryption::Gcm };
                    prop_assert!(side.streams.handle(packet, encryption, now).is_none());
                }
                Step::Left(identity) => side.streams.participant_left(identity),
                Step::Over => side.streams.session_over(),
                Step::Wait(ms) => {
                    now += Duration::from_millis(ms);
                    side.streams.handle_timeout(now);
                }
                Step::Take => {
                    for (stream, content) in &mut open {
                        if let Taken::Chunk(chunk) = side.streams.take(*stream) {
                            content_of(content, chunk);
                        }
                    }
                }
                Step::Close => open.drain(..).for_each(|(stream, _)| side.streams.close(stream)),
                Step::Respond => {
                    for mut invocation in invoked.drain(..) {
                        let invocation: &mut Invocation = &mut invocation;
                        let result = invocation.take_payload();
                        let origin = side.origin(Abilities::version(2));
                        side.streams.respond(invocation.id, result, &origin);
                        prop_assert!(side.streams.respond(invocation.id, Ok(String::new()), &origin).is_none());
                    }
                }
                Step::Call => {
                    let made: Result<_, RpcError> = side.streams.call(CallRequest::new("a", "m", "p"), now);
                    calls += usize::from(made.is_ok());
                }
            }
            side.settle();
            for event in side.events.drain(..) {
                match event {
                    Event::Opened { stream, content, .. } => open.push((stream, content)),
                    Event::Invoked(invocation) => invoked.push(invocation),
                    Event::Answered(..) => ended += 1,
                    Event::Changed(_) => {}
                }
            }
            prop_assert!(side.streams.incoming.bytes_held() <= 60_000 + 6 * 2_000);
            prop_assert!(side.streams.calls.len() <= 6);
        }
        side.streams.session_over();
        side.streams.handle_timeout(now + Duration::from_secs(600));
        side.settle();
        open.iter().for_each(|(stream, _)| side.streams.close(*stream));
        ended += side.events.iter().filter(|event| matches!(event, Event::Answered(..))).count();
        prop_assert_eq!(calls, ended);
        // What was told last and read by nobody.
        let last: Vec<_> = side.events.drain(..).collect();
        for event in last {
            if let Event::Opened { stream, .. } = event {
                side.streams.close(stream);
            }
        }
        prop_assert_eq!((side.streams.incoming.bytes_held(), side.streams.calls.len()), (0, 0));
    }
}

fn content_of(content: &mut Content, chunk: Bytes) {
    content.push(chunk);
    while let Ok(Some(block)) = content.next_bytes() {
        assert!(block.len() <= 64 * 1024);
    }
    if content.next_bytes().is_err() {
        // Nobody reads on after an error.
        *content = Content::new(&StreamInfo::of(&text(), Encryption::None).unwrap(), Compression::None);
    }
}

fn text() -> StreamHeader {
    StreamHeader { content: Some(StreamContent::Text(TextHeader::default())), ..StreamHeader::default() }
}
