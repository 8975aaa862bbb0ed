//! Packets on their way: one of each kind of value, unknown fields and unknown kinds survive, forged senders do not.

use livekit_protocol as pb;
use pb::data_packet::Value as Arm;
use proptest::prelude::*;
use prost::Message;
use trackyard_proto::relay::{Delivery, MalformedPacket, Outline, Sender, Value, seal};

const SENDER: Sender<'_> = Sender { sid: "PA_real", identity: "real", is_agent: false };

fn packet(value: Arm) -> pb::DataPacket {
    pb::DataPacket {
        sequence: 7,
        participant_sid: "PA_forged".to_owned(),
        participant_identity: "forged".to_owned(),
        value: Some(value),
        ..pb::DataPacket::default()
    }
}

fn sealed(packet: &[u8], sender: Sender<'_>) -> Vec<u8> {
    let outline = Outline::of(packet).unwrap();
    seal(packet, &outline, sender, Delivery::Lossy).to_vec()
}

fn user() -> pb::UserPacket {
    #[allow(deprecated, reason = "what older clients forge")]
    pb::UserPacket {
        participant_sid: "PA_forged".to_owned(),
        participant_identity: "forged".to_owned(),
        payload: vec![1, 2, 3],
        topic: Some("topic".to_owned()),
        id: Some("id".to_owned()),
        start_time: Some(4),
        nonce: vec![9; 16],
        ..pb::UserPacket::default()
    }
}

fn text_header() -> pb::data_stream::Header {
    let text = pb::data_stream::TextHeader { reply_to_stream_id: "before".to_owned(), ..Default::default() };
    pb::data_stream::Header {
        stream_id: "s".to_owned(),
        content_header: Some(pb::data_stream::header::ContentHeader::TextHeader(text)),
        ..Default::default()
    }
}

/// One of each, with what the server is to know of it.
fn arms() -> Vec<(Arm, Value<'static>)> {
    vec![
        (Arm::SipDtmf(pb::SipDtmf { code: 1, digit: "1".to_owned() }), Value::Other),
        (Arm::Transcription(pb::Transcription::default()), Value::Transcription),
        (Arm::Metrics(pb::MetricsBatch::default()), Value::Metrics),
        (Arm::ChatMessage(pb::ChatMessage { message: "hi".to_owned(), ..Default::default() }), Value::Chat),
        (Arm::RpcRequest(pb::RpcRequest { id: "r".to_owned(), ..Default::default() }), Value::RpcRequest),
        (Arm::RpcAck(pb::RpcAck { request_id: "r".to_owned() }), Value::RpcAck { request_id: "r" }),
        (
            Arm::RpcResponse(pb::RpcResponse { request_id: "r".to_owned(), ..Default::default() }),
            Value::RpcResponse { request_id: "r" },
        ),
        (Arm::StreamHeader(text_header()), Value::TextStream),
        (Arm::StreamHeader(pb::data_stream::Header::default()), Value::ByteStream),
        (
            Arm::StreamChunk(pb::data_stream::Chunk { content: vec![5; 100], ..Default::default() }),
            Value::StreamChunk,
        ),
        (Arm::StreamTrailer(pb::data_stream::Trailer::default()), Value::StreamTrailer),
        (
            Arm::EncryptedPacket(pb::EncryptedPacket { iv: vec![1; 12], key_index: 3, ..Default::default() }),
            Value::Encrypted,
        ),
    ]
}

#[test]
fn every_kind_of_value_arrives_as_it_was_sent_under_its_real_sender() {
    for (arm, known) in arms() {
        let sent = packet(arm.clone()).encode_to_vec();
        assert_eq!(Outline::of(&sent).unwrap().value, known);
        let got = pb::DataPacket::decode(&*sealed(&sent, SENDER)).unwrap();
        let mut expected = packet(arm);
        expected.participant_sid = "PA_real".to_owned();
        expected.participant_identity = "real".to_owned();
        #[allow(deprecated, reason = "older clients read it")]
        {
            expected.kind = pb::data_packet::Kind::Lossy as i32;
        }
        assert_eq!(got, expected);
    }
}

#[test]
fn a_user_packet_names_its_real_sender_inside_as_well() {
    let sent = packet(Arm::User(user())).encode_to_vec();
    assert_eq!(Outline::of(&sent).unwrap().value, Value::User { nonce: &[9; 16] });
    let got = pb::DataPacket::decode(&*sealed(&sent, SENDER)).unwrap();
    let mut expected = user();
    #[allow(deprecated, reason = "older clients read it")]
    {
        expected.participant_sid = "PA_real".to_owned();
        expected.participant_identity = "real".to_owned();
    }
    assert_eq!(got.value, Some(Arm::User(expected)));
    assert_eq!(got.sequence, 7);
}

#[test]
fn a_hidden_sender_has_no_identity() {
    let sent = packet(Arm::User(user())).encode_to_vec();
    let got = pb::DataPacket::decode(&*sealed(&sent, Sender { identity: "", ..SENDER })).unwrap();
    assert_eq!((got.participant_identity.as_str(), got.participant_sid.as_str()), ("", "PA_real"));
    let Some(Arm::User(user)) = got.value else { panic!("another kind of value") };
    #[allow(deprecated, reason = "older clients read it")]
    {
        assert_eq!(user.participant_identity, "");
    }
}

