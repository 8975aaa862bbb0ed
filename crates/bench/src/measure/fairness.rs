//! How evenly tracks were served.

/// Shares of delivery over all tracks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fairness {
    /// Of the track that got least.
    pub min: f64,
    /// Of the track that got most.
    pub max: f64,
    /// Jain's index: 1 when all got the same, 1/n when one of n got everything.
    pub jain: f64,
}

impl Fairness {
    /// Of these shares; `None` when there are none or nobody got anything, which is neither fair nor unfair.
    #[must_use]
    pub fn of(shares: &[f64]) -> Option<Self> {
        let sum: f64 = shares.iter().sum();
        let squares: f64 = shares.iter().map(|share| share * share).sum();
        let min = shares.iter().copied().fold(f64::INFINITY, f64::min);
        let max = shares.iter().copied().fold(0.0, f64::max);
        (squares > 0.0).then(|| Self { min, max, jain: sum * sum / (shares.len() as f64 * squares) })
    }
}
