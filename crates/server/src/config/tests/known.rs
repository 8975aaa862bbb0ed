//! Every key of LiveKit's server (1.13.5) is known.

use super::super::schema::{Key, Kind, TOP, join};
use super::*;

/// A word that each kind takes.
fn word(kind: Kind) -> String {
    match kind {
        Kind::Section(keys) => {
            let entries: Vec<String> =
                keys.iter().map(|key| format!("{}: {}", key.name, word(key.kind))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Kind::Table(kind) => format!("{{any: {}}}", word(*kind)),
        Kind::List(kind) => format!("[{}]", word(*kind)),
        Kind::Anything => "{a: [b]}".to_owned(),
        // Any other is given out once only.
        Kind::Port => "0".to_owned(),
        kind => [
            "true",
            "1",
            "5s",
            "10.0.0.1",
            "info",
            "disconnect",
            "queue",
            "http://a",
            "0123456789abcdef0123456789abcdef",
        ]
        .into_iter()
        .find(|word| kind.takes(word))
        .unwrap()
        .to_owned(),
    }
}

fn each<'a>(
    prefix: &str,
    keys: &'a [Key],
    idle: Option<&'static str>,
    visit: &mut dyn FnMut(&str, &'a Key, Option<&'static str>),
) {
    for key in keys {
        let (path, idle) = (join(prefix, key.name), idle.or(key.idle));
        visit(&path, key, idle);
        if let Kind::Section(keys) = key.kind {
            each(&path, keys, idle, visit);
        }
    }
}

/// `a.b: word` as YAML.
fn nested(path: &str, word: &str) -> String {
    path.rsplit('.').fold(word.to_owned(), |inner, name| format!("{{{name}: {inner}}}"))
}

#[test]
fn each_key_alone_is_taken_and_warned_about_if_it_has_no_effect() {
    let (mut seen, mut idle_seen) = (0, 0);
    each("", TOP, None, &mut |path, key, idle| {
        // These need another key beside them.
        if path.starts_with("rtc.port_range") || path == "key_file" || matches!(key.kind, Kind::Section(_)) {
            return;
        }
        let body = nested(path, &word(key.kind));
        let loaded = loaded(&body).unwrap_or_else(|errors| panic!("{body}: {errors}"));
        let warned = format!("`{path}` has no effect: {}", idle.unwrap_or_default());
        assert_eq!(
            loaded.warnings.iter().any(|warning| warning.text == warned),
            idle.is_some(),
            "{path}: {:?}",
            loaded.warnings
        );
        seen += 1;
        idle_seen += usize::from(idle.is_some());
    });
    assert!(seen > 230 && idle_seen > 180, "{seen} keys, {idle_seen} without effect");
}

#[test]
fn all_keys_together_are_taken() {
    // The key of the one is to be among those of the other.
    let without = |name: &str| !matches!(name, "key_file" | "webhook");
    let body: Vec<String> = TOP
        .iter()
        .filter(|key| without(key.name))
        .map(|key| format!("{}: {}", key.name, word(key.kind)))
        .collect();
    loaded(&body.join("\n")).unwrap();
}

/// The paths of all keys that the official server's configuration has, one a line.
const OFFICIAL: &str = include_str!("official_keys.txt");

#[test]
fn every_key_of_the_official_server_is_known() {
    let mut known = Vec::new();
    each("", TOP, None, &mut |path, key, _| {
        known.push(path.to_owned());
        if let Kind::List(Kind::Section(keys)) = key.kind {
            known.extend(keys.iter().map(|key| join(path, key.name)));
        }
    });
    let missing: Vec<&str> =
        OFFICIAL.lines().filter(|path| !known.iter().any(|known| known == path)).collect();
    assert_eq!(missing, Vec::<&str>::new());
    let ours = |path: &&String| !OFFICIAL.lines().any(|official| official == path.as_str());
    let ours: Vec<&String> =
        known.iter().filter(ours).filter(|path| !path.starts_with("data_tracks.rules.")).collect();
    assert_eq!(
        ours,
        [
            "webhook.data_tracks",
            "limit.max_worker_load",
            "limit.max_input_wait",
            "data_tracks",
            "data_tracks.rules",
            "metrics",
            "metrics.rooms",
            "metrics.tracks",
            "shutdown",
            "shutdown.action",
            "shutdown.deadline",
            "workers"
        ]
    );
}

#[test]
fn a_file_as_the_official_sample_has_it_is_taken_with_warnings_only() {
    let body = "port: 7880\nredis: {address: redis.host:6379}\nrtc: {port_range_start: 50000, port_range_end: 60000, \
                tcp_port: 7881, use_external_ip: true}\nkeys: {key1: secret1, key2: secret2}\n";
    let loaded = loaded(body).unwrap();
    assert_eq!(
        texts(&loaded.warnings),
        [
            "2: `redis.address` has no effect: one node needs no Redis yet",
            "3: `rtc.use_external_ip` asks global.stun.twilio.com:3478, stun.l.google.com:19302, stun1.l.google.com:19302 for the public address at every start; if it is known, set `rtc.node_ip` instead",
            "4: the secret of `key1` has 7 characters and may be guessed; use 32 or more",
            "4: the secret of `key2` has 7 characters and may be guessed; use 32 or more",
        ]
    );
    assert_eq!(loaded.config.rtc.udp_ports, PortRange { first: 50000, last: 60000 });
}

#[test]
fn our_own_sample_is_taken_and_says_the_defaults() {
    let sample = include_str!("../../../../../deploy/config-sample.yaml");
    let loaded = loaded(sample).unwrap();
    let [warning] = texts(&loaded.warnings).try_into().expect("nothing else is wrong with it");
    assert!(warning.contains("secret"), "the secret in it has to be replaced: {warning}");
    let mut default = Config { api_keys: loaded.config.keys(), ..Config::default() };
    assert_eq!(format!("{:?}", loaded.config), format!("{default:?}"));
    default.port += 1;
    assert_ne!(format!("{:?}", loaded.config), format!("{default:?}"));
}

#[test]
fn what_is_commented_out_in_our_sample_is_right_too() {
    let sample = include_str!("../../../../../deploy/config-sample.yaml");
    // A comment that is a key, or an item or a line below one, is a setting; others are sentences.
    let setting = |line: &str| {
        let text = line.trim_start().strip_prefix("# ").unwrap_or_default();
        let word = text.trim_start().trim_start_matches("- ").split(':').next().unwrap_or_default();
        text.contains(':') && !word.contains(' ') && word.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    let uncommented: Vec<String> = sample
        .lines()
        .map(|line| if setting(line) { line.replacen("# ", "", 1) } else { line.to_owned() })
        .filter(|line| !line.starts_with("key_file"))
        .collect();
    let config = loaded(&uncommented.join("\n")).unwrap().config;
    assert_eq!(config.data_tracks.rules.len(), 2);
    assert_eq!(config.workers, Some(4));
    assert_eq!(config.rtc.node_ip.v4, Some([203, 0, 113, 7].into()));
}
