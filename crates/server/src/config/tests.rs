//! What a configuration says about itself, its messages word by word.

mod effects;
mod fuzz;
mod known;
mod precedence;

use std::collections::HashMap;

use super::*;

/// Loads a body with no environment and no flags.
fn loaded(body: &str) -> Result<Loaded, ConfigErrors> {
    loaded_with(body, &[], Overrides::default())
}

/// Loads a body with an environment and flags; an empty body is none.
fn loaded_with(body: &str, env: &[(&str, &str)], overrides: Overrides) -> Result<Loaded, ConfigErrors> {
    let env: HashMap<String, String> =
        env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    load(Sources { file: None, body: Some(body.to_owned()), env: &|name| env.get(name).cloned(), overrides })
}

/// Keys that no message is about.
const KEYS: &str = "keys: {key: 0123456789abcdef0123456789abcdef}\n";

/// The errors of a body, without the name of their source.
#[track_caller]
fn check(body: &str, expected: &[&str]) {
    let errors = loaded(body).err().map(|errors| errors.errors).unwrap_or_default();
    assert_eq!(texts(&errors), expected);
}

/// The warnings of a body that is used.
#[track_caller]
fn check_warnings(body: &str, expected: &[&str]) {
    let loaded = loaded(&format!("{KEYS}{body}")).unwrap();
    assert_eq!(texts(&loaded.warnings), expected);
}

fn texts(diagnostics: &[Diagnostic]) -> Vec<String> {
    let text = |diagnostic: &Diagnostic| diagnostic.to_string().replace("--config-body:", "");
    diagnostics.iter().map(text).collect()
}

#[test]
fn an_unknown_key_names_its_line_and_the_nearest_known_key() {
    check(
        "port: 1\nrtc:\n  udp_prot: 7882\n",
        &["3: unknown key `rtc.udp_prot`; did you mean `rtc.udp_port`?"],
    );
    check("udp_port: 7882\n", &["1: unknown key `udp_port`; did you mean `rtc.udp_port`?"]);
    check("prot: 7880\n", &["1: unknown key `prot`; did you mean `port`?"]);
    check("rooms: {auto_create: true}\n", &["1: unknown key `rooms`; did you mean `room`?"]);
    check("something: else\n", &["1: unknown key `something`"]);
    check(
        "data_tracks: {rules: [{age: 1s}]}\n",
        &["1: unknown key `data_tracks.rules.age`; did you mean `data_tracks.rules.age_max`?"],
    );
    check("sip: {port: 1}\n", &["1: unknown key `sip.port`; did you mean `port`?"]);
    check("\"a\\nb\": 1\n", &["1: unknown key `a\\nb`"]);
}

#[test]
fn a_wrong_value_names_what_is_taken() {
    check("port: abc\n", &["1: `port` is `abc`; it takes a port from 0 to 65535, such as `7880`"]);
    check("port: 65536\n", &["1: `port` is `65536`; it takes a port from 0 to 65535, such as `7880`"]);
    check("port: [1]\n", &["1: `port` is a list; it takes a port from 0 to 65535, such as `7880`"]);
    check("port: {a: 1}\n", &["1: `port` is a section; it takes a port from 0 to 65535, such as `7880`"]);
    check("development: 1\n", &["1: `development` is `1`; it takes `true` or `false`"]);
    check("rtc: 5\n", &["1: `rtc` is `5`; it takes keys of its own, such as `udp_port`"]);
    check(
        "rtc: {udp_port: 9-5}\n",
        &[
            "1: `rtc.udp_port` is `9-5`; it takes a port, such as `7882`, or a range of ports, such as `7882-7892`",
        ],
    );
    check(
        "rtc: {node_ip: here}\n",
        &[
            "1: `rtc.node_ip` is `here`; it takes an IP address, such as `203.0.113.7`, or one of each family, such as `203.0.113.7,2001:db8::7`",
        ],
    );
    check(
        "rtc: {ips: {includes: [10.0.0.0/33]}}\n",
        &["1: `rtc.ips.includes` is `10.0.0.0/33`; it takes a block of addresses, such as `10.0.0.0/8`"],
    );
    check(
        "bind_addresses: 127.0.0.1\n",
        &[
            "1: `bind_addresses` is `127.0.0.1`; it takes a list, of which each item is an IP address, such as `127.0.0.1` or `::`",
        ],
    );
    check(
        "room: {empty_timeout: soon}\n",
        &[
            "1: `room.empty_timeout` is `soon`; it takes a number of seconds, such as `300`, or a duration, such as `5m`",
        ],
    );
    check(
        "room: {max_participants: -1}\n",
        &["1: `room.max_participants` is `-1`; it takes a whole number from 0 to 4294967295"],
    );
    check(
        "logging: {level: loud}\n",
        &["1: `logging.level` is `loud`; it takes `error`, `warn`, `info`, `debug` or `trace`"],
    );
    check(
        "shutdown: {action: wait}\n",
        &["1: `shutdown.action` is `wait`; it takes `disconnect` or `reconnect`"],
    );
    check("workers: 0\n", &["1: `workers` is `0`; it takes a whole number from 1 to 1024"]);
    check("- port\n", &["1: the configuration is a list; it takes keys of its own, such as `port`"]);
}

