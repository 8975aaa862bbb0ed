//! `trackyard check-config`.

use super::support::{TempFile, run, run_with};

const GOOD: &str = "\
keys: {mykey: 0123456789abcdef0123456789abcdef}
redis: {address: 'r:1'}
data_tracks:
  rules:
    - {room: 'lab-*', tracks: 'cam/**', policy: queue, frames: 3}
    - {tracks: 'cam/**', policy: latest, weight: 7, max_hz: 30, latch: true}
";

#[test]
fn a_good_configuration_is_explained() {
    let file = TempFile::new("good.yaml", GOOD);
    let ran = run(&["check-config", file.path()]);
    assert_eq!(ran.code, 0);
    assert_eq!(
        ran.err,
        format!("warning: {}:2: `redis.address` has no effect: one node needs no Redis yet\n", file.path())
    );
    assert!(ran.out.starts_with(&format!("{}: ok, 1 warning\n\nport: 7880\n", file.path())), "{}", ran.out);
    let rules = "\ndata_tracks.rules, of which the first that matches holds:\n  \
                 1. line 5: room `lab-*`, tracks `cam/**`: policy queue(3), age_max 100ms, finish_max 2s, weight 1, max_hz any, latch false\n  \
                 2. line 6: room `**`, tracks `cam/**`: policy latest, age_max 100ms, finish_max 2s, weight 7, max_hz 30, latch true\n  \
                 else: policy auto, age_max 100ms, finish_max 2s, weight 1, max_hz any, latch false\n";
    assert!(ran.out.ends_with(rules), "{}", ran.out);
    assert!(ran.out.contains("keys: [\"mykey\"]\n") && !ran.out.contains("0123456789abcdef"), "{}", ran.out);
}

#[test]
fn the_rule_of_a_track_is_named() {
    let file = TempFile::new("rule.yaml", GOOD);
    let check = |room: &str, track: &str, expected: &str| {
        let ran = run(&["check-config", file.path(), "--room", room, "--track", track]);
        assert!(
            ran.out.ends_with(&format!("\ntrack `{track}` of room `{room}`: {expected}\n")),
            "{}",
            ran.out
        );
    };
    check(
        "lab-1",
        "cam/a",
        "the rule on line 5, so policy queue(3), age_max 100ms, finish_max 2s, weight 1, max_hz any, latch false",
    );
    check(
        "yard",
        "cam/a/b",
        "the rule on line 6, so policy latest, age_max 100ms, finish_max 2s, weight 7, max_hz 30, latch true",
    );
    check(
        "yard",
        "pose",
        "no rule, so policy auto, age_max 100ms, finish_max 2s, weight 1, max_hz any, latch false",
    );
}

#[test]
fn the_environment_counts() {
    let file = TempFile::new("env.yaml", GOOD);
    let ran = run_with(&["check-config", file.path(), "--json"], &[("LIVEKIT_PORT", "1")]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["settings"]["port"], 1);
}

#[test]
fn a_bad_configuration_ends_with_2_and_every_error() {
    let file = TempFile::new("bad.yaml", "prot: 1\nredis: {address: a}\nworkers: x\n");
    let ran = run(&["check-config", file.path()]);
    let path = file.path();
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.ends_with(&format!(
        "error: {path}:1: unknown key `prot`; did you mean `port`?\nerror: {path}:3: `workers` is `x`; it takes a whole number from 1 to 1024\n"
    )), "{}", ran.err);
}

#[test]
fn json_holds_the_same() {
    let file = TempFile::new("json.yaml", GOOD);
    let ran = run(&["check-config", file.path(), "--json", "--room", "yard", "--track", "cam/a"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (ran.code, &json["ok"], &json["rule_line"], &json["rules"][0]["policy"]),
        (0, &true.into(), &6.into(), &"queue(3)".into())
    );
    assert_eq!((&json["warnings"][0]["line"], &json["rules"][1]["max_hz"]), (&2.into(), &30.0.into()));
    assert_eq!((&json["rules"][0]["latch"], &json["rules"][1]["latch"]), (&false.into(), &true.into()));
    assert_eq!(json["rules"][1]["left_open"], serde_json::json!(["age_max"]));
    let file = TempFile::new("json-bad.yaml", "prot: 1\n");
    let ran = run(&["check-config", file.path(), "--json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, &json["ok"], &json["errors"][0]["line"]), (2, &false.into(), &1.into()));
    assert_eq!(json["errors"][0]["source"], file.path());
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let ran = run(&["check-config", "/not/there.yaml"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("error: /not/there.yaml: cannot be read: No such file"), "{}", ran.err);
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_only_from_standard_input() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-pipe", std::process::id()));
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let ran = run(&["check-config", path.to_str().unwrap()]);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(ran.code, 2);
    assert!(ran.err.ends_with(&format!("error: {}: is not a regular file\n", path.display())), "{}", ran.err);
    let (reader, mut writer) = std::io::pipe().unwrap();
    std::io::Write::write_all(&mut writer, GOOD.as_bytes()).unwrap();
    drop(writer);
    let output = super::support::command(&["check-config", "/dev/stdin"]).stdin(reader).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
