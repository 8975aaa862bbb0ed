//! Two associations, and a link between them that a test can cut.

use std::time::Duration;

use super::*;

/// What a link does with a record.
type Link<'l> = &'l mut dyn FnMut(&Bytes) -> bool;

const STEP: Duration = Duration::from_millis(5);
const BUFFERED_BYTES_MAX: usize = 64 * 1024;

struct Pair {
    now: Instant,
    sides: [Sctp; 2],
    events: [Vec<ConnectionEvent>; 2],
}

impl Pair {
    fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "any instant will do; only differences count")]
        let now = Instant::now();
        let side = |makes_channels| {
            Sctp::new(SctpConfig {
                mtu: 1_200,
                message_bytes_max: 65_535,
                buffered_bytes_max: BUFFERED_BYTES_MAX,
                makes_channels,
            })
        };
        let mut pair = Self { now, sides: [side(true), side(false)], events: [Vec::new(), Vec::new()] };
        pair.sides[0].connect();
        pair
    }

    fn connected() -> Self {
        let mut pair = Self::new();
        pair.run(20, &mut |_| true);
        for (side, events) in pair.sides.iter().zip(&mut pair.events) {
            assert!(KINDS.into_iter().all(|kind| side.is_open(kind)), "{events:?}");
            assert_eq!(events.len(), 3, "{events:?}");
            events.clear();
        }
        pair
    }

    /// So many steps of 5 ms, over a link that passes what `passes` says.
    fn run(&mut self, steps: u32, passes: Link<'_>) {
        for _ in 0..steps {
            for from in 0..2 {
                self.sides[from].handle_timeout(self.now);
                while let Some(event) = self.sides[from].poll_event() {
                    self.events[from].push(event);
                }
                while let Some(records) = self.sides[from].poll_transmit(self.now) {
                    for record in records.into_iter().filter(&mut *passes) {
                        self.sides[1 - from].handle_record(record, self.now);
                    }
                }
            }
            self.now += STEP;
        }
    }

    fn messages(&self, side: usize, wanted: ChannelKind) -> Vec<&Bytes> {
        let message = |event| match event {
            &ConnectionEvent::Message(kind, ref message) if kind == wanted => Some(message),
            _ => None,
        };
        self.events[side].iter().filter_map(message).collect()
    }
}

#[test]
fn messages_of_all_lengths_arrive_whole_both_ways() {
    let mut pair = Pair::connected();
    for length in [0, 1, 1_000, 1_113, 16_000, 60_000] {
        for side in 0..2 {
            assert!(pair.sides[side].write(ChannelKind::Reliable, &vec![7; length]), "{length} bytes");
        }
        pair.run(200, &mut |_| true);
        for side in 0..2 {
            let came = pair.messages(side, ChannelKind::Reliable);
            assert_eq!(came.last().map(|message| message.len()), Some(length));
            assert_eq!(pair.sides[side].buffered(ChannelKind::Reliable), 0, "after {length} bytes");
        }
    }
}

#[test]
fn a_full_channel_leaves_the_others_their_room() {
    let mut pair = Pair::connected();
    while pair.sides[0].write(ChannelKind::Reliable, &[1; 8_000]) {}
    let held = pair.sides[0].buffered(ChannelKind::Reliable);
    assert!((BUFFERED_BYTES_MAX - 8_000..=BUFFERED_BYTES_MAX).contains(&held), "{held}");
    assert!(pair.sides[0].write(ChannelKind::DataTrack, &[2; 8_000]));
    pair.run(200, &mut |_| true);
    assert_eq!(pair.messages(1, ChannelKind::DataTrack).len(), 1);
    assert_eq!(pair.sides[0].buffered(ChannelKind::Reliable), 0);
}

#[test]
fn a_path_that_returns_after_8_s_is_in_use_again_within_2_s() {
    let mut pair = Pair::connected();
    for _ in 0..1_600 {
        pair.sides[0].write(ChannelKind::DataTrack, &[3; 500]);
        pair.run(1, &mut |_| false);
    }
    let cut = pair.now;
    while pair.messages(1, ChannelKind::DataTrack).is_empty() {
        pair.sides[0].write(ChannelKind::DataTrack, &[4; 500]);
        pair.run(1, &mut |_| true);
        assert!(pair.now - cut <= Duration::from_secs(2), "still nothing after {:?}", pair.now - cut);
    }
}

#[test]
fn what_is_lost_on_a_lossy_channel_is_not_repeated_and_blocks_nothing() {
    let mut pair = Pair::connected();
    let mut count = 0;
    for _ in 0..300 {
        pair.sides[0].write(ChannelKind::DataTrack, &[5; 800]);
        pair.run(1, &mut |record| {
            count += 1;
            record.len() < 500 || count % 10 != 0
        });
    }
    pair.run(400, &mut |_| true);
    let came = pair.messages(1, ChannelKind::DataTrack).len();
    assert!((230..300).contains(&came), "{came} of 300");
    assert_eq!(pair.sides[0].buffered(ChannelKind::DataTrack), 0);
}

