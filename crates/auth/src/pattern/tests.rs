//! Which names a pattern matches, and which patterns are refused.

use proptest::prelude::*;

use super::{NamePattern, NamePatterns, PATTERN_BYTES_MAX, PATTERNS_MAX, PatternError, PatternsError};

#[track_caller]
fn check(pattern: &str, name: &str, matches: bool) {
    assert_eq!(NamePattern::new(pattern).unwrap().matches(name), matches, "{pattern} {name}");
    assert_eq!(NamePatterns::new([pattern]).unwrap().matches(name), matches, "{pattern} {name}");
}

#[test]
fn a_star_stays_inside_its_segment() {
    check("*", "cam", true);
    check("*", "cam/left", false);
    check("cam/*", "cam/left", true);
    check("cam/*", "cam/left/raw", false);
    check("cam*", "camera", true);
    check("c*m", "cam", true);
    check("c*m", "c/m", false);
    check("*.json", "a.json", true);
    check("*.json", "dir/a.json", false);
    check("/cam/*", "/cam/left", true);
    check("/cam/*", "cam/left", false);
    check("?am", "cam", true);
    check("c?m", "c/m", false);
}

#[test]
fn two_stars_cross_segments() {
    check("**", "cam", true);
    check("**", "cam/left/raw", true);
    check("**", ".hidden/..", true);
    check("**", "line\nbreak", true);
    check("cam/**", "cam/left", true);
    check("cam/**", "cam/left/raw", true);
    check("cam/**", "cam", false);
    check("cam/**", "camera/left", false);
    check("**/..", "..", true);
    check("**/a.", "cam/a.", true);
    check("**/raw", "raw", true);
    check("**/raw", "cam/left/raw", true);
    check("**/raw", "cam/left/raws", false);
    check("cam/**/raw", "cam/raw", true);
    check("cam/**/raw", "cam/a/b/raw", true);
}

#[test]
fn alternatives_and_escapes() {
    check("{cam,lidar}/*", "lidar/top", true);
    check("{cam,lidar}/*", "radar/top", false);
    check("cam[0-3]", "cam2", true);
    check("cam[0-3]", "cam4", false);
    check(r"what\?", "what?", true);
    check(r"what\?", "whats", false);
}

#[test]
fn case_and_unicode_count() {
    check("Cam", "cam", false);
    check("k*mera", "kämera", true);
    check("k?mera", "kämera", false);
    check("k??mera", "kämera", true);
    check("日本/*", "日本/東京", true);
}

#[track_caller]
fn check_refused(pattern: &str, refused: impl Fn(&PatternError) -> bool) {
    let error = NamePattern::new(pattern).unwrap_err();
    assert!(refused(&error), "{pattern}: {error:?}");
    assert_eq!(NamePatterns::new([pattern]).unwrap_err(), PatternsError::Pattern(error));
}

#[test]
fn invalid_patterns_are_typed_errors() {
    check_refused("", |error| *error == PatternError::Empty);
    check_refused("a[", |error| matches!(error, PatternError::Syntax { .. }));
    check_refused("a{b", |error| matches!(error, PatternError::Syntax { .. }));
    check_refused("a}", |error| matches!(error, PatternError::Syntax { .. }));
    check_refused("a[z-a]", |error| matches!(error, PatternError::Syntax { .. }));
    check_refused("a\\", |error| matches!(error, PatternError::Syntax { .. }));
    check_refused("cam**", |error| matches!(error, PatternError::PartialSegment { .. }));
    check_refused("a//b", |error| matches!(error, PatternError::EmptySegment { .. }));
    check_refused("cam/", |error| matches!(error, PatternError::EmptySegment { .. }));
    check_refused("/", |error| matches!(error, PatternError::EmptySegment { .. }));
    check_refused("a/***/b", |error| matches!(error, PatternError::PartialSegment { .. }));
}

