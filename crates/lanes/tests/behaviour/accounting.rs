//! Whatever comes in, in whatever order and under whatever rules, every frame is accounted for at every step and what
//! comes out is intact. Each case has one lane of each policy.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use trackyard_lanes::{LaneRules, Outbox, OutboxConfig, Policy};
use trackyard_wire::{Handle, Header};

/// One of each policy.
const LANES: u16 = 3;

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// A publisher's next packets reach the lane, some lost, doubled or in another order.
    Publish {
        lane: u16,
        packets: usize,
        faults: Vec<Fault>,
    },
    /// Any packet whatever.
    Garbage {
        lane: u16,
        flags: u8,
        frame: u16,
        sequence: u16,
    },
    /// Time passes, with or without the timers.
    Wait {
        micros: u64,
        timers: bool,
    },
    /// The channel holds so much.
    Buffered(usize),
    /// So many packets are written.
    Write(usize),
    Refuse,
    Open(bool),
    /// The receiver does not know the lane's handle, or does.
    Hold {
        lane: u16,
        held: bool,
    },
    Remove {
        lane: u16,
    },
    Add {
        lane: u16,
        rules: LaneRules,
    },
    /// The publisher counts from there.
    Restart {
        lane: u16,
        sequence: u16,
    },
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    None,
    Lose,
    Double,
    /// It arrives so many packets later.
    Delay(usize),
}

fn rules() -> impl Strategy<Value = LaneRules> {
    let policy = prop_oneof![Just(Policy::Auto), Just(Policy::Latest), (0..4_u16).prop_map(Policy::Queue)];
    rules_of(policy)
}

/// Every policy, one lane each.
fn every_policy() -> impl Strategy<Value = [LaneRules; LANES as usize]> {
    let queue = (0..4_u16).prop_map(Policy::Queue);
    [rules_of(Just(Policy::Auto).boxed()), rules_of(Just(Policy::Latest).boxed()), rules_of(queue.boxed())]
}

fn rules_of(policy: impl Strategy<Value = Policy> + 'static) -> BoxedStrategy<LaneRules> {
    let age = prop_oneof![Just(0_u64), 1..200_u64, Just(u64::MAX)];
    let rate = prop_oneof![3 => Just(None), 1 => (0.0..1_000.0).prop_map(Some)];
    let rules = (policy, age.clone(), age, 0..5_u16, rate, any::<bool>());
    let rules = rules.prop_map(|(policy, age_max, finish_max, weight, max_hz, latch)| {
        let [age_max, finish_max] = [age_max, finish_max].map(Duration::from_millis);
        LaneRules { policy, age_max, finish_max, weight, max_hz, latch }
    });
    rules.boxed()
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        8 => Just(Fault::None),
        1 => Just(Fault::Lose),
        1 => Just(Fault::Double),
        2 => (1..5_usize).prop_map(Fault::Delay),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let lane = 1..=LANES;
    prop_oneof![
        30 => (lane.clone(), 1..12_usize, vec(fault(), 12))
            .prop_map(|(lane, packets, faults)| Step::Publish { lane, packets, faults }),
        10 => (0..5_000_u64, any::<bool>()).prop_map(|(micros, timers)| Step::Wait { micros, timers }),
        2 => (0..3_000_000_u64, any::<bool>()).prop_map(|(micros, timers)| Step::Wait { micros, timers }),
        10 => (0..200_000_usize).prop_map(Step::Buffered),
        5 => Just(Step::Buffered(0)),
        20 => (0..20_usize).prop_map(Step::Write),
        1 => Just(Step::Refuse),
        1 => any::<bool>().prop_map(Step::Open),
        2 => (lane.clone(), any::<bool>()).prop_map(|(lane, held)| Step::Hold { lane, held }),
        1 => lane.clone().prop_map(|lane| Step::Remove { lane }),
        1 => (lane, rules()).prop_map(|(lane, rules)| Step::Add { lane, rules }),
    ]
}

fn hostile_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => step(),
        2 => (1..=LANES + 1, any::<u8>(), 0..6_u16, 0..12_u16)
            .prop_map(|(lane, flags, frame, sequence)| Step::Garbage { lane, flags, frame, sequence }),
        1 => (1..=LANES, any::<u16>()).prop_map(|(lane, sequence)| Step::Restart { lane, sequence }),
    ]
}

/// One publisher's numbers, and the shape of its frames.
#[derive(Debug, Default, Clone)]
struct Publisher {
    sequence: u16,
    frame: u16,
    index: usize,
    delayed: Vec<(usize, Bytes)>,
}

