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
/// The same of their bytes, and at least.
const BYTES_MORE: f64 = 0.1;
const BYTES_EDGE: f64 = 32.0;
/// Of instructions in the system's libraries, whose versions differ, and at least: one payload more that is copied
/// for each packet shows.
const SYSTEM_MORE: f64 = 0.5;
const SYSTEM_EDGE: f64 = 64.0;
const ADVICE: &str = "run `cargo xtask counts --write`";

/// One piece's cost, and what was committed for it.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    count: Count,
    what: &'static str,
    is_gated: bool,
    tolerance: f64,
    committed: Option<Cost>,
}

/// How much instructions may differ.
fn tolerance(committed: &Committed) -> f64 {
    if committed.is_of_this_compiler() { TOLERANCE } else { TOLERANCE_OTHER_COMPILER }
}

/// A verdict for each piece.
pub(crate) fn all(committed: &Committed, counts: &[Count]) -> Vec<Verdict> {
    let tolerance = tolerance(committed);
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

/// What is committed of pieces that are counted no more.
pub(crate) fn stale(committed: &Committed) -> Vec<String> {
    let is_counted = |name: &str| PIECES.iter().any(|piece| piece.name == name);
    let stale = committed.pieces.keys().filter(|name| !is_counted(name));
    stale.map(|name| format!("{name}: committed, and counted no more; {ADVICE}")).collect()
}

impl Verdict {
    /// Why it fails, if it does.
    pub(crate) fn failure(&self) -> Option<String> {
        let Count { name, allocations, bytes, .. } = &self.count;
        let Some(committed) = self.committed else {
            return Some(format!("{name}: nothing is committed; {ADVICE}"));
        };
        let allocations_max = committed.allocations + ALLOCATIONS_MORE;
        let bytes_max = committed.bytes * (1.0 + BYTES_MORE) + BYTES_EDGE;
        let said = if *allocations > allocations_max {
            format!("{allocations:.2} allocations, {} committed", committed.allocations)
        } else if *bytes > bytes_max {
            format!("{} bytes allocated, {} committed", thousands(*bytes), thousands(committed.bytes))
        } else {
            self.instructions(committed).filter(|_| self.is_gated)?
        };
        Some(format!("{name}: {said}: {}; if it is meant, {ADVICE}", self.what))
    }

    /// What there is to say of instructions.
    fn instructions(&self, committed: Cost) -> Option<String> {
        let Count { instructions, system, .. } = self.count;
        let change = self.change(committed);
        if change.abs() > self.tolerance {
            let (now, then) = (thousands(instructions), thousands(committed.instructions));
            return Some(format!("{now} instructions, {then} committed ({:+.1} %)", 100.0 * change));
        }
        let system_max = committed.system * (1.0 + SYSTEM_MORE) + SYSTEM_EDGE;
        let (now, then) = (thousands(system), thousands(committed.system));
        (system > system_max).then(|| format!("{now} instructions in libraries, {then} committed"))
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
pub(crate) fn table(committed: &Committed, verdicts: &[Verdict]) -> String {
    let which = if committed.is_of_this_compiler() { "this compiler" } else { "another compiler" };
    let percent = 100.0 * tolerance(committed);
    let mut lines = vec![
        format!(
            "Per operation, in the profile of tests. Committed counts are of {which}, {}: instructions may differ by {percent:.0} %.\n",
            committed.rustc
        ),
        "| piece | one operation | instructions | against committed | in system libraries | allocations | bytes |"
            .to_owned(),
        "|---|---|---|---|---|---|---|".to_owned(),
    ];
    lines.extend(verdicts.iter().map(Verdict::row));
    lines.join("\n") + "\n"
}

/// A whole number with commas.
pub(crate) fn thousands(number: f64) -> String {
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
            committed: Some(Cost { instructions: 4_800.0, system: 200.0, allocations: 0.0, bytes: 0.0 }),
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
    fn a_copy_more_of_each_payload_fails() {
        let with = |system, bytes| {
            let fine = verdict(4_800.0, 0.0);
            let count = Count { system, bytes, ..fine.count.clone() };
            Verdict { count, ..fine }.failure()
        };
        assert_eq!(with(364.0, 32.0), None);
        assert!(with(430.0, 0.0).unwrap().contains("430 instructions in libraries, 200 committed"));
        assert!(with(200.0, 33.0).unwrap().contains("33 bytes allocated, 0 committed"));
    }

    #[test]
    fn what_is_counted_no_more_is_told() {
        let cost = verdict(1.0, 0.0).committed.unwrap();
        let pieces = ["route_1_to_20", "gone"].map(|name| (name.to_owned(), cost));
        let stale = stale(&Committed { rustc: String::new(), pieces: pieces.into() });
        assert_eq!(stale, [format!("gone: committed, and counted no more; {ADVICE}")]);
    }

    #[test]
    fn the_table_says_which_tolerance_held() {
        let committed = Committed { rustc: "another".to_owned(), pieces: [].into() };
        assert!(
            table(&committed, &[]).contains("another compiler, another: instructions may differ by 30 %.")
        );
    }

    #[test]
    fn what_is_not_compared_does_not_fail_but_for_allocations() {
        let not_gated = |allocations| Verdict { is_gated: false, ..verdict(9_000.0, allocations) };
        assert_eq!(not_gated(0.0).failure(), None);
        assert!(not_gated(1.0).failure().unwrap().contains("1.00 allocations, 0 committed"));
        assert!(
            Verdict { committed: None, ..verdict(1.0, 0.0) }.failure().unwrap().contains("counts --write")
        );
    }

    #[test]
    fn thousands_have_commas() {
        assert_eq!([999.0, 1_000.0, 1_234_567.4].map(thousands), ["999", "1,000", "1,234,567"]);
    }
}
