//! What several runs come to: median, least and greatest.

/// What several runs come to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// In the middle; the mean of both middle ones of an even number.
    pub median: f64,
    /// The least.
    pub least: f64,
    /// The greatest.
    pub greatest: f64,
    /// How many there were.
    pub count: usize,
}

impl Spread {
    /// Of these values; `None` of none. What is no number is left out.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let (least, greatest) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            values[middle]
        } else {
            f64::midpoint(values[middle - 1], values[middle])
        };
        Some(Self { median, least, greatest, count: values.len() })
    }

    /// The median, and the range where it says more at so many digits after the point.
    #[must_use]
    pub fn text(&self, digits: usize) -> String {
        let [median, least, greatest] =
            [self.median, self.least, self.greatest].map(|value| format!("{value:.digits$}"));
        if least == greatest { median } else { format!("{median} [{least}..{greatest}]") }
    }
}