impl Publisher {
    fn next(&mut self, lane: u16) -> Bytes {
        let count = 1 + usize::from(self.frame % 5);
        let last = self.index + 1 == count;
        let flags = u8::from(self.index == 0) << 4 | u8::from(last) << 3;
        let length = [0, 40, 1_000, 16_000][usize::from(self.frame % 4)];
        let packet = packet(lane, flags, self.frame, self.sequence, length);
        self.sequence = self.sequence.wrapping_add(1);
        self.index = if last { 0 } else { self.index + 1 };
        self.frame = self.frame.wrapping_add(u16::from(last));
        packet
    }
}

fn packet(lane: u16, flags: u8, frame: u16, sequence: u16, payload: usize) -> Bytes {
    let mut bytes = vec![0; 12 + payload];
    bytes[0] = flags;
    bytes[2..4].copy_from_slice(&lane.to_be_bytes());
    bytes[4..6].copy_from_slice(&sequence.to_be_bytes());
    bytes[6..8].copy_from_slice(&frame.to_be_bytes());
    Bytes::from(bytes)
}

/// A packet that has left.
#[derive(Debug, Clone, Copy)]
struct Left {
    start: bool,
    last: bool,
    frame: u16,
    sequence: u16,
    /// The frame number that it carries.
    number: u16,
    /// Counts the lanes that have had its name, one after the other.
    life: u32,
}

struct Model {
    outbox: Outbox,
    now: Instant,
    publishers: HashMap<u16, Publisher>,
    /// What came out of each lane.
    out: HashMap<u16, Vec<Left>>,
    buffered: usize,
    lives: HashMap<u16, u32>,
}

impl Model {
    fn new(rules: [LaneRules; LANES as usize]) -> Self {
        #[expect(clippy::disallowed_methods, reason = "any instant will do; only differences count")]
        let now = Instant::now();
        let config = OutboxConfig { bytes_max: 200_000, lane_bytes_max: 100_000, ..OutboxConfig::default() };
        let mut outbox = Outbox::new(config);
        outbox.set_open(true, now);
        for (lane, rules) in (1..).zip(rules) {
            outbox.add_lane(handle(lane), rules);
        }
        Self {
            outbox,
            now,
            publishers: HashMap::new(),
            out: HashMap::new(),
            buffered: 0,
            lives: HashMap::new(),
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Publish { lane, packets, faults } => self.publish(lane, packets, &faults),
            Step::Garbage { lane, flags, frame, sequence } => {
                self.push(lane, &packet(lane, flags & 0x18, frame, sequence, 30));
            }
            Step::Wait { micros, timers } => self.wait(Duration::from_micros(micros), timers),
            Step::Buffered(bytes) => self.buffer(bytes),
            Step::Write(packets) => self.write(packets),
            Step::Refuse => {
                if self.outbox.peek(self.now).is_some() {
                    self.outbox.refused(self.now);
                    assert!(self.outbox.peek(self.now).is_none());
                }
            }
            Step::Open(open) => self.outbox.set_open(open, self.now),
            Step::Remove { lane } => {
                self.outbox.remove_lane(handle(lane));
                *self.lives.entry(lane).or_default() += 1;
            }
            Step::Hold { lane, held: true } => self.outbox.hold_lane(handle(lane)),
            Step::Hold { lane, held: false } => self.outbox.release_lane(handle(lane), self.now),
            Step::Add { lane, rules } => self.outbox.add_lane(handle(lane), rules),
            Step::Restart { lane, sequence } => {
                self.publishers.entry(lane).or_default().sequence = sequence;
            }
        }
    }

    fn publish(&mut self, lane: u16, packets: usize, faults: &[Fault]) {
        for fault in faults.iter().cycle().take(packets) {
            let publisher = self.publishers.entry(lane).or_default();
            let packet = publisher.next(lane);
            let mut now = Vec::new();
            match fault {
                Fault::None => now.push(packet),
                Fault::Lose => {}
                Fault::Double => now.extend([packet.clone(), packet]),
                Fault::Delay(by) => publisher.delayed.push((*by, packet)),
            }
            for (wait, _) in &mut publisher.delayed {
                *wait -= usize::from(*wait > 0);
            }
            now.extend(publisher.delayed.extract_if(.., |(wait, _)| *wait == 0).map(|(_, packet)| packet));
            for packet in now {
                self.push(lane, &packet);
            }
        }
    }

    fn push(&mut self, lane: u16, packet: &Bytes) {
        self.outbox.push(handle(lane), &Header::parse(packet).unwrap(), packet, self.now);
    }

