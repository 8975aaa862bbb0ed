//! Numbers, turns, repetitions after a resume, new sessions, and pauses.

use trackyard_proto::PacketValue;
use trackyard_proto::packet::UserPacket;

use super::*;

#[expect(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]
fn begin() -> Instant {
    Instant::now()
}

/// A packet that holds a number, and as many bytes as wanted.
fn packet(number: u64, length: usize) -> Vec<u8> {
    let mut payload = number.to_be_bytes().to_vec();
    payload.resize(length.max(8), 0);
    let user = UserPacket { payload: payload.into(), ..UserPacket::default() };
    PacketValue::User(user).reliable(Vec::new()).encode()
}

/// The sequence and the number of a message.
fn read(message: &[u8]) -> (u32, u64) {
    let packet = DataPacket::decode(message).unwrap();
    let PacketValue::User(user) = packet.value else { panic!("{:?}", packet.value) };
    (packet.sequence, u64::from_be_bytes(user.payload[..8].try_into().unwrap()))
}

/// An outbox with a channel that is told to let go.
struct Bench {
    outgoing: Outgoing,
    stats: PacketStats,
    channel: VecDeque<usize>,
    next_id: u64,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        let (outgoing, stats, channel) = Default::default();
        let mut bench = Self { outgoing, stats, channel, next_id: 0, now: begin() };
        bench.update(true);
        bench
    }

    fn update(&mut self, is_open: bool) {
        self.outgoing.update(is_open, self.channel.iter().sum(), self.now);
    }

    fn push(&mut self, flow: u64, urgency: Urgency, length: usize) -> Result<u64, SendError> {
        self.next_id += 1;
        let packet = (PacketId(self.next_id), packet(self.next_id, length));
        self.outgoing.push(packet, (Flow(flow), urgency), self.now)?;
        Ok(self.next_id)
    }

    fn write(&mut self) -> Option<(u32, u64)> {
        let message = self.outgoing.peek(&mut self.stats)?.to_vec();
        self.channel.push_back(message.len());
        self.outgoing.written(&mut self.stats, self.now);
        Some(read(&message))
    }

    fn write_all(&mut self) -> Vec<(u32, u64)> {
        std::iter::from_fn(|| self.write()).collect()
    }

    /// The channel lets go of its oldest messages.
    fn release(&mut self, count: usize) {
        self.channel.drain(..count);
        self.now += Duration::from_millis(1);
        self.update(true);
    }

    fn events(&mut self) -> Vec<PacketEvent> {
        std::iter::from_fn(|| self.outgoing.poll_event()).collect()
    }
}

#[test]
fn numbers_are_given_when_packets_are_written_and_urgent_ones_overtake() {
    let mut bench = Bench::new();
    for flow in [1, 1, 2] {
        bench.push(flow, Urgency::Normal, 10).unwrap();
    }
    assert_eq!(bench.write(), Some((1, 1)));
    bench.push(3, Urgency::Urgent, 10).unwrap();
    let rest = bench.write_all();
    assert_eq!(rest[0], (2, 4));
    assert_eq!(rest.iter().map(|(sequence, _)| *sequence).collect::<Vec<_>>(), [2, 3, 4]);
    let written = [1, 4, rest[1].1, rest[2].1].map(|id| PacketEvent::Written(PacketId(id)));
    assert_eq!(bench.events(), written);
}

#[test]
fn a_refused_packet_keeps_no_number_that_an_urgent_one_gets() {
    let mut bench = Bench::new();
    bench.push(1, Urgency::Normal, 10).unwrap();
    assert_eq!(bench.outgoing.peek(&mut bench.stats).map(read), Some((1, 1)));
    bench.outgoing.refused();
    bench.push(1, Urgency::Urgent, 10).unwrap();
    bench.update(true);
    assert_eq!(bench.write_all(), [(1, 2), (2, 1)]);
}

#[test]
fn bulk_leaves_room_for_what_is_urgent() {
    let mut bench = Bench::new();
    for _ in 0..400 {
        bench.push(1, Urgency::Normal, 15_000).unwrap();
    }
    let written = bench.write_all();
    assert!(written.len() < 8, "{} packets fill the channel", written.len());
    bench.push(2, Urgency::Urgent, 100).unwrap();
    bench.release(3);
    assert_eq!(bench.write().map(|(_, number)| number), Some(401));
}

#[test]
fn what_a_server_has_not_seen_is_written_again_before_anything_new() {
    for seen in [0, 2, 4, 9] {
        let mut bench = Bench::new();
        for _ in 0..4 {
            bench.push(0, Urgency::Normal, 10).unwrap();
        }
        bench.write_all();
        bench.release(3);
        bench.push(0, Urgency::Urgent, 10).unwrap();
        bench.outgoing.resume(seen);
        let again: Vec<u32> = bench.write_all().into_iter().map(|(sequence, _)| sequence).collect();
        assert_eq!(again, ((seen + 1).min(5)..=5).collect::<Vec<_>>());
        assert_eq!(bench.stats.reliable_repeated, u64::from(4_u32.saturating_sub(seen)));
        assert_eq!(bench.events().len(), 5, "each is told written once");
    }
}

