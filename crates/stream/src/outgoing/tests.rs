//! What streams look like on the wire.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;
use trackyard_proto::DataPacket;
use trackyard_proto::packet::{
    Compression, PacketValue, StreamChunk, StreamContent, StreamHeader, StreamTrailer, TextHeader,
};

use super::*;
use crate::{Abilities, StreamError};

fn origin(abilities: Abilities) -> Origin {
    Origin { stream_id: "stream".to_owned(), unix_ms: 1_700_000_000_000, abilities }
}

fn options() -> StreamOptions {
    StreamOptions { destinations: vec!["you".to_owned()], ..StreamOptions::text("chat") }
}

/// Header, chunks and trailer; every packet addressed as wanted, chunks numbered from 0.
fn parts(packets: Vec<DataPacket>) -> (StreamHeader, Vec<Bytes>, Option<StreamTrailer>) {
    let (mut header, mut chunks, mut trailer) = (None, Vec::new(), None);
    for packet in packets {
        assert_eq!(packet.destination_identities, ["you"]);
        assert!(packet.encoded_len() <= CHUNK_BYTES + 200, "{} bytes", packet.encoded_len());
        assert!(trailer.is_none(), "nothing follows a trailer");
        match packet.value {
            PacketValue::StreamHeader(found) => assert!(header.replace(found).is_none()),
            PacketValue::StreamChunk(StreamChunk { chunk_index, content, .. }) => {
                assert!(header.is_some(), "a header comes first");
                assert_eq!(chunk_index, chunks.len() as u64);
                assert!((1..=CHUNK_BYTES).contains(&content.len()));
                chunks.push(content);
            }
            PacketValue::StreamTrailer(found) => trailer = Some(found),
            other => panic!("{other:?}"),
        }
    }
    (header.unwrap(), chunks, trailer)
}

fn inflated(chunks: &[Bytes]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut inflate = flate2::Decompress::new(false);
    let input = chunks.concat();
    out.reserve(64 << 20);
    let status = inflate.decompress_vec(&input, &mut out, flate2::FlushDecompress::Finish).unwrap();
    assert_eq!(status, flate2::Status::StreamEnd);
    assert_eq!(inflate.total_in(), input.len() as u64);
    out
}

/// Text that does not compress well.
fn noise(bytes: usize) -> String {
    let mut rng = fastrand::Rng::with_seed(7);
    std::iter::repeat_with(|| rng.alphanumeric()).take(bytes).collect()
}

#[test]
fn a_short_text_is_one_packet_where_all_can_read_that() {
    let sending = Sending::new(options(), "hello", &origin(Abilities::version(2))).unwrap();
    let (header, chunks, trailer) = parts(sending.collect());
    assert_eq!(header.inline_content.as_deref(), Some(&b"hello"[..]));
    assert_eq!((header.compression, header.total_length), (Compression::None, Some(5)));
    assert_eq!((&*header.topic, &*header.mime_type), ("chat", "text/plain"));
    assert_eq!(header.timestamp_ms, 1_700_000_000_000);
    assert_eq!(header.content, Some(StreamContent::Text(TextHeader::default())));
    assert!(chunks.is_empty() && trailer.is_none());
}

#[test]
fn for_others_it_is_three_packets() {
    for abilities in [Abilities::NONE, Abilities::version(1)] {
        let mut sending = Sending::new(options(), "hello", &origin(abilities)).unwrap();
        assert_eq!((sending.progress(), sending.is_done(), &*sending.info().id), (0.0, false, "stream"));
        let (header, chunks, trailer) = parts(sending.by_ref().collect());
        assert_eq!((header.inline_content, header.total_length), (None, Some(5)));
        assert_eq!(chunks, [Bytes::from_static(b"hello")]);
        assert_eq!(trailer.unwrap().reason, "");
        assert_eq!((sending.progress(), sending.is_done()), (1.0, true));
    }
}

#[test]
fn what_repeats_is_compressed_into_one_packet() {
    let text = "the same again, ".repeat(20_000);
    let sending = Sending::new(options(), text.clone(), &origin(Abilities::version(2))).unwrap();
    let (header, chunks, _) = parts(sending.collect());
    assert!(chunks.is_empty());
    assert_eq!((header.compression, header.total_length), (Compression::DeflateRaw, Some(320_000)));
    assert_eq!(inflated(&[header.inline_content.unwrap()]), text.as_bytes());
}

