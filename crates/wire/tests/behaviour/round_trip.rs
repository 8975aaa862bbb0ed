//! What is built can be read, and what is cut can be reassembled.

use proptest::prelude::*;
use trackyard_wire::{
    Encryption, Extensions, FrameNumber, HEADER_BYTES_MAX, Handle, Header, PacketBuilder, Packetizer,
    Reassembler, Sequence, SourceFrame, patch_handle,
};

fn handles() -> impl Strategy<Value = Handle> {
    (1..=u16::MAX).prop_map(|value| Handle::new(value).unwrap())
}

fn extensions() -> impl Strategy<Value = Extensions> {
    let encryption =
        (any::<u8>(), any::<[u8; 12]>()).prop_map(|(key_index, iv)| Encryption { key_index, iv });
    (proptest::option::of(encryption), any::<Option<u64>>())
        .prop_map(|(encryption, user_timestamp)| Extensions { encryption, user_timestamp })
}

prop_compose! {
    fn builders()(
        handle in handles(),
        extensions in extensions(),
        (start, last, sequence, frame, timestamp) in
            any::<(bool, bool, u16, u16, u32)>(),
    ) -> PacketBuilder {
        let (sequence, frame) = (Sequence::new(sequence), FrameNumber::new(frame));
        PacketBuilder { start, last, handle, sequence, frame, timestamp, extensions }
    }
}

proptest! {
    #[test]
    fn a_built_packet_reads_as_it_was_built(
        builder in builders(),
        payload in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        let packet = builder.build(&payload);
        let header = Header::parse(&packet).unwrap();
        let expected = Header {
            start: builder.start,
            last: builder.last,
            handle: builder.handle,
            sequence: builder.sequence,
            frame: builder.frame,
            timestamp: builder.timestamp,
            payload_offset: builder.header_bytes(),
        };
        prop_assert_eq!(header, expected);
        prop_assert_eq!(header.extensions(&packet), builder.extensions);
        prop_assert_eq!(&packet[header.payload_offset..], &payload[..]);
    }

    #[test]
    fn a_patched_packet_differs_in_its_handle_only(builder in builders(), handle in handles()) {
        let mut packet = builder.build(b"payload");
        patch_handle(&mut packet, handle);
        prop_assert_eq!(packet, PacketBuilder { handle, ..builder }.build(b"payload"));
    }

    #[test]
    fn a_cut_frame_is_reassembled(
        payload in proptest::collection::vec(any::<u8>(), 0..5_000),
        extensions in extensions(),
        room in 40..2_000_usize,
        (sequence, frame) in any::<(u16, u16)>(),
        seed in any::<u64>(),
    ) {
        let handle = Handle::new(1).unwrap();
        let numbers = (Sequence::new(sequence), FrameNumber::new(frame));
        let mut packetizer =
            Packetizer::new(handle, HEADER_BYTES_MAX + room).unwrap().starting_at(numbers.0, numbers.1);
        let source = SourceFrame { payload: &payload, extensions, timestamp: 7 };
        let mut packets: Vec<_> = packetizer.packetize(source).unwrap().collect();
        let middles = 1..packets.len().saturating_sub(1).max(1);
        if packets.len() > 1 {
            fastrand::Rng::with_seed(seed).shuffle(&mut packets[middles]);
        }

        let mut reassembler = Reassembler::new(payload.len());
        let mut frames = Vec::new();
        for packet in &packets {
            let pushed = reassembler.push(packet).unwrap();
            prop_assert_eq!(pushed.dropped, None);
            frames.extend(pushed.frame);
        }
        prop_assert_eq!(frames.len(), 1);
        prop_assert_eq!(&frames[0].payload, &payload);
        prop_assert_eq!(frames[0].extensions, extensions);
        prop_assert_eq!(frames[0].number, numbers.1);
        prop_assert_eq!(reassembler.buffered_bytes(), 0);
    }
}