#[test]
fn what_is_repeated_can_be_interrupted_and_repeated_again() {
    let mut bench = Bench::new();
    for _ in 0..3 {
        bench.push(0, Urgency::Normal, 10).unwrap();
    }
    bench.write_all();
    bench.outgoing.resume(0);
    assert_eq!(bench.write(), Some((1, 1)));
    bench.outgoing.resume(1);
    assert_eq!(bench.write_all(), [(2, 2), (3, 3)]);
    assert_eq!(bench.outgoing.unfinished(), 2);
    let written = bench.channel.len();
    bench.release(written);
    assert_eq!(bench.outgoing.unfinished(), 0);
}

#[test]
fn a_server_has_time_to_look_at_what_has_come_to_it() {
    let mut bench = Bench::new();
    bench.push(0, Urgency::Normal, 10).unwrap();
    bench.write_all();
    bench.release(1);
    bench.now += Duration::from_secs(4);
    bench.update(true);
    bench.outgoing.resume(0);
    assert_eq!(bench.write_all(), [(1, 1)]);
    bench.release(1);
    bench.now += Duration::from_secs(5);
    bench.update(true);
    bench.outgoing.resume(0);
    assert_eq!(bench.write_all(), []);
}

#[test]
fn what_is_kept_for_a_resume_has_a_bound() {
    let mut bench = Bench::new();
    for _ in 0..400 {
        bench.push(0, Urgency::Normal, 60_000).unwrap();
        bench.write_all();
        let written = bench.channel.len();
        bench.release(written);
    }
    bench.outgoing.resume(0);
    let kept = bench.outgoing.kept.repeat().map(read).map(|(sequence, _)| sequence);
    let kept = 401 - kept.unwrap();
    assert!((KEPT_BYTES_MAX / 61_000..KEPT_BYTES_MAX / 59_000).contains(&(kept as usize)), "{kept} are kept");
}

#[test]
fn a_new_session_counts_anew_and_gets_what_was_not_written() {
    let mut bench = Bench::new();
    for _ in 0..3 {
        bench.push(0, Urgency::Normal, 10).unwrap();
    }
    bench.write();
    bench.release(1);
    bench.write();
    bench.outgoing.restart(&mut bench.stats);
    bench.channel.clear();
    assert_eq!(bench.write(), None, "there is no channel yet");
    bench.update(true);
    assert_eq!(bench.write_all(), [(1, 3)]);
    let written = |id| PacketEvent::Written(PacketId(id));
    let unconfirmed = PacketEvent::Unconfirmed(vec![PacketId(2)]);
    assert_eq!(bench.events(), [written(1), written(2), unconfirmed, written(3)]);
    assert_eq!(bench.stats.reliable_unconfirmed, 1);
}

/// A channel counts what has arrived behind a gap as gone, and nobody has got it.
#[test]
fn what_may_have_arrived_behind_a_gap_is_not_certain() {
    let mut bench = Bench::new();
    for _ in 0..3 {
        bench.push(0, Urgency::Normal, 10).unwrap();
    }
    bench.write_all();
    bench.release(2);
    // Nothing gets through any more.
    bench.now += Duration::from_secs(40);
    bench.update(true);
    bench.outgoing.restart(&mut bench.stats);
    let unconfirmed = PacketEvent::Unconfirmed([1, 2, 3].map(PacketId).to_vec());
    assert_eq!(bench.events().last(), Some(&unconfirmed));
}

#[test]
fn a_packet_that_no_message_holds_is_refused_before_anything_is_sent() {
    let mut bench = Bench::new();
    let error = bench.push(0, Urgency::Normal, 64_000).unwrap_err();
    assert!(matches!(error, SendError::TooLarge { limit: 64_000, bytes } if bytes > 64_000), "{error}");
    bench.outgoing.set_bytes_max(1_000);
    assert!(matches!(bench.push(0, Urgency::Normal, 1_000), Err(SendError::TooLarge { limit: 1_000, .. })));
    assert_eq!(bench.write_all(), []);
}

#[test]
fn a_server_that_takes_less_than_the_one_before_does_not_stop_what_follows() {
    let mut bench = Bench::new();
    bench.push(0, Urgency::Normal, 2_000).unwrap();
    bench.push(0, Urgency::Normal, 10).unwrap();
    bench.outgoing.set_bytes_max(1_000);
    assert_eq!(bench.write_all(), [(1, 2)]);
    let reason = PacketDropReason::TooLarge { limit: 1_000 };
    assert_eq!(bench.events()[0], PacketEvent::Dropped { packet: PacketId(1), reason });
}

