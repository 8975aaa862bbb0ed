//! Rooms full of frames on workers that take time for each.

use std::ops::Range;
use std::time::{Duration, Instant};

use trackyard_sfu::forward::WorkerConfig;
use trackyard_sim::client::ClientEvent;
use trackyard_sim::world::{ClientId, MessageRealm, NodeConfig, Pace, World};

use crate::support::{begin, check_frame, frame, join, lane_totals, publish, seat, subscribe};

/// 4,000 steps a second for each worker. Its socket holds 100 ms of reading, as 4 MiB do at the speed of real ones, and
/// so do its queues.
const PACE: Pace = Pace {
    cost: Duration::from_micros(250),
    glance: Duration::from_micros(25),
    socket_datagrams: 400,
    mail: 400,
};
/// What a publisher lets wait for its own path; more frames it drops itself.
const UPLINK_BYTES_MAX: usize = 32 * 1024;
/// Packets that are datagrams, so that large frames cost what they do.
const PACKET_BYTES_MAX: usize = 1_162;

/// A room of a publisher and its subscribers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) rate_hz: u32,
    pub(super) bytes: usize,
    pub(super) subscribers: usize,
}

pub(super) struct Stage {
    pub(super) world: World<MessageRealm>,
    rooms: Vec<Room>,
    /// When each frame was pushed; the numbers go on over all rooms.
    pushed: Vec<Instant>,
    /// Frames before this are not counted.
    since: usize,
    tick: u32,
}

struct Room {
    part: Part,
    publisher: ClientId,
    sid: String,
    subscribers: Vec<ClientId>,
    pushed: usize,
    ages: Vec<Duration>,
}

impl Stage {
    pub(super) fn new(parts: &[Part]) -> Self {
        Self::with_worker(parts, WorkerConfig::default())
    }

    /// The same where nobody is held to a share of what workers carry.
    pub(super) fn without_shares(parts: &[Part]) -> Self {
        let mut worker = WorkerConfig::default();
        worker.input_wait_max = Duration::ZERO;
        Self::with_worker(parts, worker)
    }

    fn with_worker(parts: &[Part], worker: WorkerConfig) -> Self {
        let config = NodeConfig { pace: Some(PACE), worker, ..NodeConfig::default() };
        let mut world = World::new(MessageRealm::new(begin()), config, 5);
        let rooms = parts.iter().enumerate().map(|(at, part)| Room::open(&mut world, at, *part)).collect();
        Self { world, rooms, pushed: Vec::new(), since: 0, tick: 0 }
    }

    /// Everyone publishes for so long; what is on its way arrives.
    pub(super) fn run(&mut self, seconds: u32) {
        for _ in 0..self.ticks_hz() * seconds {
            self.tick();
        }
        self.collect();
    }

    /// Everyone publishes until something holds; answers how long that took.
    pub(super) fn time_until(
        &mut self,
        limit: Duration,
        mut holds: impl FnMut(&mut World<MessageRealm>) -> bool,
    ) -> Duration {
        let began = self.world.elapsed();
        while !holds(&mut self.world) {
            assert!(self.world.elapsed() - began < limit, "not within {limit:?}");
            self.tick();
        }
        self.world.elapsed() - began
    }

    /// What was pushed so far is not counted.
    pub(super) fn forget(&mut self) {
        self.since = self.pushed.len();
        for room in &mut self.rooms {
            (room.pushed, room.ages) = (0, Vec::new());
        }
    }

    pub(super) fn sid(&self, room: usize) -> String {
        self.rooms[room].sid.clone()
    }

    /// Of what each room's publisher has pushed for each subscriber, how much has arrived.
    pub(super) fn shares(&mut self) -> Vec<f64> {
        self.world.run_for(Duration::from_secs(2));
        self.collect();
        let share =
            |room: &Room| room.ages.len() as f64 / (room.pushed * room.subscribers.len()).max(1) as f64;
        self.rooms.iter().map(share).collect()
    }

