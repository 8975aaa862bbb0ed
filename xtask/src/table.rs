//! How each step went, at the end.

use std::time::Duration;

/// How a step went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) name: &'static str,
    /// Why it failed, if it did.
    pub(crate) failure: Option<String>,
    pub(crate) took: Duration,
}

/// All outcomes with their times, and a last line that counts them.
pub(crate) fn render(outcomes: &[Outcome]) -> String {
    let mut lines = vec!["\n| step | result | time |".to_owned(), "|---|---|---|".to_owned()];
    for Outcome { name, failure, took } in outcomes {
        let result = failure.as_ref().map_or_else(|| "passed".to_owned(), |why| format!("FAILED: {why}"));
        lines.push(format!("| {name} | {result} | {} |", clock(*took)));
    }
    let total: Duration = outcomes.iter().map(|outcome| outcome.took).sum();
    lines.push(format!("| all | | {} |\n", clock(total)));
    let failed = outcomes.iter().filter(|outcome| outcome.failure.is_some()).count();
    lines.push(format!("{} passed, {failed} failed", outcomes.len() - failed));
    lines.join("\n")
}

fn clock(took: Duration) -> String {
    format!("{}:{:02}", took.as_secs() / 60, took.as_secs() % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts_steps() {
        let outcome = |failure: Option<&str>| Outcome {
            name: "unit",
            failure: failure.map(str::to_owned),
            took: Duration::from_secs(61),
        };
        let table = render(&[outcome(None), outcome(Some("exit 1"))]);
        assert!(table.contains("| unit | FAILED: exit 1 | 1:01 |"), "{table}");
        assert!(table.ends_with("\n1 passed, 1 failed"), "{table}");
    }
}
