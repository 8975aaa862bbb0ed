//! Candidates, well formed and not.

use super::*;

fn candidate(init: &str) -> Result<Option<String>, CandidateError> {
    let trickle = Trickle { candidate_init: init.to_owned(), target: SignalTarget::Publisher, last: false };
    trickle.candidate()
}

#[track_caller]
fn check(init: &str, expected: Option<&str>) {
    assert_eq!(candidate(init).unwrap().as_deref(), expected, "{init}");
}

#[test]
fn the_text_is_found_whatever_else_is_there() {
    check(r#"{"candidate":"candidate:1"}"#, Some("candidate:1"));
    check(r#"{"candidate":"candidate:1","sdpMid":null,"sdpMLineIndex":null}"#, Some("candidate:1"));
    check(r#"{"sdpMLineIndex":0,"usernameFragment":"x","more":[1],"candidate":"c"}"#, Some("c"));
}

#[test]
fn the_empty_candidate_ends_the_list() {
    check(r#"{"candidate":"","sdpMid":"0","sdpMLineIndex":0}"#, None);
    check(r#"{"candidate":"  "}"#, None);
    check(r#"{"candidate":null}"#, None);
    check("{}", None);
}

#[test]
fn what_is_not_such_json_is_refused() {
    for init in ["", "candidate:1", "null", "7", r#"{"candidate":1}"#, r#"{"candidate":"c""#] {
        assert!(matches!(candidate(init), Err(CandidateError::Json(_))), "{init}");
    }
}

#[test]
fn size_is_bounded() {
    let around = r#"{"candidate":""}"#.len();
    let init = |bytes: usize| format!(r#"{{"candidate":"{}"}}"#, "c".repeat(bytes - around));
    assert!(candidate(&init(CANDIDATE_INIT_BYTES)).is_ok());
    let large = candidate(&init(CANDIDATE_INIT_BYTES + 1));
    assert!(matches!(large, Err(CandidateError::TooLarge(_))));
}

#[test]
fn what_is_sent_is_read_back() {
    let trickle = Trickle::new(SignalTarget::Subscriber, "candidate:\"1\"", "0", 3, true);
    assert_eq!(trickle.candidate().unwrap().as_deref(), Some("candidate:\"1\""));
    assert_eq!(trickle.echo().name(), "trickle");
}