    pub(super) fn age_permille(&self, rooms: Range<usize>, permille: usize) -> Duration {
        let mut ages: Vec<_> = self.rooms[rooms].iter().flat_map(|room| &room.ages).copied().collect();
        ages.sort_unstable();
        ages[(ages.len() - 1) * permille / 1_000]
    }

    /// Frames that were refused whole, and datagrams that were left unread.
    pub(super) fn refused(&mut self) -> [u64; 2] {
        let node = self.world.node();
        let mut sums = [0; 2];
        for id in 0..node.workers() {
            let counters = node.worker(id).counters();
            sums = [sums[0] + counters.frames_refused, sums[1] + counters.datagrams_unread];
        }
        sums
    }

    /// Each datagram that came, and each packet that was passed between workers, was taken or found a queue full; each packet
    /// of a publisher had one fate; each frame that came to a lane was delivered or dropped for a reason.
    pub(super) fn check_accounts(&mut self) {
        let totals = lane_totals(&mut self.world);
        let node = self.world.node();
        let (mut sent, mut taken) = (node.arrived() + node.hops(), node.overflowed() + node.crowded_out());
        for id in 0..node.workers() {
            let counted = node.worker(id).counters();
            sent += counted.crossings_out;
            taken += counted.crossings_in + counted.datagrams_in;
        }
        assert_eq!(sent, taken, "nothing vanishes uncounted");
        assert_eq!(totals.frames_in, totals.frames_delivered + totals.dropped_total(), "nothing waits");
        for id in 0..self.world.node().workers() {
            let counted = *self.world.node().worker(id).counters();
            let fates = counted.packets_refused + counted.no_route + counted.routed + counted.unknown_handle;
            assert_eq!(counted.packets_in, fates, "{counted:?}");
        }
    }

    fn ticks_hz(&self) -> u32 {
        self.rooms.iter().map(|room| room.part.rate_hz).max().expect("a room")
    }

    fn tick(&mut self) {
        let ticks_hz = self.ticks_hz();
        let at = self.tick % ticks_hz;
        self.tick += 1;
        for room in 0..self.rooms.len() {
            let rate_hz = self.rooms[room].part.rate_hz;
            if at * rate_hz / ticks_hz != (at + 1) * rate_hz / ticks_hz {
                self.push(room);
            }
        }
        self.world.run_for(Duration::from_secs(1) / ticks_hz);
    }

    fn push(&mut self, room: usize) {
        let number = u32::try_from(self.pushed.len()).expect("few");
        self.pushed.push(self.world.now());
        let Room { publisher, part, pushed, .. } = &mut self.rooms[room];
        *pushed += 1;
        self.world.with(*publisher, |client, now| client.push(1, &frame(number, part.bytes), now));
    }

    fn collect(&mut self) {
        for room in &mut self.rooms {
            for subscriber in &room.subscribers {
                for (at, event) in self.world.events(*subscriber) {
                    match event {
                        ClientEvent::Frame(received) => {
                            let number = check_frame(&received) as usize;
                            if number >= self.since {
                                room.ages.push(at - self.pushed[number]);
                            }
                        }
                        ClientEvent::SignalClosed => panic!("nobody is sent away"),
                        _ => {}
                    }
                }
            }
        }
    }
}

impl Room {
    fn open(world: &mut World<MessageRealm>, at: usize, part: Part) -> Self {
        let named = |name: &str| {
            let mut seat = seat(name, true);
            seat.room = format!("room {at}");
            seat.client.uplink_bytes_max = UPLINK_BYTES_MAX;
            seat.client.packet_bytes_max = PACKET_BYTES_MAX;
            seat
        };
        let publisher = join(world, named("publisher"));
        let sid = publish(world, publisher, 1, "pose");
        let subscribers: Vec<_> =
            (0..part.subscribers).map(|at| join(world, named(&format!("s{at}")))).collect();
        for subscriber in &subscribers {
            subscribe(world, *subscriber, &sid);
        }
        Self { part, publisher, sid, subscribers, pushed: 0, ages: Vec::new() }
    }
}