#[test]
fn channels_that_mean_nothing_here_are_closed_once_they_are_many() {
    let mut pair = Pair::connected();
    for number in 0..40_u16 {
        let (_, association) = pair.sides[0].association.as_mut().unwrap();
        let mut stream = association.open_stream(100 + 2 * number, Ppi::Binary).unwrap();
        stream.write_with_ppi(&dcep::open(delivery(ChannelKind::Lossy), "telemetry"), Ppi::Dcep).unwrap();
        pair.run(4, &mut |_| true);
    }
    pair.run(400, &mut |_| true);
    assert_eq!(pair.sides[1].unknown_channels(), 40);
    let (_, association) = pair.sides[1].association.as_ref().unwrap();
    assert!(association.stream_ids().len() <= 3 + 16, "{:?}", association.stream_ids());
    assert!(pair.sides[1].write(ChannelKind::Reliable, b"still here"));
    pair.run(20, &mut |_| true);
    assert_eq!(pair.messages(0, ChannelKind::Reliable), [&Bytes::from_static(b"still here")]);
}

#[test]
fn one_association_is_all_a_connection_has() {
    let mut pair = Pair::connected();
    let mut second = Pair::new();
    let mut begun = Vec::new();
    while let Some(records) = second.sides[0].poll_transmit(second.now) {
        begun.extend(records);
    }
    assert!(!begun.is_empty());
    begun.into_iter().for_each(|record| pair.sides[1].handle_record(record, pair.now));
    assert!(pair.sides[0].write(ChannelKind::Reliable, b"the first"));
    pair.run(20, &mut |_| true);
    assert_eq!(pair.messages(1, ChannelKind::Reliable).len(), 1);
}

#[test]
fn after_a_goodbye_neither_side_takes_messages() {
    let mut pair = Pair::connected();
    pair.sides[0].shut_down();
    pair.run(40, &mut |_| true);
    for side in &mut pair.sides {
        assert!(!side.write(ChannelKind::Lossy, b"too late"));
    }
}

#[test]
fn garbage_never_panics_and_ends_nothing() {
    let mut pair = Pair::connected();
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..20_000 {
        let record: Vec<u8> = (0..random.usize(0..64)).map(|_| random.u8(..)).collect();
        pair.sides[1].handle_record(record.into(), pair.now);
        while pair.sides[1].poll_event().is_some() {}
    }
    assert!(pair.sides[0].write(ChannelKind::Reliable, b"unharmed"));
    pair.run(20, &mut |_| true);
    assert_eq!(pair.messages(1, ChannelKind::Reliable).len(), 1);
}

#[test]
fn a_large_frame_on_a_lossy_channel_arrives_whole_over_a_path_that_loses_nothing() {
    let mut pair = Pair::connected();
    pair.sides[0].config.buffered_bytes_max = 4 << 20;
    for _ in 0..62 {
        assert!(pair.sides[0].write(ChannelKind::DataTrack, &[6; 16_000]));
    }
    pair.run(200, &mut |_| true);
    assert_eq!(pair.messages(1, ChannelKind::DataTrack).len(), 62);
}

#[test]
fn a_channel_that_has_opened_holds_nothing() {
    let mut pair = Pair::connected();
    pair.run(100, &mut |_| true);
    for side in &mut pair.sides {
        for kind in KINDS {
            let stream = stream(&mut side.association, side.channels.stream(kind)).unwrap();
            assert_eq!(stream.buffered_amount().unwrap(), 0, "{kind:?}");
        }
    }
}

#[test]
fn streams_that_nobody_has_announced_are_bounded_too() {
    let mut pair = Pair::connected();
    for number in 0..200_u16 {
        let (_, association) = pair.sides[0].association.as_mut().unwrap();
        let mut stream = association.open_stream(100 + 2 * number, Ppi::Binary).unwrap();
        stream.write_with_ppi(b"x", Ppi::Binary).unwrap();
        pair.run(4, &mut |_| true);
    }
    let (_, association) = pair.sides[1].association.as_ref().unwrap();
    assert!(association.stream_ids().len() <= 64, "{:?}", association.stream_ids());
    assert!(pair.sides[1].malformed() > 136, "{}", pair.sides[1].malformed());
}

/// A socket that holds 60 datagrams, looked at every 5 ms, and tracks that always have more to send.
#[test]
fn who_drops_bursts_loses_little_and_gets_what_is_reliable_meanwhile() {
    let mut pair = Pair::connected();
    pair.sides[0].config.buffered_bytes_max = 4 << 20;
    let (mut dropped, mut said) = (0, 0);
    for step in 0..1_000 {
        while pair.sides[0].buffered(ChannelKind::DataTrack) < 256_000
            && pair.sides[0].write(ChannelKind::DataTrack, &[8; 16_000])
        {}
        if step % 20 == 0 {
            said += usize::from(pair.sides[0].write(ChannelKind::Reliable, b"stop"));
        }
        let mut burst = 0;
        pair.run(1, &mut |record| {
            burst += usize::from(record.len() > 500);
            let passes = record.len() <= 500 || burst <= 60;
            dropped += usize::from(!passes && step > 20);
            passes
        });
    }
    assert_eq!(said, 50);
    assert!(pair.messages(1, ChannelKind::Reliable).len() >= 49);
    assert_eq!(dropped, 0, "after the first bursts");
    assert!(pair.messages(1, ChannelKind::DataTrack).len() > 1_500);
}