    fn wait(&mut self, time: Duration, timers: bool) {
        let end = self.now + time;
        while let Some(at) = self.outbox.poll_timeout().filter(|at| timers && *at <= end) {
            self.now = self.now.max(at);
            self.outbox.handle_timeout(self.now);
            assert!(self.outbox.poll_timeout().is_none_or(|next| next > self.now), "timers do not settle");
        }
        self.now = end;
    }

    fn buffer(&mut self, bytes: usize) {
        self.buffered = self.buffered.min(bytes);
        self.outbox.update_buffered(self.buffered, self.now);
    }

    fn write(&mut self, packets: usize) {
        for _ in 0..packets {
            let Some((lane, packet)) = self.outbox.peek(self.now) else { return };
            let Header { start, last, frame, sequence, .. } = Header::parse(packet).unwrap();
            self.buffered += packet.len();
            let number = self.outbox.peeked_number().unwrap_or(frame).get();
            let (frame, sequence) = (frame.get(), sequence.get());
            let life = self.lives.get(&lane.get()).copied().unwrap_or_default();
            let left = Left { start, last, frame, sequence, number, life };
            self.out.entry(lane.get()).or_default().push(left);
            self.outbox.written(self.now);
        }
    }

    /// Nothing is left waiting once there is room and time.
    fn finish(&mut self) {
        for _ in 0..10_000 {
            self.wait(Duration::from_millis(3), true);
            self.buffer(0);
            self.write(1_000);
        }
    }

    fn assert_accounted(&self) {
        let totals = self.outbox.totals();
        let accounted = totals.frames_delivered + totals.dropped_total() + self.outbox.frames_waiting();
        assert_eq!(totals.frames_in, accounted, "{totals:?}");
        let lanes = || (1..=LANES).map(handle);
        let waiting: u64 = lanes().filter_map(|lane| self.outbox.lane_frames_waiting(lane)).sum();
        assert_eq!(waiting, self.outbox.frames_waiting());
        for lane in lanes() {
            let Some(stats) = self.outbox.lane_stats(lane) else { continue };
            let waiting = self.outbox.lane_frames_waiting(lane).unwrap();
            assert_eq!(
                stats.frames_in,
                stats.frames_delivered + stats.dropped_total() + waiting,
                "{stats:?}"
            );
        }
    }

    /// Each frame comes out whole, or a first part of it does; answers how many were whole.
    fn assert_intact(&self, ordered: bool) -> u64 {
        let mut whole = 0;
        for packets in self.out.values() {
            let mut open: Option<(u16, u16)> = None;
            let mut newest: Option<Left> = None;
            for left in packets {
                let Left { start, last, frame, sequence, .. } = *left;
                if start {
                    assert!(
                        newest.is_none_or(|newest| left.follows(newest)) || !ordered,
                        "{left:?} after {newest:?}"
                    );
                    newest = Some(*left);
                } else {
                    assert_eq!(open, Some((frame, sequence)), "a piece without what goes before");
                    assert_eq!(
                        newest.map(|newest| newest.number),
                        Some(left.number),
                        "a frame has one number"
                    );
                }
                open = (!last).then_some((frame, sequence.wrapping_add(1)));
                whole += u64::from(last);
            }
        }
        whole
    }
}

impl Left {
    /// It begins a newer frame, whose number is newer as well, and no further away than the frames are.
    fn follows(&self, before: Self) -> bool {
        let frames = self.frame.wrapping_sub(before.frame).cast_signed();
        let numbers = self.number.wrapping_sub(before.number).cast_signed();
        // A lane that has been removed and added again numbers anew.
        frames > 0 && (self.life != before.life || (1..=frames).contains(&numbers))
    }
}

fn handle(lane: u16) -> Handle {
    Handle::new(lane).unwrap()
}

fn run(rules: [LaneRules; LANES as usize], steps: Vec<Step>, ordered: bool) {
    let mut model = Model::new(rules);
    for step in steps {
        model.step(step);
        model.assert_accounted();
    }
    model.outbox.set_open(true, model.now);
    (1..=LANES).for_each(|lane| model.outbox.release_lane(handle(lane), model.now));
    model.finish();
    model.assert_accounted();
    assert_eq!(model.assert_intact(ordered), model.outbox.totals().frames_delivered);
    let unfinished = model.outbox.frames_waiting();
    assert!(unfinished <= u64::from(LANES), "{unfinished} frames wait for nothing");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn every_frame_is_intact_in_order_or_accounted_for(
        rules in every_policy(),
        steps in vec(step(), 1..120),
    ) {
        run(rules, steps, true);
    }

    #[test]
    fn every_frame_is_accounted_for_whatever_comes_in(
        rules in every_policy(),
        steps in vec(hostile_step(), 1..120),
    ) {
        run(rules, steps, false);
    }
}
