//! The latest values of a measurement.

use std::collections::VecDeque;

/// The latest values of a measurement, so many at most; the oldest goes first.
#[derive(Debug)]
pub(super) struct Window<T> {
    values: VecDeque<T>,
    values_max: usize,
}

/// What there is to say about numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) mean: f64,
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) stddev: f64,
}

impl<T> Window<T> {
    pub(super) fn new(values_max: usize) -> Self {
        Self { values: VecDeque::new(), values_max: values_max.max(1) }
    }

    pub(super) fn push(&mut self, value: T) {
        if self.values.len() == self.values_max {
            self.values.pop_front();
        }
        self.values.push_back(value);
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn first(&self) -> Option<&T> {
        self.values.front()
    }

    pub(super) fn last(&self) -> Option<&T> {
        self.values.back()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.values.iter()
    }
}

/// What there is to say about these numbers; nothing about none.
pub(super) fn spread(values: impl Iterator<Item = f64>) -> Option<Spread> {
    let values: Vec<f64> = values.collect();
    if values.is_empty() {
        return None;
    }
    let count = count(values.len());
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    let min = values.iter().copied().fold(f64::INFINITY, f64::min);
    let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(Spread { mean, min, max, stddev: variance.sqrt() })
}

/// The value that this share of all does not exceed; nothing of none.
pub(super) fn percentile(values: impl Iterator<Item = f64>, share: f64) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the list")]
    let rank = (share * count(values.len())).ceil() as usize;
    values.get(rank.max(1) - 1).copied()
}

/// Exact up to 2^52.
#[expect(clippy::cast_precision_loss, reason = "nothing here is that many")]
pub(super) fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_values_stay() {
        let mut window = Window::new(2);
        for value in [1, 2, 3] {
            window.push(value);
        }
        assert_eq!((window.len(), window.first(), window.last()), (2, Some(&2), Some(&3)));
    }

    #[test]
    fn a_spread_is_that_of_the_whole() {
        assert_eq!(spread(std::iter::empty()), None);
        let all = spread([2.0, 4.0].into_iter()).unwrap();
        assert_eq!(all, Spread { mean: 3.0, min: 2.0, max: 4.0, stddev: 1.0 });
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values = || (1..=200).map(f64::from);
        assert_eq!(percentile(values(), 0.99), Some(198.0));
        assert_eq!(percentile(values(), 1.0), Some(200.0));
        assert_eq!(percentile([7.0].into_iter(), 0.5), Some(7.0));
        assert_eq!(percentile(std::iter::empty(), 0.5), None);
    }
}
