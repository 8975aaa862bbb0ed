//! The contract table: the rules of the wire that clients rely on, and the tests that break with them.

use std::path::Path;

use anyhow::{Context, Result};

use super::tree::{Source, Sources};

const TABLE: &str = "tests/contract.md";

/// Chapters of the table and the rules that each has at least: a rule is not lost by deleting its row.
const CHAPTERS: [(&str, usize); 18] = [
    ("Connect", 13),
    ("Identifiers and state", 8),
    ("Peer connections", 11),
    ("Publishing data tracks", 14),
    ("Announcing data tracks", 6),
    ("Subscribing to data tracks", 10),
    ("Packets", 17),
    ("Frames", 11),
    ("Forwarding data tracks", 10),
    ("Reconnect", 11),
    ("Tokens and joining", 16),
    ("Signalling and leaving", 18),
    ("Ports and addresses", 5),
    ("Data packets", 42),
    ("Streams and RPC", 34),
    ("State", 17),
    ("Server API", 38),
    ("Webhooks", 16),
];

/// A row of the table.
struct Rule<'t> {
    chapter: &'t str,
    number: &'t str,
    tests: &'t str,
}

/// Rules that are missing or have no test, and tests that do not exist.
pub(crate) fn check(root: &Path, sources: &Sources) -> Result<Vec<String>> {
    let table =
        std::fs::read_to_string(root.join(TABLE)).with_context(|| format!("{TABLE} cannot be read"))?;
    let rules = rules(&table);
    let mut findings = incomplete(&rules, &CHAPTERS);
    findings.extend(untested(&rules, sources));
    Ok(findings)
}

fn rules(table: &str) -> Vec<Rule<'_>> {
    let mut chapter = "";
    let mut rules = Vec::new();
    for line in table.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            chapter = heading;
        } else if let Some((number, tests)) = row(line) {
            rules.push(Rule { chapter, number, tests });
        }
    }
    rules
}

/// `| 12 | §5.1 | what holds | crate::module::test |`
fn row(line: &str) -> Option<(&str, &str)> {
    let cells: Vec<_> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
    let (number, tests) = (*cells.first()?, *cells.last()?);
    number.parse::<u32>().is_ok().then_some((number, if cells.len() > 3 { tests } else { "" }))
}

