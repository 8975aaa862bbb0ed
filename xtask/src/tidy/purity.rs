//! Pure crates see no socket, clock, thread or environment.

use super::PURE;
use super::sizes::without_tests;
use super::tree::{Source, Sources};

const FORBIDDEN: [&str; 12] = [
    "UdpSocket",
    "TcpStream",
    "TcpListener",
    "Instant::now",
    "SystemTime::now",
    "thread::spawn",
    "std::thread",
    "std::fs",
    "std::env",
    "std::process",
    "tokio::",
    "println!",
];

/// Uses of the outside in pure crates, tests aside.
pub(crate) fn check(sources: &Sources) -> Vec<String> {
    let mut findings: Vec<_> = sources.rust().filter(|file| is_pure(file)).flat_map(uses).collect();
    for name in PURE {
        let path = format!("crates/{name}/clippy.toml");
        let guarded =
            sources.files.iter().any(|file| file.path == path && file.text.contains("disallowed-methods"));
        if !guarded {
            findings
                .push(format!("{path}: a pure crate forbids methods that read the clock or start threads"));
        }
    }
    findings
}

fn is_pure(file: &Source) -> bool {
    PURE.iter().any(|name| file.path.starts_with(&format!("crates/{name}/src/")))
}

fn uses(file: &Source) -> Vec<String> {
    let code = without_tests(file);
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines
        .flat_map(|line| FORBIDDEN.into_iter().filter(move |word| line.contains(word)))
        .map(|word| format!("{}: a pure crate uses `{word}`", file.path))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_found_and_a_test_is_not() {
        let source = |text: &str| Source { path: "crates/lanes/src/x.rs".to_owned(), text: text.to_owned() };
        assert_eq!(uses(&source("let now = Instant::now();")).len(), 1);
        assert!(uses(&source("/// Like Instant::now, but not.")).is_empty());
        assert!(uses(&source("fn x() {}\n#[cfg(test)]\nmod tests { Instant::now(); }")).is_empty());
    }
}
