//! Many streams at once, in any order of turns.

use std::collections::BTreeMap;

use bytes::Bytes;
use fastrand::Rng;
use proptest::prelude::*;

use super::*;
use crate::Compress;

#[derive(Debug, Clone)]
struct Plan {
    content: Vec<u8>,
    is_text: bool,
    compress: Compress,
}

fn plan() -> impl Strategy<Value = Plan> {
    let text = ("\\PC{0,40}", 0_usize..2_000).prop_map(|(text, times)| text.repeat(times).into_bytes());
    let bytes = (any::<u64>(), 0_usize..40_000).prop_map(|(seed, length)| {
        let mut rng = Rng::with_seed(seed);
        std::iter::repeat_with(|| rng.u8(..)).take(length).collect()
    });
    let content =
        prop_oneof![text.prop_map(|text| (text, true)), bytes.prop_map(|bytes: Vec<u8>| (bytes, false))];
    (content, any::<bool>()).prop_map(|((content, is_text), compress)| {
        let compress = if compress { Compress::Auto } else { Compress::Never };
        Plan { content, is_text, compress }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn all_come_whole(
        plans in proptest::collection::vec(plan(), 1..6),
        version in 0..3,
        deflate in any::<bool>(),
        turns in proptest::collection::vec(any::<proptest::sample::Index>(), 0..400),
        reads in any::<u64>(),
    ) {
        let now = Instant::now();
        let [mut a, mut b] = ["a", "b"].map(Side::new);
        for medium in [Medium::Text, Medium::Bytes] {
            b.streams.register_topic(medium, "t").unwrap();
        }
        let abilities = if deflate { Abilities::version(version) } else { Abilities::without_deflate(version) };
        let mut contents = BTreeMap::new();
        let mut sendings = Vec::new();
        for Plan { content, is_text, compress } in plans {
            let options = if is_text { StreamOptions::text("t") } else { StreamOptions::bytes("t") };
            let origin = a.origin(abilities);
            let options = StreamOptions { compress, ..options };
            sendings.push(Sending::new(options, content.clone(), &origin).unwrap());
            contents.insert(origin.stream_id, content);
        }
        let mut turns = turns.into_iter();
        let (mut rng, mut readers) = (Rng::with_seed(reads), BTreeMap::new());
        while !sendings.is_empty() {
            let turn = turns.next().map_or(0, |index| index.index(sendings.len()));
            match sendings[turn].next() {
                Some(packet) => b.receive("a", &packet, now),
                None => drop(sendings.remove(turn)),
            }
            for event in b.events.drain(..) {
                if let Event::Opened { stream, info, content, .. } = event {
                    readers.insert(stream, (info.id, content, Vec::new(), false));
                }
            }
            // Readers look whenever they like.
            for (stream, reader) in &mut readers {
                if rng.bool() {
                    continue;
                }
                while !reader.3 {
                    match b.streams.take(*stream) {
                        Taken::Chunk(chunk) => reader.1.push(chunk),
                        Taken::Waiting => break,
                        Taken::Ended(end) => {
                            end.unwrap();
                            reader.1.finish().unwrap();
                            reader.3 = true;
                        }
                    }
                    while let Some(block) = reader.1.next_bytes().unwrap() {
                        reader.2.extend_from_slice(&block);
                    }
                }
            }
        }
        for (stream, (id, mut content, mut read, is_read)) in readers {
            if !is_read {
                read.extend(b.read(stream, &mut content).unwrap());
            }
            let sent = contents.remove(&id).unwrap();
            prop_assert!(sent == read, "{} bytes became {}", sent.len(), read.len());
        }
        prop_assert!(contents.is_empty());
        prop_assert!(matches!(b.streams.poll_output(), Output::Timeout(None)));
    }

    /// Any texts written one after the other are one text.
    #[test]
    fn a_text_grows(words in proptest::collection::vec("\\PC{0,30}", 0..20)) {
        let now = Instant::now();
        let [mut a, mut b] = ["a", "b"].map(Side::new);
        b.streams.register_topic(Medium::Text, "t").unwrap();
        let origin = a.origin(Abilities::version(2));
        let mut writer = crate::Writer::new(StreamOptions::text("t"), &origin).unwrap();
        for word in &words {
            let mut content = Bytes::from(word.clone());
            a.sent.extend(std::iter::from_fn(|| writer.next(&mut content)));
        }
        a.sent.extend(std::iter::from_fn(|| writer.close(&BTreeMap::new())));
        exchange(&mut [&mut a, &mut b], now);
        b.events.truncate(1);
        let Event::Opened { stream, mut content, .. } = b.event() else { panic!("it has begun") };
        let read = b.read(stream, &mut content).unwrap();
        prop_assert_eq!(String::from_utf8(read).unwrap(), words.concat());
    }
}
