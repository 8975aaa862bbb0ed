//! In which order faults come.

use super::fault::Fault;

/// Faults that come at the same time.
pub type Stage = Vec<Fault>;

/// The stages of one round: each of these faults once, in an order that follows from the seed and the round.
/// Mixed, all that can come together do; the others keep a stage of their own. Joins have none: they go on through
/// all of them.
#[must_use]
pub fn course(faults: &[Fault], is_mixed: bool, (seed, round): (u64, u32)) -> Vec<Stage> {
    let mut faults: Vec<Fault> = faults.iter().copied().filter(|fault| *fault != Fault::Joins).collect();
    // Whichever way they were named, the order is the seed's.
    faults.sort_unstable();
    faults.dedup();
    let mut random = fastrand::Rng::with_seed(seed ^ (u64::from(round) << 32));
    random.shuffle(&mut faults);
    if !is_mixed {
        return faults.into_iter().map(|fault| vec![fault]).collect();
    }
    let (alone, together): (Vec<_>, Vec<_>) = faults.into_iter().partition(|fault| fault.is_for_all());
    let mut stages: Vec<Stage> = alone.into_iter().map(|fault| vec![fault]).collect();
    if !together.is_empty() {
        stages.insert(random.usize(..=stages.len()), together);
    }
    stages
}
