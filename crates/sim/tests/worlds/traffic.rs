//! A steady stream of frames, and what became of it at each subscriber.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use trackyard_sim::client::Pushed;
use trackyard_sim::world::{ClientId, Realm, World};

use crate::figures::figure;
use crate::support::{assert_clean, frame, frames};

/// After the last push, what is still on its way may arrive.
const DRAIN: Duration = Duration::from_secs(3);

/// Frames of one size at one pace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stream {
    pub(crate) publisher: ClientId,
    pub(crate) handle: u16,
    pub(crate) bytes: usize,
    pub(crate) period: Duration,
    pub(crate) duration: Duration,
}

/// What became of a stream.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    bytes: usize,
    duration: Duration,
    begin: Option<Instant>,
    /// By frame number.
    pushed: Vec<Instant>,
    /// Frames that the publisher's own channel had no room for.
    pub(crate) refused: usize,
    received: BTreeMap<ClientId, Vec<(Instant, u32)>>,
}

impl Stream {
    /// Sends everything; `meanwhile` is called before each frame, with its number.
    pub(crate) fn run<R: Realm>(
        &self,
        world: &mut World<R>,
        watchers: &[ClientId],
        meanwhile: impl FnMut(&mut World<R>, u32),
    ) -> Flow {
        let mut flow = self.send(world, watchers, meanwhile);
        world.run_for(DRAIN);
        flow.collect(world, watchers);
        flow
    }

    /// Sends everything, and looks no longer than the last frame's period.
    pub(crate) fn run_without_rest<R: Realm>(&self, world: &mut World<R>, watchers: &[ClientId]) -> Flow {
        self.send(world, watchers, |_, _| {})
    }

    fn send<R: Realm>(
        &self,
        world: &mut World<R>,
        watchers: &[ClientId],
        mut meanwhile: impl FnMut(&mut World<R>, u32),
    ) -> Flow {
        let mut flow =
            Flow { bytes: self.bytes, duration: self.duration, begin: Some(world.now()), ..Flow::default() };
        let count = (self.duration.as_secs_f64() / self.period.as_secs_f64()).round() as u32;
        for number in 0..count {
            meanwhile(world, number);
            let payload = frame(number, self.bytes);
            let pushed = world.with(self.publisher, |client, now| client.push(self.handle, &payload, now));
            flow.refused += usize::from(pushed != Pushed::Accepted);
            flow.pushed.push(world.now());
            world.run_for(self.period);
            flow.collect(world, watchers);
        }
        flow
    }
}

impl Flow {
    fn collect<R: Realm>(&mut self, world: &mut World<R>, watchers: &[ClientId]) {
        for watcher in watchers {
            let events = world.events(*watcher);
            assert_clean(&events);
            self.received.entry(*watcher).or_default().extend(frames(&events));
        }
    }

    /// How it went for one subscriber.
    pub(crate) fn summary(&self, watcher: ClientId) -> Summary {
        let received = &self.received[&watcher];
        assert!(received.is_sorted_by(|a, b| a.1 < b.1), "a frame came twice or out of order");
        let age = |(at, number): &(Instant, u32)| *at - self.pushed[*number as usize];
        let ages: Vec<_> = received.iter().map(age).collect();
        let (first, second) = ages.split_at(ages.len() / 2);
        let end = self.begin.expect("it has run") + self.duration;
        let in_time = received.iter().filter(|(at, _)| *at <= end).count();
        Summary {
            pushed: self.pushed.len(),
            refused: self.refused,
            received: received.len(),
            goodput_bps: (in_time * self.bytes * 8) as f64 / self.duration.as_secs_f64(),
            p50: percentile(&ages, 0.5),
            p95: percentile(&ages, 0.95),
            worst: percentile(&ages, 1.0),
            p95_first_half: percentile(first, 0.95),
            p95_second_half: percentile(second, 0.95),
        }
    }

    /// How it went for one subscriber with the frames that were pushed in this part of the time; the rate is that
    /// of arrivals in it.
    pub(crate) fn part(&self, watcher: ClientId, part: std::ops::Range<Duration>) -> Summary {
        let begin = self.begin.expect("it has run");
        let within = |at: Instant| part.contains(&(at - begin));
        let all = &self.received[&watcher];
        let pushed_in = |number: u32| within(self.pushed[number as usize]);
        let received = all.iter().filter(|(_, number)| pushed_in(*number)).copied().collect();
        let pushed = self.pushed.iter().filter(|at| within(**at)).count();
        let whole = Self { begin: self.begin, pushed: self.pushed.clone(), ..Self::default() };
        let flow = Self { received: BTreeMap::from([(watcher, received)]), ..whole };
        let arrived = all.iter().filter(|(at, _)| within(*at)).count();
        let seconds = (part.end - part.start).as_secs_f64();
        Summary { pushed, goodput_bps: (arrived * self.bytes * 8) as f64 / seconds, ..flow.summary(watcher) }
    }

    /// When each frame arrived.
    pub(crate) fn arrivals(&self, watcher: ClientId) -> &[(Instant, u32)] {
        &self.received[&watcher]
    }
}

/// What became of a stream at one subscriber. Ages run from the push to the last packet's arrival.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Summary {
    pub(crate) pushed: usize,
    pub(crate) refused: usize,
    pub(crate) received: usize,
    pub(crate) goodput_bps: f64,
    pub(crate) p50: Duration,
    pub(crate) p95: Duration,
    pub(crate) worst: Duration,
    pub(crate) p95_first_half: Duration,
    pub(crate) p95_second_half: Duration,
}

impl Summary {
    /// Of what the publisher wanted to send, that much arrived whole.
    pub(crate) fn share(&self) -> f64 {
        self.received as f64 / self.pushed as f64
    }

    /// The age does not grow with time.
    pub(crate) fn is_steady(&self) -> bool {
        self.p95_second_half <= self.p95_first_half.mul_f64(1.2) + Duration::from_millis(50)
    }

    /// Prints it all.
    pub(crate) fn report(&self, name: &str) {
        let millis = |age: Duration| format!("{:.1}", age.as_secs_f64() * 1e3);
        let text = format!(
            "{:.2} % of {} frames, {:.2} Mbit/s, age p50 {} p95 {} max {} ms, p95 by halves {} {} ms, refused at the publisher {}",
            self.share() * 100.0,
            self.pushed,
            self.goodput_bps / 1e6,
            millis(self.p50),
            millis(self.p95),
            millis(self.worst),
            millis(self.p95_first_half),
            millis(self.p95_second_half),
            self.refused,
        );
        figure(name, text);
    }
}

/// The greatest of the lowest `share` of durations.
pub(crate) fn percentile(durations: &[Duration], share: f64) -> Duration {
    let mut sorted = durations.to_vec();
    sorted.sort_unstable();
    let rank = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len().max(1));
    sorted.get(rank - 1).copied().unwrap_or_default()
}
