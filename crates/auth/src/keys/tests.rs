//! How keys are read, and that they stay secret.

use super::{Keys, KeysError};

#[track_caller]
fn check(lines: &str, names: &[&str]) {
    let keys = Keys::parse(lines).unwrap();
    assert_eq!(keys.names().collect::<Vec<_>>(), names, "{lines:?}");
}

#[test]
fn keys_are_read_line_by_line_in_order() {
    check("", &[]);
    check("b: 1", &["b"]);
    check("b: 1\na: 2\n", &["b", "a"]);
    check("\r\n  b:1  \r\n\r\n a : 2", &["b", "a"]);
}

#[test]
fn malformed_lines_are_refused_without_their_content() {
    for (lines, error) in [
        ("b", KeysError::NoColon { line: 1 }),
        ("b: 1\n\nhunter2", KeysError::NoColon { line: 3 }),
        (": hunter2", KeysError::Empty { line: 1 }),
        ("b:", KeysError::Empty { line: 1 }),
        ("b: ''", KeysError::Empty { line: 1 }),
        ("b: hunter2\nb: hunter2", KeysError::Duplicate { line: 2 }),
    ] {
        let refused = Keys::parse(lines).unwrap_err();
        assert_eq!(refused, error, "{lines:?}");
        assert!(!refused.to_string().contains("hunter2"));
    }
}

#[test]
fn a_secret_may_contain_colons_and_be_quoted() {
    let token = crate::Token::new("me").to_jwt("b", "x:y: z", 1_000).unwrap();
    for lines in ["b: x:y: z", "b: \"x:y: z\"", "b: 'x:y: z'"] {
        assert!(Keys::parse(lines).unwrap().verify(&token, 1_000).is_ok(), "{lines}");
    }
}

#[test]
fn pairs_are_checked_too() {
    assert!(!Keys::new([("a", "1"), ("b", "2")]).unwrap().is_empty());
    assert_eq!(Keys::new([("a", "1"), ("a", "2")]).unwrap_err(), KeysError::Duplicate { line: 2 });
}

#[test]
fn debug_shows_no_secret() {
    let keys = Keys::parse("devkey: hunter2").unwrap();
    let shown = format!("{keys:?} {keys:#?}");
    assert!(shown.contains("devkey") && !shown.contains("hunter2"));
}
