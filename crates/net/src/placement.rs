//! Which worker a new participant goes to.
//!
//! A packet crosses once to each other worker that has subscribers, which costs about as much as
//! handing it to one more subscriber. For a few subscribers that is a lot, for many it is nothing. So
//! the first few of a room stay together as long as their worker is not much busier than the others,
//! and a room that grows is spread.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use trackyard_sfu::control::WorkerId;

/// Participants of a room that are kept on one worker.
const TOGETHER_MAX: usize = 4;
/// How much busier than the least busy worker theirs may be, in thousandths of a core.
const TOGETHER_SLACK: u64 = 200;
/// What a participant counts for at least, in thousandths of a core: one that does nothing yet may begin to.
const PEER_COST_MIN: u64 = 1;
/// One who has just been placed costs nothing that can be measured until its connection is up.
const RECENT: Duration = Duration::from_secs(3);

/// A worker to choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) worker: WorkerId,
    pub(crate) is_alive: bool,
    pub(crate) is_overloaded: bool,
    /// Thousandths of a core.
    pub(crate) load: u64,
    pub(crate) peers: u64,
    /// Those among its peers, or on their way to it, that were placed just now.
    pub(crate) recent: u64,
    /// How many of the same room it serves.
    pub(crate) of_room: usize,
}

/// The worker for a new participant; of equal ones that with the fewest peers, then the first.
pub(crate) fn choose(choices: &[Choice]) -> Option<WorkerId> {
    let cost = peer_cost(choices);
    let score = |choice: &Choice| choice.load + choice.peers * PEER_COST_MIN + choice.recent * cost;
    let order = |choice: &&Choice| {
        let rank = (!choice.is_alive, choice.is_overloaded);
        (rank, score(choice), choice.peers + choice.recent, choice.worker)
    };
    let least = choices.iter().min_by_key(order)?;
    let keeps_together = |choice: &&Choice| {
        (1..TOGETHER_MAX).contains(&choice.of_room)
            && choice.is_alive
            && choice.is_overloaded == least.is_overloaded
            && score(choice) <= score(least) + TOGETHER_SLACK
    };
    let together = choices.iter().filter(keeps_together);
    let most = together.max_by_key(|choice| (choice.of_room, std::cmp::Reverse(order(choice))));
    Some(most.unwrap_or(least).worker)
}

/// What a participant costs, as those do that are here.
fn peer_cost(choices: &[Choice]) -> u64 {
    let [load, peers] = choices
        .iter()
        .filter(|choice| choice.is_alive)
        .fold([0, 0], |[load, peers], choice| [load + choice.load, peers + choice.peers]);
    (load / peers.max(1)).max(PEER_COST_MIN)
}

/// Who was placed where, just now. Bounded by how many may join in that time.
///
/// Invariant: `counts` says how often each worker is in `placed`.
#[derive(Debug)]
pub(crate) struct Recent {
    placed: VecDeque<(Instant, usize)>,
    counts: Vec<u64>,
}

impl Recent {
    /// Nobody yet.
    pub(crate) fn new(workers: usize) -> Self {
        Self { placed: VecDeque::new(), counts: vec![0; workers] }
    }

    /// A participant was placed.
    pub(crate) fn add(&mut self, worker: WorkerId, now: Instant) {
        let worker = usize::from(worker.0);
        if let Some(count) = self.counts.get_mut(worker) {
            *count += 1;
            self.placed.push_back((now, worker));
        }
    }

    /// How many were placed on each worker.
    pub(crate) fn counts(&mut self, now: Instant) -> &[u64] {
        while let Some(&(at, worker)) = self.placed.front() {
            if now.saturating_duration_since(at) < RECENT {
                break;
            }
            self.placed.pop_front();
            self.counts[worker] -= 1;
        }
        &self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workers<const N: usize>(loads: [(u64, u64); N]) -> [Choice; N] {
        std::array::from_fn(|at| Choice {
            worker: WorkerId(at as u16),
            is_alive: true,
            is_overloaded: false,
            load: loads[at].0,
            peers: loads[at].1,
            recent: 0,
            of_room: 0,
        })
    }

    fn check(choices: &[Choice], expected: u16) {
        assert_eq!(choose(choices), Some(WorkerId(expected)), "{choices:?}");
    }

    #[test]
    fn the_least_busy_worker_is_taken_however_many_it_serves() {
        check(&workers([(700, 2), (100, 90)]), 1);
        check(&workers([(100, 90), (700, 2)]), 0);
    }

    #[test]
    fn between_equals_peers_decide_and_then_the_order() {
        check(&workers([(0, 5), (0, 4), (0, 4)]), 1);
        check(&workers([(0, 0), (0, 0)]), 0);
    }

    #[test]
    fn a_burst_is_spread_before_anyone_costs_anything() {
        let mut choices = workers([(0, 0), (0, 0), (0, 0)]);
        for _ in 0..30 {
            let chosen = choose(&choices).unwrap();
            choices[usize::from(chosen.0)].recent += 1;
        }
        assert!(choices.iter().all(|choice| choice.recent == 10), "{choices:?}");
    }

    #[test]
    fn a_burst_counts_for_what_others_cost() {
        // Ten peers cost half a core: a burst does not all go to the worker that is a fifth behind.
        let mut choices = workers([(500, 10), (300, 6)]);
        for _ in 0..10 {
            let chosen = choose(&choices).unwrap();
            choices[usize::from(chosen.0)].recent += 1;
        }
        let placed = choices.map(|choice| choice.recent);
        assert_eq!(placed, [3, 7], "they end up level");
    }

    #[test]
    fn the_first_of_a_room_stay_together_and_a_larger_one_is_spread() {
        let mut choices = workers([(0, 0), (0, 0)]);
        for _ in 0..20 {
            let chosen = usize::from(choose(&choices).unwrap().0);
            choices[chosen].recent += 1;
            choices[chosen].of_room += 1;
            let [here, there] = choices.map(|choice| choice.of_room);
            assert!(here + there > TOGETHER_MAX || there == 0, "{here} and {there}");
        }
        assert_eq!(choices.map(|choice| choice.of_room), [10, 10]);
    }

    #[test]
    fn a_busy_worker_keeps_no_room_together() {
        let mut choices = workers([(TOGETHER_SLACK + 50, 3), (0, 0)]);
        choices[0].of_room = 2;
        check(&choices, 1);
        choices[0].load = TOGETHER_SLACK / 2;
        check(&choices, 0);
    }

    #[test]
    fn the_dead_and_the_overloaded_are_the_last_to_be_taken() {
        let mut choices = workers([(0, 0), (900, 50), (990, 80)]);
        choices[0].is_alive = false;
        check(&choices, 1);
        choices[1].is_overloaded = true;
        check(&choices, 2);
        choices[1].of_room = 3;
        check(&choices, 2);
        choices[2].is_alive = false;
        check(&choices, 1);
        assert_eq!(choose(&[]), None);
    }

    #[test]
    fn who_was_placed_is_forgotten_in_time() {
        let (start, mut recent) = (Instant::now(), Recent::new(2));
        recent.add(WorkerId(1), start);
        recent.add(WorkerId(0), start + RECENT / 2);
        assert_eq!(recent.counts(start + RECENT / 2), [1, 1]);
        assert_eq!(recent.counts(start + RECENT), [1, 0]);
        assert_eq!(recent.counts(start + RECENT * 2), [0, 0]);
    }
}