#[test]
fn what_waits_has_a_bound() {
    let mut bench = Bench::new();
    bench.update(false);
    let taken = std::iter::from_fn(|| bench.push(0, Urgency::Normal, 60_000).ok()).count();
    assert!((WAITING_BYTES_MAX / 61_000..WAITING_BYTES_MAX / 59_000).contains(&taken), "{taken}");
    let full = SendError::Full { bytes_max: WAITING_BYTES_MAX };
    assert_eq!(bench.push(0, Urgency::Urgent, 60_000), Err(full));
}

#[test]
fn a_cancelled_flow_leaves_the_others() {
    let mut bench = Bench::new();
    bench.push(1, Urgency::Normal, 10).unwrap();
    bench.push(2, Urgency::Normal, 10).unwrap();
    bench.outgoing.cancel(Flow(1), &mut bench.stats);
    assert_eq!(bench.write_all(), [(1, 2)]);
    assert_eq!(bench.stats.reliable_dropped, 1);
}

#[test]
fn numbers_that_are_used_up_are_not_used_again() {
    let mut bench = Bench::new();
    bench.outgoing.next_sequence = u32::MAX;
    for _ in 0..3 {
        bench.push(0, Urgency::Normal, 10).unwrap();
    }
    let sequences: Vec<u32> = bench.write_all().into_iter().map(|(sequence, _)| sequence).collect();
    assert_eq!(sequences, [u32::MAX, 0, 0]);
    bench.outgoing.resume(0);
    assert_eq!(bench.write_all().len(), 1);
}

/// A server that drops what it has seen, behind a channel that holds some messages.
#[derive(Default)]
struct Server {
    on_its_way: VecDeque<(u32, u64)>,
    last: u32,
    /// Of all sessions.
    seen: Vec<u64>,
}

impl Server {
    fn receive(&mut self) {
        let Some((sequence, number)) = self.on_its_way.pop_front() else { return };
        if sequence > self.last {
            assert_eq!(sequence, self.last + 1, "a number is missing");
            self.last = sequence;
            self.seen.push(number);
        }
    }
}

fn check_chance(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut bench, mut server) = (Bench::new(), Server::default());
    let mut unconfirmed = Vec::new();
    for _ in 0..400 {
        match random.u32(0..100) {
            0..40 => drop(bench.push(random.u64(0..3), Urgency::Normal, random.usize(8..20_000))),
            40..45 => drop(bench.push(9, Urgency::Urgent, 10)),
            45..70 => server.on_its_way.extend(bench.write()),
            70..94 if !bench.channel.is_empty() => {
                server.receive();
                bench.release(1);
            }
            94..99 => bench.outgoing.resume(server.last),
            99 => {
                bench.outgoing.restart(&mut bench.stats);
                bench.channel.clear();
                server = Server { seen: server.seen, ..Server::default() };
                bench.update(true);
            }
            _ => {}
        }
        unconfirmed.extend(bench.events().into_iter().filter_map(|event| match event {
            PacketEvent::Unconfirmed(packets) => Some(packets),
            _ => None,
        }));
    }
    while bench.outgoing.unfinished() > 0 {
        server.on_its_way.extend(bench.write_all());
        server.receive();
        bench.release(usize::from(!bench.channel.is_empty()));
    }
    let unconfirmed: Vec<u64> = unconfirmed.into_iter().flatten().map(|id| id.0).collect();
    let mut all = server.seen.clone();
    all.extend(unconfirmed.iter().filter(|id| !server.seen.contains(id)));
    all.sort_unstable();
    assert_eq!(
        all,
        (1..=bench.next_id).collect::<Vec<_>>(),
        "seed {seed}: nothing is lost, nothing comes twice"
    );
}

#[test]
fn nothing_is_lost_and_nothing_comes_twice_whatever_happens() {
    (0..300).for_each(check_chance);
}

#[test]
fn a_pause_holds_streams_back_for_a_while_and_nothing_else() {
    let mut bench = Bench::new();
    bench.outgoing.pause(true, bench.now);
    let stream = bench.push(1, Urgency::Normal, 100).unwrap();
    let own = bench.push(Flow::USER.0, Urgency::Normal, 100).unwrap();
    let call = bench.push(1, Urgency::Urgent, 100).unwrap();
    assert_eq!([bench.write(), bench.write(), bench.write()], [Some((1, call)), Some((2, own)), None]);
    bench.now += PAUSE_MAX;
    bench.update(true);
    assert_eq!(bench.write(), Some((3, stream)));
    bench.outgoing.pause(true, bench.now);
    let next = bench.push(1, Urgency::Normal, 100).unwrap();
    assert_eq!(bench.write(), None);
    bench.outgoing.pause(false, bench.now);
    assert_eq!(bench.write(), Some((4, next)));
}