#[test]
fn rules_of_tracks_are_checked_too() {
    let rule = |text: &str| format!("data_tracks:\n  rules:\n    - {text}\n");
    check(
        &rule("policy: newest"),
        &["3: `data_tracks.rules.policy` is `newest`; it takes `auto`, `latest` or `queue`"],
    );
    check(
        &rule("weight: 0"),
        &["3: `data_tracks.rules.weight` is `0`; it takes a whole number from 1 to 1000"],
    );
    check(
        &rule("age_max: 100"),
        &[
            "3: `data_tracks.rules.age_max` is `100`; it takes a duration of more than nothing, such as `100ms` or `2s`",
        ],
    );
    check(
        &rule("tracks: '[a'"),
        &[
            "3: `data_tracks.rules.tracks` is `[a`; it takes a pattern of names in quotes, such as `\"cam/**\"`",
        ],
    );
    for (wrong, right) in [
        ("latched", "latch"),
        ("max_h", "max_hz"),
        ("polcy", "policy"),
        ("track", "tracks"),
        ("wieght", "weight"),
    ] {
        let told =
            format!("3: unknown key `data_tracks.rules.{wrong}`; did you mean `data_tracks.rules.{right}`?");
        check(&rule(&format!("{wrong}: 1")), &[&told]);
    }
    check(&rule("latch: 2"), &["3: `data_tracks.rules.latch` is `2`; it takes `true` or `false`"]);
    check(
        &rule("max_hz: 0"),
        &["3: `data_tracks.rules.max_hz` is `0`; it takes a number from 0.001 to 100000"],
    );
    check(
        &rule("frames: 0"),
        &["3: `data_tracks.rules.frames` is `0`; it takes a whole number from 1 to 65535"],
    );
    check(&rule("cam"), &["3: `data_tracks.rules` is `cam`; it takes keys of its own, such as `room`"]);
    check(&rule("tracks: *all"), &["3: this is not YAML: while parsing node, found unknown anchor"]);
}

#[test]
fn every_problem_is_told_at_once_in_the_order_of_lines() {
    let body = "rtc:\n  tcp_prot: 1\n  udp_port: x\nport: y\nkeys: {a: [], b: }\n";
    check(
        body,
        &[
            "2: unknown key `rtc.tcp_prot`; did you mean `rtc.tcp_port`?",
            "3: `rtc.udp_port` is `x`; it takes a port, such as `7882`, or a range of ports, such as `7882-7892`",
            "4: `port` is `y`; it takes a port from 0 to 65535, such as `7880`",
            "5: `keys.a` is a list; it takes a text in quotes that is not empty",
            "5: `keys.b` is empty; it takes a text in quotes that is not empty",
        ],
    );
}

#[test]
fn a_key_is_set_once() {
    check("port: 1\nport: 2\n", &["2: `port` is set twice; it was set at 1"]);
    check(
        "keys:\n  a: 0123456789abcdef\n  a: fedcba9876543210\n",
        &["3: `keys.a` is set twice; it was set at 2"],
    );
}

#[test]
fn secrets_are_not_shown() {
    let text = loaded("keys: {a: [hunter2]}\nprometheus: {password: [hunter2]}\n").unwrap_err().to_string();
    assert!(!text.contains("hunter2"), "{text}");
    let loaded =
        loaded("keys: {a: hunter2}\nprometheus: {port: 1, username: u, password: hunter3}\n").unwrap();
    let shown = format!("{loaded:?}");
    assert!(!shown.contains("hunter"), "{shown}");
}

#[test]
fn a_secret_that_stands_in_the_wrong_place_is_not_shown_either() {
    let takes = "it takes names with values, such as `name: value`";
    check("keys: me:hunter2\n", &[&format!("1: `keys` is a text; {takes}")]);
    let empty = "is empty; it takes a text in quotes that is not empty";
    check("keys: {me:hunter2}\n", &[&format!("1: `keys.me` {empty}")]);
    check("keys: {me:a: x, me:a: y}\n", &["1: `keys.me` is set twice; it was set at 1"]);
    let by_env = loaded_with("", &[("LIVEKIT_KEYS", "me:hunter2")], Overrides::default()).unwrap_err();
    assert_eq!(by_env.to_string(), format!("LIVEKIT_KEYS:1: `keys` is a text; {takes}"));
}