#[test]
fn what_is_long_is_compressed_into_chunks() {
    let text = noise(200_000);
    let sending = Sending::new(options(), text.clone(), &origin(Abilities::version(2))).unwrap();
    let (header, chunks, trailer) = parts(sending.collect());
    assert_eq!((header.compression, header.total_length), (Compression::DeflateRaw, Some(200_000)));
    assert!(header.inline_content.is_none() && trailer.is_some());
    assert!(chunks.iter().rev().skip(1).all(|chunk| chunk.len() == CHUNK_BYTES));
    assert!(chunks.len() < 200_000 / CHUNK_BYTES);
    assert_eq!(inflated(&chunks), text.as_bytes());
}

#[test]
fn nothing_is_compressed_for_those_who_cannot_read_it_or_if_it_is_not_wanted() {
    let text = "the same again, ".repeat(20_000);
    let never = StreamOptions { compress: Compress::Never, ..options() };
    for (options, abilities) in [
        (options(), Abilities::without_deflate(2)),
        (options(), Abilities::version(1)),
        (never, Abilities::version(2)),
    ] {
        let sending = Sending::new(options, text.clone(), &origin(abilities)).unwrap();
        let (header, chunks, trailer) = parts(sending.collect());
        assert_eq!((header.compression, header.inline_content), (Compression::None, None));
        assert_eq!(chunks.concat(), text.as_bytes());
        assert!(trailer.is_some());
    }
}

#[test]
fn what_does_not_become_shorter_is_not_compressed() {
    let mut rng = fastrand::Rng::with_seed(1);
    let picture: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(100_000).collect();
    assert!(!is_worth_compressing(&picture));
    assert!(!is_worth_compressing(&[]));
    assert!(is_worth_compressing(noise(1_000).as_bytes()));
    let options = StreamOptions { destinations: vec!["you".to_owned()], ..StreamOptions::bytes("files") };
    let sending = Sending::new(options, picture.clone(), &origin(Abilities::version(2))).unwrap();
    let (header, chunks, _) = parts(sending.collect());
    assert_eq!(header.compression, Compression::None);
    assert_eq!(header.content, Some(StreamContent::Bytes { name: "unknown".to_owned() }));
    assert_eq!(header.mime_type, "application/octet-stream");
    assert_eq!(chunks.concat(), picture);
}

#[test]
fn a_text_with_attachments_is_never_one_packet() {
    let text = TextHeader { attached_stream_ids: vec!["file".to_owned()], ..TextHeader::default() };
    let options = StreamOptions { content: StreamContent::Text(text), ..options() };
    let (header, chunks, trailer) =
        parts(Sending::new(options, "see this", &origin(Abilities::version(2))).unwrap().collect());
    assert_eq!((header.inline_content, chunks.len(), trailer.is_some()), (None, 1, true));
}

#[test]
fn chunks_of_text_end_where_characters_do() {
    // 15,000 is within a character in three of four cases.
    for shift in 0..4 {
        let text = format!("{}{}", "x".repeat(shift), "🤖".repeat(10_000));
        let sending = Sending::new(options(), text.clone(), &origin(Abilities::NONE)).unwrap();
        let (_, chunks, _) = parts(sending.collect());
        assert!(chunks.iter().all(|chunk| std::str::from_utf8(chunk).is_ok()));
        assert!(chunks.iter().rev().skip(1).all(|chunk| chunk.len() > CHUNK_BYTES - 4));
        assert_eq!(chunks.concat(), text.as_bytes());
    }
}

#[test]
fn a_header_that_is_too_large_is_refused() {
    let attributes = |bytes: usize| BTreeMap::from([("a".to_owned(), "x".repeat(bytes))]);
    let with = |bytes| StreamOptions { attributes: attributes(bytes), ..options() };
    for abilities in [Abilities::NONE, Abilities::version(2)] {
        let error = Sending::new(with(CHUNK_BYTES), "", &origin(abilities)).unwrap_err();
        assert!(matches!(error, StreamError::HeaderTooLarge { limit: CHUNK_BYTES, .. }), "{error}");
        assert!(Writer::new(with(CHUNK_BYTES), &origin(abilities)).is_err());
        // Where the header alone fits, the content goes into chunks.
        let sizes = CHUNK_BYTES - 150..CHUNK_BYTES;
        let last = sizes.rev().find(|bytes| Sending::new(with(*bytes), "ab", &origin(abilities)).is_ok());
        let sending = Sending::new(with(last.unwrap()), "ab", &origin(abilities)).unwrap();
        let (header, chunks, trailer) = parts(sending.collect());
        assert_eq!((header.inline_content, chunks.concat()), (None, b"ab".to_vec()));
        assert!(trailer.is_some());
    }
}

