//! No file grows beyond what one reading takes in.

use super::tree::{Source, Sources};

/// Lines of a file, test modules aside.
const LINES_MAX: usize = 600;
/// Files that may be longer, each with its reason.
const EXCEPTIONS: [(&str, &str); 0] = [];

/// Files that are too long, and exceptions that are not needed.
pub(crate) fn check(sources: &Sources) -> Vec<String> {
    sources
        .rust()
        .filter(|file| !is_test(&file.path))
        .filter_map(|file| {
            let lines = without_tests(file).lines().count();
            let excepted = EXCEPTIONS.iter().any(|(path, _)| *path == file.path);
            match (lines > LINES_MAX, excepted) {
                (true, false) => Some(format!("{}: {lines} lines; at most {LINES_MAX}", file.path)),
                (false, true) => Some(format!("{}: no longer needs its exception", file.path)),
                _ => None,
            }
        })
        .collect()
}

/// A file's code up to its test module; nothing for files that are tests as a whole.
pub(super) fn without_tests(file: &Source) -> &str {
    if is_test(&file.path) {
        return "";
    }
    file.text.find("#[cfg(test)]\nmod tests").map_or(file.text.as_str(), |end| &file.text[..end])
}

fn is_test(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "tests" | "tests.rs" | "benches"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, lines: usize) -> usize {
        let source = Source { path: path.to_owned(), text: "x\n".repeat(lines) };
        check(&Sources { files: vec![source] }).len()
    }

    #[test]
    fn long_files_are_found_unless_they_are_tests() {
        assert_eq!(findings("crates/a/src/b.rs", LINES_MAX), 0);
        assert_eq!(findings("crates/a/src/b.rs", LINES_MAX + 1), 1);
        assert_eq!(findings("crates/a/src/b/tests.rs", LINES_MAX + 1), 0);
        assert_eq!(findings("crates/a/tests/b.rs", LINES_MAX + 1), 0);
    }
}
