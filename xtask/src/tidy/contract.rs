//! The contract table: each rule of the wire that is implemented, and the tests that break with it.

use std::path::Path;

use anyhow::{Context, Result};

use super::tree::Sources;

const TABLE: &str = "tests/contract.md";

/// A row of the table.
struct Row<'t> {
    number: &'t str,
    tests: &'t str,
}

/// Rules without a test, and tests that do not exist.
pub(crate) fn check(root: &Path, sources: &Sources) -> Result<Vec<String>> {
    let table =
        std::fs::read_to_string(root.join(TABLE)).with_context(|| format!("{TABLE} cannot be read"))?;
    Ok(check_table(&table, sources))
}

fn check_table(table: &str, sources: &Sources) -> Vec<String> {
    let rows: Vec<_> = table.lines().filter_map(row).collect();
    let mut findings = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        if row.number != (index + 1).to_string() {
            findings.push(format!("{TABLE}: rule {} stands where {} should", row.number, index + 1));
        }
        let tests: Vec<_> = row.tests.split(['`', ',', ' ']).filter(|test| test.contains("::")).collect();
        if tests.is_empty() {
            findings.push(format!("{TABLE}: rule {} has no test", row.number));
        }
        for test in tests.into_iter().filter(|test| !exists(test, sources)) {
            findings.push(format!("{TABLE}: rule {}: no test `{test}`", row.number));
        }
    }
    findings
}

/// `| 12 | §5.1 | what holds | crate::module::test |`
fn row(line: &str) -> Option<Row<'_>> {
    let cells: Vec<_> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
    let [number, _section, _rule, tests] = cells.as_slice() else { return None };
    number.parse::<u32>().is_ok().then_some(Row { number, tests })
}

/// A test function of that name in the crate or directory that the path begins with.
fn exists(test: &str, sources: &Sources) -> bool {
    let (Some((place, _)), Some((_, name))) = (test.split_once("::"), test.rsplit_once("::")) else {
        return false;
    };
    let places = [format!("crates/{place}/"), format!("tests/{place}/")];
    let definitions = [format!("fn {name}("), format!("def {name}("), format!("fn {name}<")];
    sources
        .files
        .iter()
        .filter(|file| places.iter().any(|place| file.path.starts_with(place)))
        .any(|file| definitions.iter().any(|definition| file.text.contains(definition)))
}

#[cfg(test)]
mod tests {
    use super::super::tree::Source;
    use super::*;

    fn findings(table: &str) -> usize {
        let text = "//! T.\n#[test]\nfn handles_are_never_zero() {}\n".to_owned();
        let source = Source { path: "crates/wire/src/header.rs".to_owned(), text };
        check_table(table, &Sources { files: vec![source] }).len()
    }

    #[test]
    fn rules_need_tests_that_exist_and_numbers_in_order() {
        assert_eq!(findings("| # | § | rule | test |\n|---|---|---|---|\n"), 0);
        assert_eq!(findings("| 1 | §5.4 | handle ≠ 0 | `wire::header::handles_are_never_zero` |"), 0);
        assert_eq!(findings("| 1 | §5.4 | handle ≠ 0 | |"), 1);
        assert_eq!(findings("| 1 | §5.4 | handle ≠ 0 | `wire::header::no_such_test` |"), 1);
        assert_eq!(findings("| 1 | §5.4 | handle ≠ 0 | `lanes::header::handles_are_never_zero` |"), 1);
        assert_eq!(findings("| 2 | §5.4 | handle ≠ 0 | `wire::header::handles_are_never_zero` |"), 1);
    }
}
