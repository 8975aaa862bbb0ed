//! What overrides what.

use super::*;

/// A body, variables with their values, and flags with their key and value.
type Given<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [(&'a str, &'a str, &'a str)]);

/// What `read` finds with this body, environment and flags.
#[track_caller]
#[allow(clippy::needless_pass_by_value, reason = "what is expected is written in place")]
fn check<T: PartialEq + std::fmt::Debug>(
    (body, env, flags): Given<'_>,
    read: impl Fn(&Config) -> T,
    expected: T,
) {
    let mut overrides = Overrides::default();
    for (flag, path, word) in flags {
        overrides.set(flag, path, *word);
    }
    let loaded = loaded_with(body, env, overrides).unwrap();
    assert_eq!(read(&loaded.config), expected, "{body} {env:?} {flags:?}");
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let port = |config: &Config| config.port;
    check(("", &[], &[]), port, 7880);
    check(("port: 1", &[], &[]), port, 1);
    check(("port: 1", &[("LIVEKIT_PORT", "2")], &[]), port, 2);
    check(("port: 1", &[("LIVEKIT_PORT", "2")], &[("--port", "port", "3")]), port, 3);
    check(("port: 1", &[("LIVEKIT_PORT", "")], &[]), port, 1);
}

#[test]
fn every_short_name_of_the_official_server_is_taken() {
    let node_ip = |config: &Config| config.rtc.node_ip.v4;
    check(("", &[("NODE_IP", "203.0.113.7")], &[]), node_ip, Some([203, 0, 113, 7].into()));
    check(("", &[("LIVEKIT_RTC_NODE_IP", "203.0.113.7")], &[]), node_ip, Some([203, 0, 113, 7].into()));
    let ports = |config: &Config| (config.rtc.udp_ports.first, config.rtc.udp_ports.last);
    check(("", &[("UDP_PORT", "7000-7003")], &[]), ports, (7000, 7003));
    check(("", &[("LIVEKIT_REGION", "north")], &[]), |config| config.region.clone(), "north".to_owned());
    check(("", &[("LIVEKIT_KEYS", "a: b")], &[]), names, vec!["a".to_owned()]);
    for (name, path) in [
        ("REDIS_HOST", "redis.address"),
        ("REDIS_PASSWORD", "redis.password"),
        ("LIVEKIT_TURN_CERT", "turn.cert_file"),
        ("LIVEKIT_TURN_KEY", "turn.key_file"),
    ] {
        let warnings = loaded_with(KEYS, &[(name, "x")], Overrides::default()).unwrap().warnings;
        assert!(
            texts(&warnings)[0].starts_with(&format!("{name}: `{path}` has no effect: ")),
            "{warnings:?}"
        );
    }
}

#[test]
fn our_keys_have_variables_of_ours() {
    check(("workers: 1", &[("TRACKYARD_WORKERS", "2")], &[]), |config| config.workers, Some(2));
    check(("workers: 1", &[("LIVEKIT_WORKERS", "2")], &[]), |config| config.workers, Some(1));
    let action = |config: &Config| config.shutdown.action;
    check(("", &[("TRACKYARD_SHUTDOWN_ACTION", "reconnect")], &[]), action, ShutdownAction::Reconnect);
}

fn names(config: &Config) -> Vec<String> {
    config.api_keys.names().map(str::to_owned).collect()
}

#[test]
fn every_key_with_one_word_has_a_variable_whose_mistakes_name_it() {
    let error = |env| loaded_with("", env, Overrides::default()).unwrap_err().to_string();
    assert_eq!(
        error(&[("LIVEKIT_RTC_TCP_PORT", "x")]),
        "LIVEKIT_RTC_TCP_PORT: `rtc.tcp_port` is `x`; it takes a port from 0 to 65535, such as `7880`"
    );
    assert_eq!(
        error(&[("UDP_PORT", "x")]),
        "UDP_PORT: `rtc.udp_port` is `x`; it takes a port, such as `7882`, or a range of ports, such as `7882-7892`"
    );
}

#[test]
fn a_port_given_later_wins_over_a_range_in_the_file() {
    let ports = |config: &Config| (config.rtc.udp_ports.first, config.rtc.udp_ports.last);
    let range = "rtc: {port_range_start: 50000, port_range_end: 60000}";
    check((range, &[], &[]), ports, (50000, 60000));
    check((range, &[], &[("--udp-port", "rtc.udp_port", "7882")]), ports, (7882, 7882));
    check((range, &[("UDP_PORT", "7000")], &[]), ports, (7000, 7000));
    check_warnings(
        "rtc: {port_range_start: 1, port_range_end: 2, udp_port: 3}",
        &["2: `rtc.udp_port` has no effect: `rtc.port_range_start` is set"],
    );
}

#[test]
fn keys_given_later_take_the_place_of_all_before() {
    check(("keys: {a: b}", &[("LIVEKIT_KEYS", "c: d")], &[]), names, vec!["c".to_owned()]);
    let mut overrides = Overrides::default();
    overrides.set_yaml("--keys", "keys", "e: f\ng: h");
    let loaded = loaded_with("keys: {a: b}", &[("LIVEKIT_KEYS", "c: d")], overrides).unwrap();
    assert_eq!(names(&loaded.config), ["e", "g"]);
}

#[test]
fn a_body_takes_the_place_of_the_file() {
    let env = |name: &str| (name == "LIVEKIT_CONFIG").then(|| format!("{KEYS}port: 5"));
    let file = Some(std::path::PathBuf::from("/not/there.yaml"));
    let by_env =
        load(Sources { file: file.clone(), body: None, env: &env, overrides: Overrides::default() }).unwrap();
    assert_eq!(by_env.config.port, 5);
    assert_eq!(
        by_env.warnings[0].to_string(),
        "/not/there.yaml: this file is not read: LIVEKIT_CONFIG takes its place"
    );
    let body = Some(format!("{KEYS}port: 6"));
    let by_flag = load(Sources { file, body, env: &env, overrides: Overrides::default() }).unwrap();
    assert_eq!(by_flag.config.port, 6);
    assert_eq!(
        by_flag.warnings[0].to_string(),
        "/not/there.yaml: this file is not read: --config-body takes its place"
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let file = Some(std::path::PathBuf::from("/not/there.yaml"));
    let error =
        load(Sources { file, body: None, env: &|_| None, overrides: Overrides::default() }).unwrap_err();
    assert_eq!(error.to_string(), "/not/there.yaml: cannot be read: No such file or directory (os error 2)");
}

/// A file of its own for a test.
#[cfg(unix)]
fn key_file(name: &str, mode: u32) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = std::env::temp_dir().join(format!("trackyard-{}-{name}", std::process::id()));
    std::fs::write(&path, "filed: 0123456789abcdef0123456789abcdef\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path.display().to_string()
}

#[cfg(unix)]
#[test]
fn a_key_file_takes_the_place_of_keys() {
    let path = key_file("keys.yaml", 0o640);
    let body = format!("{KEYS}key_file: {path}\n");
    let loaded = loaded(&body).unwrap();
    assert_eq!(names(&loaded.config), ["filed"]);
    assert_eq!(texts(&loaded.warnings), ["2: `keys` has no effect: `key_file` takes its place"]);
    check((&body, &[("LIVEKIT_KEYS", "later: on")], &[]), names, vec!["later".to_owned()]);
    std::fs::remove_file(path).unwrap();
}

#[cfg(unix)]
#[test]
fn a_key_file_is_found_through_the_environment() {
    let path = key_file("home.yaml", 0o600);
    let (folder, name) = path.rsplit_once('/').unwrap();
    for written in [format!("~/{name}"), format!("$HOME/{name}"), format!("${{HOME}}/{name}")] {
        check((&format!("key_file: {written}"), &[("HOME", folder)], &[]), names, vec!["filed".to_owned()]);
    }
    std::fs::remove_file(&path).unwrap();
}

#[cfg(unix)]
#[test]
fn a_key_file_that_everybody_may_read_is_refused() {
    let path = key_file("open.yaml", 0o644);
    let error = loaded(&format!("key_file: {path}")).unwrap_err().to_string();
    assert_eq!(
        error,
        format!("--config-body:1: `key_file` {path} may be read by everybody; `chmod o= {path}`")
    );
    std::fs::remove_file(path).unwrap();
}