/// Chapters with fewer rules than they must have, and numbers out of order.
fn incomplete(rules: &[Rule<'_>], chapters: &[(&str, usize)]) -> Vec<String> {
    let mut findings = Vec::new();
    for (chapter, least) in chapters {
        let count = rules.iter().filter(|rule| rule.chapter == *chapter).count();
        if count < *least {
            findings.push(format!("{TABLE}: {count} rules in `{chapter}`; at least {least}"));
        }
    }
    for (index, rule) in rules.iter().enumerate() {
        if rule.number != (index + 1).to_string() {
            findings.push(format!("{TABLE}: rule {} stands where {} should", rule.number, index + 1));
        }
    }
    findings
}

/// Rules without a test, and tests that do not exist.
fn untested(rules: &[Rule<'_>], sources: &Sources) -> Vec<String> {
    let mut findings = Vec::new();
    for Rule { number, tests, .. } in rules {
        let tests: Vec<_> = tests.split(['`', ',', ' ']).filter(|test| test.contains("::")).collect();
        if tests.is_empty() {
            findings.push(format!("{TABLE}: rule {number} has no test"));
        }
        let gone = tests.into_iter().filter(|test| !exists(test, sources));
        findings.extend(gone.map(|test| format!("{TABLE}: rule {number}: no test `{test}`")));
    }
    findings
}

/// `place::module::…::name`: a test function in the crate, or directory of `tests/`, and file that its
/// path names.
fn exists(test: &str, sources: &Sources) -> bool {
    let parts: Vec<_> = test.split("::").collect();
    let [place, modules @ .., name] = parts.as_slice() else { return false };
    sources.files.iter().any(|file| is_module(&file.path, place, modules) && defines(file, name))
}

/// Whether the modules name the file, or the module `tests` in it.
fn is_module(path: &str, place: &str, modules: &[&str]) -> bool {
    let Some(inside) = ["crates", "tests"]
        .iter()
        .find_map(|top| path.strip_prefix(top)?.strip_prefix('/')?.strip_prefix(place)?.strip_prefix('/'))
    else {
        return false;
    };
    let inside = ["src/", "tests/"].iter().find_map(|top| inside.strip_prefix(top)).unwrap_or(inside);
    let Some((stem, "rs" | "py")) = inside.rsplit_once('.') else { return false };
    let file: Vec<_> = stem.split('/').collect();
    file == modules || modules.split_last().is_some_and(|(last, rest)| *last == "tests" && file == rest)
}

/// Whether the file has a test function of that name that is run: in Rust one with a test attribute.
fn defines(file: &Source, name: &str) -> bool {
    if file.path.ends_with(".py") {
        return name.starts_with("test_") && file.text.contains(&format!("def {name}("));
    }
    let definition = format!("fn {name}(");
    let lines: Vec<_> = file.text.lines().map(str::trim_start).collect();
    let starts = lines.iter().enumerate().filter(|(_, line)| line.contains(&definition));
    starts.into_iter().any(|(at, _)| {
        let above: Vec<_> = lines[..at].iter().rev().take_while(|line| line.starts_with("#[")).collect();
        above.iter().any(|line| line.starts_with("#[test]") || line.contains("::test"))
            && !above.iter().any(|line| line.starts_with("#[ignore"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources() -> Sources {
        let file = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
        let inline =
            "//! T.\nmod tests {\n    #[test]\n    fn handles_are_never_zero() {}\n    fn helper() {}\n}";
        Sources {
            files: vec![
                file("crates/wire/src/header.rs", inline),
                file(
                    "crates/peer/tests/behaviour/offer.rs",
                    "#[tokio::test]\n#[should_panic]\nasync fn at_once() {}\n#[test]\n#[ignore]\nfn later() {}",
                ),
                file("tests/interop/test_frames.py", "async def test_they_arrive(\n    join"),
            ],
        }
    }

    fn untested(tests: &str) -> usize {
        super::untested(&rules(&format!("| 1 | §5.4 | a rule | {tests} |")), &sources()).len()
    }

    #[test]
    fn a_rule_needs_tests_that_exist() {
        assert_eq!(untested("`wire::header::tests::handles_are_never_zero`"), 0);
        assert_eq!(untested("`peer::behaviour::offer::later`"), 1, "it is not run");
        assert_eq!(
            untested("`peer::behaviour::offer::at_once`, `interop::test_frames::test_they_arrive`"),
            0
        );
        assert_eq!(untested(""), 1);
        assert_eq!(untested("`wire::header::tests::no_such_test`"), 1);
        assert_eq!(untested("`wire::header::tests::helper`"), 1, "it is no test");
        assert_eq!(untested("`wire::builder::tests::handles_are_never_zero`"), 1, "it is another file");
        assert_eq!(untested("`lanes::header::tests::handles_are_never_zero`"), 1, "it is another crate");
        assert_eq!(untested("`wire::header::tests::handles_are_never_zero`, `wire::header::gone`"), 1);
    }

    #[test]
    fn a_row_without_its_last_cell_has_no_test() {
        assert_eq!(super::untested(&rules("| 1 | §5.4 | a rule |"), &sources()).len(), 1);
    }

    #[test]
    fn rules_stay_and_are_numbered_in_order() {
        let table = "## Packets\n\n| # | § | rule | test |\n|---|---|---|---|\n| 1 | §5.4 | a | |\n| 2 | §5.4 | b | |\n";
        assert_eq!(incomplete(&rules(table), &[("Packets", 2)]), Vec::<String>::new());
        assert_eq!(incomplete(&rules(table), &[("Packets", 3)]).len(), 1);
        assert_eq!(incomplete(&rules(table), &[("Frames", 1)]).len(), 1);
        assert_eq!(incomplete(&rules(&table.replace("| 2 |", "| 4 |")), &[]).len(), 1);
    }
}
