//! Counts against what is committed.

use crate::callgrind::Count;
use crate::committed::{Committed, Cost};
use crate::pieces::PIECES;

/// Of instructions, in either direction: what has become cheaper is committed, so that it stays so. Runs of one
/// program differ by less than 0.3 %, through the order in hash maps; the rest is left for what the compiler
/// makes of changes elsewhere.
const TOLERANCE: f64 = 0.03;
/// The same for another compiler than that of the committed counts.
const TOLERANCE_OTHER_COMPILER: f64 = 0.30;
/// Of allocations for one operation: tables grow once in a while.
const ALLOCATIONS_MORE: f64 = 0.05;

/// One piece's cost, and what was committed for it.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    count: Count,
    what: &'static str,
    is_gated: bool,
    tolerance: f64,
    committed: Option<Cost>,
}

/// A verdict for each piece.
pub(crate) fn all(committed: &Committed, counts: &[Count]) -> Vec<Verdict> {
    let tolerance = if committed.is_of_this_compiler() { TOLERANCE } else { TOLERANCE_OTHER_COMPILER };
    let verdict = |count: &Count| {
        let piece = PIECES.iter().find(|piece| piece.name == count.name)?;
        Some(Verdict {
            count: count.clone(),
            what: piece.what,
            is_gated: piece.is_gated,
            tolerance,
            committed: committed.pieces.get(&count.name).copied(),
        })
    };
    counts.iter().filter_map(verdict).collect()
}

impl Verdict {
    /// Why it fails, if it does.
    pub(crate) fn failure(&self) -> Option<String> {
        let name = &self.count.name;
        let Some(committed) = self.committed else {
            return Some(format!("{name}: nothing is committed; run `cargo xtask counts --write`"));
        };
        if !self.is_gated {
            return None;
        }
        let change = self.change(committed);
        if self.count.allocations > committed.allocations + ALLOCATIONS_MORE {
            let Count { allocations, .. } = self.count;
            return Some(format!(
                "{name}: {allocations:.2} allocations, {} committed: {}; if it is meant, run `cargo xtask counts --write`",
                committed.allocations, self.what
            ));
        }
        (change.abs() > self.tolerance).then(|| {
            format!(
                "{name}: {} instructions, {} committed ({:+.1} %): {}; if it is meant, run `cargo xtask counts --write`",
                thousands(self.count.instructions),
                thousands(committed.instructions),
                100.0 * change,
                self.what
            )
        })
    }

    fn change(&self, committed: Cost) -> f64 {
        self.count.instructions / committed.instructions.max(1.0) - 1.0
    }

    fn row(&self) -> String {
        let Count { name, instructions, system, allocations, bytes } = &self.count;
        let change = self
            .committed
            .map_or_else(|| "new".to_owned(), |cost| format!("{:+.1} %", 100.0 * self.change(cost)));
        let change = if self.is_gated { change } else { format!("{change}, not compared") };
        format!(
            "| {name} | {} | {} | {change} | {} | {allocations:.2} | {} |",
            self.what,
            thousands(*instructions),
            thousands(*system),
            thousands(*bytes)
        )
    }
}

/// All of them, as Markdown.
pub(crate) fn table(verdicts: &[Verdict]) -> String {
    let mut lines = vec![
        "Per operation, in the profile of tests.\n".to_owned(),
        "| piece | one operation | instructions | against committed | in system libraries | allocations | bytes |"
            .to_owned(),
        "|---|---|---|---|---|---|---|".to_owned(),
    ];
    lines.extend(verdicts.iter().map(Verdict::row));
    lines.join("\n") + "\n"
}

/// A whole number with commas.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(instructions: f64, allocations: f64) -> Verdict {
        let name = "route_1_to_20".to_owned();
        Verdict {
            count: Count { name, instructions, system: 10.0, allocations, bytes: 0.0 },
            what: "a publisher's packet to 20 subscribers",
            is_gated: true,
            tolerance: TOLERANCE,
            committed: Some(Cost { instructions: 4_800.0, allocations: 0.0 }),
        }
    }

    fn check(instructions: f64, allocations: f64, expected: Option<&str>) {
        let failure = verdict(instructions, allocations).failure();
        let said =
            failure.as_deref().map(|failure| failure.split(": a publisher").next().unwrap_or_default());
        assert_eq!(said, expected);
    }

    #[test]
    fn what_costs_more_or_less_than_committed_fails() {
        check(4_900.0, 0.0, None);
        check(4_700.0, 0.01, None);
        check(5_100.0, 0.0, Some("route_1_to_20: 5,100 instructions, 4,800 committed (+6.2 %)"));
        check(4_500.0, 0.0, Some("route_1_to_20: 4,500 instructions, 4,800 committed (-6.2 %)"));
        check(4_800.0, 1.0, Some("route_1_to_20: 1.00 allocations, 0 committed"));
    }

    #[test]
    fn what_is_not_compared_does_not_fail() {
        assert_eq!(Verdict { is_gated: false, ..verdict(9_000.0, 9.0) }.failure(), None);
        assert!(
            Verdict { committed: None, ..verdict(1.0, 0.0) }.failure().unwrap().contains("counts --write")
        );
    }

    #[test]
    fn thousands_have_commas() {
        assert_eq!([999.0, 1_000.0, 1_234_567.4].map(thousands), ["999", "1,000", "1,234,567"]);
    }
}