#[test]
fn what_nobody_knows_here_survives() {
    let mut sent = packet(Arm::User(user())).encode_to_vec();
    // Field 90, a string, and 91, a varint, of a protocol to come.
    sent.extend_from_slice(&[0xd2, 0x05, 3, b'n', b'e', b'w', 0xd8, 0x05, 42]);
    let got = sealed(&sent, SENDER);
    assert!(got.starts_with(&sent), "what was sent is not changed");
    assert_eq!(Outline::of(&sent).unwrap().value, Value::User { nonce: &[9; 16] });
    // A kind of value of a protocol to come is forwarded, and is not taken for a user packet.
    let unknown = [0xa2, 0x06, 2, 1, 2];
    assert_eq!(Outline::of(&unknown).unwrap().value, Value::Other);
    assert!(sealed(&unknown, SENDER).starts_with(&unknown));
}

#[test]
fn a_packet_has_one_kind_of_value() {
    let mut sent = packet(Arm::User(user())).encode_to_vec();
    sent.extend([0x92, 0x01, 0]);
    assert_eq!(
        Outline::of(&sent),
        Err(MalformedPacket::Values),
        "who does not know the second would see a forged first"
    );
    let twice =
        [packet(Arm::User(user())).encode_to_vec(), packet(Arm::User(user())).encode_to_vec()].concat();
    assert!(Outline::of(&twice).is_ok());
}

#[test]
fn destinations_of_the_packet_come_before_those_of_the_user_packet() {
    let mut inside = user();
    #[allow(deprecated, reason = "what older clients write")]
    {
        inside.destination_identities = vec!["in".to_owned()];
        inside.destination_sids = vec!["PA_in".to_owned()];
    }
    let mut both = packet(Arm::User(inside));
    let alone = both.encode_to_vec();
    let outline = Outline::of(&alone).unwrap();
    assert_eq!(outline.destination_identities, ["in"]);
    assert_eq!(outline.destination_sids, ["PA_in"]);
    let got = pb::DataPacket::decode(&*sealed(&alone, SENDER)).unwrap();
    assert_eq!(got.destination_identities, ["in"]);
    both.destination_identities = vec!["a".to_owned(), "b".to_owned()];
    let bytes = both.encode_to_vec();
    let outline = Outline::of(&bytes).unwrap();
    assert_eq!(outline.destination_identities, ["a", "b"]);
    assert!(outline.destination_sids.is_empty());
    assert!(!outline.is_for_all());
}

#[test]
fn an_agent_may_write_for_another_and_that_shows() {
    let agent = Sender { is_agent: true, ..SENDER };
    let sent = packet(Arm::StreamHeader(text_header())).encode_to_vec();
    let got = pb::DataPacket::decode(&*sealed(&sent, agent)).unwrap();
    assert_eq!(got.participant_identity, "forged");
    assert_eq!(got.participant_sid, "PA_real");
    let Some(Arm::StreamHeader(header)) = got.value else { panic!("another kind of value") };
    let Some(pb::data_stream::header::ContentHeader::TextHeader(text)) = header.content_header else {
        panic!("no text")
    };
    assert!(text.generated);
    assert_eq!(text.reply_to_stream_id, "before");
    let chat = packet(Arm::ChatMessage(pb::ChatMessage::default())).encode_to_vec();
    let got = pb::DataPacket::decode(&*sealed(&chat, agent)).unwrap();
    assert!(matches!(got.value, Some(Arm::ChatMessage(chat)) if chat.generated));
    let bytes = packet(Arm::User(user())).encode_to_vec();
    assert_eq!(pb::DataPacket::decode(&*sealed(&bytes, agent)).unwrap().participant_identity, "real");
}

#[test]
fn what_is_no_packet_is_refused() {
    let check = |bytes: &[u8], expected| assert_eq!(Outline::of(bytes), Err(expected), "{bytes:?}");
    check(&[0xff], MalformedPacket::Field);
    check(&[0x12, 5, 1], MalformedPacket::Field);
    check(&[0x0b], MalformedPacket::Field);
    check(&[0x22, 1, 0xff], MalformedPacket::Text);
    check(&[0x12, 2, 0x32, 9], MalformedPacket::Field);
    check(&[0x2a, 0].repeat(5_000), MalformedPacket::Destinations);
    assert!(Outline::of(&[]).unwrap().is_for_all());
}

proptest! {
    #[test]
    fn any_bytes_are_looked_at_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(outline) = Outline::of(&bytes) {
            let sealed = seal(&bytes, &outline, SENDER, Delivery::Reliable);
            prop_assert!(sealed.starts_with(&bytes));
            prop_assert!(Outline::of(&sealed).is_ok());
        }
    }

    #[test]
    fn whatever_the_decoder_takes_keeps_its_value(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let (Ok(before), Ok(outline)) = (pb::DataPacket::decode(&*bytes), Outline::of(&bytes)) {
            let after = pb::DataPacket::decode(&*seal(&bytes, &outline, SENDER, Delivery::Lossy)).unwrap();
            prop_assert_eq!(after.participant_sid.as_str(), "PA_real");
            prop_assert_eq!(before.value.is_some(), after.value.is_some());
            prop_assert_eq!(before.sequence, after.sequence);
        }
    }
}