#[test]
fn what_is_written_goes_out_at_once_and_in_order() {
    let mut writer = Writer::new(options(), &origin(Abilities::version(2))).unwrap();
    assert!(writer.progress().is_none());
    let mut packets = Vec::new();
    for word in ["one ", "", "two ", "three"] {
        let mut content = Bytes::from_static(word.as_bytes());
        packets.extend(std::iter::from_fn(|| writer.next(&mut content)));
    }
    assert_eq!((packets.len(), writer.written()), (4, 13));
    let attributes = BTreeMap::from([("end".to_owned(), "yes".to_owned())]);
    packets.extend(std::iter::from_fn(|| writer.close(&attributes)));
    assert!(writer.is_closed() && writer.abort("late").is_none());
    let (header, chunks, trailer) = parts(packets);
    assert_eq!((header.total_length, header.compression), (None, Compression::None));
    assert_eq!(chunks, ["one ", "two ", "three"]);
    assert_eq!(
        trailer,
        Some(StreamTrailer { stream_id: "stream".to_owned(), reason: String::new(), attributes })
    );
}

#[test]
fn a_stream_of_which_nobody_knows_ends_without_a_word() {
    let mut writer = Writer::new(options(), &origin(Abilities::NONE)).unwrap();
    assert!(writer.abort("never mind").is_none());
    let mut sending = Sending::new(options(), "text", &origin(Abilities::NONE)).unwrap();
    assert!(sending.abort("never mind").is_none() && sending.next().is_none());
}

#[test]
fn a_stream_that_is_given_up_says_why() {
    let mut sending = Sending::new(options(), noise(40_000), &origin(Abilities::NONE)).unwrap();
    let mut packets: Vec<_> = sending.by_ref().take(2).collect();
    packets.extend(sending.abort("cancelled"));
    let (_, chunks, trailer) = parts(packets);
    assert_eq!((chunks.len(), &*trailer.unwrap().reason), (1, "cancelled"));
    assert!(sending.next().is_none());
}

#[test]
fn less_than_was_announced_is_said() {
    let options = StreamOptions { total_length: Some(10), ..options() };
    let mut writer = Writer::new(options, &origin(Abilities::NONE)).unwrap();
    let mut content = Bytes::from_static(b"12345");
    let mut packets: Vec<_> = std::iter::from_fn(|| writer.next(&mut content)).collect();
    assert_eq!((writer.progress(), writer.is_complete()), (Some(0.5), false));
    packets.extend(std::iter::from_fn(|| writer.close(&BTreeMap::new())));
    assert_eq!(parts(packets).2.unwrap().reason, "incomplete");
}

proptest! {
    /// However a file is cut on its way in, it comes out whole, in full chunks.
    #[test]
    fn a_file_in_blocks(
        seed in any::<u64>(),
        blocks in proptest::collection::vec(0_usize..70_000, 0..6),
        letters in 1_u8..=255,
        able in any::<bool>(),
    ) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let file: Vec<u8> =
            std::iter::repeat_with(|| rng.u8(..letters)).take(blocks.iter().sum()).collect();
        let options = StreamOptions {
            total_length: Some(file.len() as u64),
            destinations: vec!["you".to_owned()],
            ..StreamOptions::bytes("files")
        };
        let abilities = if able { Abilities::version(2) } else { Abilities::version(1) };
        let mut writer = Writer::compressed(options, &origin(abilities)).unwrap();
        let (mut packets, mut at) = (Vec::new(), 0);
        for block in blocks {
            let mut content = Bytes::copy_from_slice(&file[at..at + block]);
            packets.extend(std::iter::from_fn(|| writer.next(&mut content)));
            prop_assert!(content.is_empty());
            at += block;
        }
        packets.extend(std::iter::from_fn(|| writer.close(&BTreeMap::new())));
        let (header, chunks, trailer) = parts(packets);
        prop_assert_eq!(trailer.unwrap().reason, "");
        if able {
            prop_assert_eq!(header.compression, Compression::DeflateRaw);
            prop_assert!(chunks.iter().rev().skip(1).all(|chunk| chunk.len() == CHUNK_BYTES));
            prop_assert!(inflated(&chunks) == file);
        } else {
            prop_assert!(chunks.concat() == file);
        }
    }
}