#[test]
fn length_and_count_are_bounded() {
    assert!(NamePattern::new(&"a".repeat(PATTERN_BYTES_MAX)).is_ok());
    check_refused(&"a".repeat(PATTERN_BYTES_MAX + 1), |error| *error == PatternError::TooLong);

    let names = || (0..).map(|index| format!("track-{index}"));
    assert!(NamePatterns::new(names().take(PATTERNS_MAX)).unwrap().matches("track-63"));
    let too_many = NamePatterns::new(names().take(PATTERNS_MAX + 1));
    assert_eq!(too_many.unwrap_err(), PatternsError::TooMany);
}

#[test]
fn the_costliest_patterns_compile_or_are_refused() {
    for costly in ["{a,".repeat(80), "{*,?}/".repeat(40), "[!a]*?".repeat(40), "**/".repeat(80)] {
        let costly = &costly[..costly.len().min(PATTERN_BYTES_MAX)];
        if let Ok(patterns) = NamePatterns::new(vec![costly; PATTERNS_MAX]) {
            assert!(!patterns.matches("\u{0}"), "{costly}");
        }
    }
}

#[test]
fn a_list_matches_if_one_pattern_does() {
    let patterns = NamePatterns::new(["cam/**", "lidar"]).unwrap();
    assert!(patterns.matches("cam/left"));
    assert!(patterns.matches("lidar"));
    assert!(!patterns.matches("radar"));
    assert!(!NamePatterns::default().matches("anything"));
}

#[test]
fn patterns_read_and_write_as_text() {
    let pattern: NamePattern = serde_json::from_str(r#""cam/*""#).unwrap();
    assert_eq!(pattern.as_str(), "cam/*");
    assert_eq!(pattern.to_string(), "cam/*");
    assert_eq!(serde_json::to_string(&pattern).unwrap(), r#""cam/*""#);
    assert!(serde_json::from_str::<NamePattern>(r#""cam[""#).is_err());
}

/// The language without brackets and braces, in the plainest way.
fn matches_plainly(pattern: &[&str], name: &[&str]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        // At the end it stands for at least one segment, elsewhere for any number.
        (["**"], _) => !name.is_empty(),
        (["**", rest @ ..], _) => (0..=name.len()).any(|n| matches_plainly(rest, &name[n..])),
        ([segment, rest @ ..], [first, names @ ..]) => {
            segment_matches(segment.as_bytes(), first.as_bytes()) && matches_plainly(rest, names)
        }
        _ => false,
    }
}

fn segment_matches(pattern: &[u8], segment: &[u8]) -> bool {
    match (pattern, segment) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => (0..=segment.len()).any(|n| segment_matches(rest, &segment[n..])),
        ([p, rest @ ..], [s, tail @ ..]) => (*p == b'?' || p == s) && segment_matches(rest, tail),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_is_a_pattern_or_a_typed_error(
        pattern in r"([ab/*?!^,.{}\-é]|\*\*/|\[|\]|\\){0,60}",
        name in "[ab/é.]{0,10}",
    ) {
        if let Ok(patterns) = NamePatterns::new([&pattern]) {
            let alone = NamePattern::new(&pattern).unwrap();
            prop_assert_eq!(patterns.matches(&name), alone.matches(&name));
        }
    }

    #[test]
    fn matching_agrees_with_the_plain_definition(
        pattern in proptest::collection::vec(r"\*\*|[ab.]{1,2}|[ab]?\*[ab]?|\?[ab]", 1..4),
        rooted in any::<bool>(),
        name in proptest::collection::vec("[ab.]{0,3}", 1..5),
    ) {
        let pattern = [vec![String::new(); usize::from(rooted)], pattern].concat();
        let segments: Vec<_> = pattern.iter().map(String::as_str).collect();
        let names: Vec<_> = name.iter().map(String::as_str).collect();
        let expected = matches_plainly(&segments, &names);
        let (pattern, name) = (pattern.join("/"), name.join("/"));
        prop_assert_eq!(NamePattern::new(&pattern).unwrap().matches(&name), expected);
        prop_assert_eq!(NamePatterns::new([&pattern]).unwrap().matches(&name), expected);
    }
}