#[test]
fn an_api_key_has_a_name() {
    check("keys: {'': 0123456789abcdef}\n", &["1: `keys` has an entry without a name"]);
}

#[test]
fn what_is_no_yaml_names_its_line() {
    check("port: 1\n  x: 2\n", &["2: this is not YAML: mapping values are not allowed in this context"]);
    check(
        "a: 1\n---\nb: 2\n",
        &["1: unknown key `a`", "3: a second document begins here; only one is read"][1..],
    );
    check("[a]: 1\n", &["1: a key must be a word"]);
    check(&format!("sip: {}{}\n", "[".repeat(40), "]".repeat(40)), &["1: nested more than 32 deep"]);
}

#[test]
fn repetition_by_aliases_is_bounded() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..8 {
        let below = format!("*a{}, ", level - 1).repeat(10);
        bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    check(&bomb, &["5: more than 100000 values"]);
    check("a: &a [*a]\n", &["1: an alias inside of what it stands for"]);
}

#[test]
fn a_configuration_has_a_largest_size() {
    let large = format!("# {}\n", "x".repeat(1024 * 1024));
    let errors = loaded(&large).unwrap_err();
    assert_eq!(errors.to_string(), "--config-body: larger than 1048576 bytes");
}

#[test]
fn ports_of_a_range_need_each_other() {
    check(
        "rtc: {port_range_start: 50000}\n",
        &["1: `rtc.port_range_start` and `rtc.port_range_end` need each other"],
    );
    check(
        "rtc:\n  port_range_start: 60000\n  port_range_end: 50000\n",
        &["3: `rtc.port_range_end` is 50000; it takes at least `rtc.port_range_start`, which is 60000"],
    );
}

#[test]
fn tcp_ports_are_given_out_once() {
    let own = "each takes a port of its own";
    check(
        "port: 7000\nprometheus_port: 7000\n",
        &[&format!("2: `port` and `prometheus_port` are both 7000; {own}")],
    );
    check("prometheus: {port: 7880}\n", &[&format!("1: `port` and `prometheus.port` are both 7880; {own}")]);
    check("port: 7881\n", &[&format!("1: `port` and `rtc.tcp_port` are both 7881; {own}")]);
    check(
        "port: 1\nprometheus_port: 7881\n",
        &[&format!("2: `prometheus_port` and `rtc.tcp_port` are both 7881; {own}")],
    );
    check("port: 7882\n", &[]);
    check("port: 0\nprometheus_port: 0\nrtc: {tcp_port: 0}\n", &[]);
}

#[test]
fn each_worker_has_a_port_of_a_range() {
    check(
        "rtc: {udp_port: 7882-7885}\nworkers: 8\n",
        &["2: `workers` is 8; it takes at most 4, as each has a port of the range 7882-7885"],
    );
    check("rtc: {udp_port: 7882-7885}\nworkers: 4\n", &[]);
    check("workers: 8\n", &[]);
}

#[test]
fn an_empty_secret_is_told_of_once() {
    let empty = "1: `keys.a` is empty; it takes a text in quotes that is not empty";
    for body in ["keys: {a: ''}\n", "keys: {a: }\n"] {
        let ConfigErrors { errors, warnings } = loaded(body).unwrap_err();
        assert_eq!((texts(&errors), texts(&warnings)), (vec![empty.to_owned()], vec![]));
    }
}

#[test]
fn a_file_that_cannot_be_read_has_no_keys_missing() {
    let load = |path: &str| {
        let overrides = Overrides::default();
        load(Sources { file: Some(path.into()), body: None, env: &|_| None, overrides }).unwrap_err()
    };
    let ConfigErrors { errors, warnings } = load("/not/there.yaml");
    assert!(errors[0].text.starts_with("cannot be read: ") && warnings.is_empty(), "{errors:?} {warnings:?}");
    #[cfg(unix)]
    assert_eq!(load("/dev/null").to_string(), "/dev/null: is not a regular file");
}

#[test]
fn many_unknown_keys_are_told_of_without_long_comparisons() {
    let body: String = (0..20_000).map(|number| format!("prot{number}: 1\n")).collect();
    let errors = loaded(&format!("prot: 1\n{body}")).unwrap_err().errors;
    assert_eq!(errors.len(), 20_001);
    let hinted = errors.iter().filter(|error| error.text.contains("did you mean")).count();
    assert!((1..=100).contains(&hinted), "{hinted}");
}
