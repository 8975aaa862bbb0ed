//! What settings do, and what is warned about.

use std::time::Duration;

use trackyard_lanes::Policy;

use super::*;

#[test]
fn a_configuration_sets_what_it_says() {
    let config = loaded(
        "port: 1\nbind_addresses: [127.0.0.1, '::1', localhost]\nprometheus_port: 2\n\
         rtc: {udp_port: 3-4, tcp_port: 0, node_ip: '203.0.113.7,2001:db8::7', stun_servers: [a, 'b:1'], \
         enable_loopback_candidate: yes, interfaces: {includes: [eth0]}, ips: {excludes: [10.0.0.0/8]}}\n\
         room: {auto_create: off, empty_timeout: 10, departure_timeout: 1m, max_participants: 5}\n\
         limit: {max_metadata_size: 0, max_attributes_size: 1_000, max_data_blobs_size: 7}\n\
         enable_data_tracks: false\nenable_participant_data_blob: false\nregion: north\n\
         logging: {level: warn, json: true}\nshutdown: {action: reconnect, deadline: 3s}\nworkers: 2\n",
    )
    .unwrap()
    .config;
    assert_eq!(
        config.http_addresses(),
        ["127.0.0.1:1", "[::1]:1", "127.0.0.1:1"].map(|address| address.parse().unwrap())
    );
    assert_eq!(config.metrics_addresses()[0], "127.0.0.1:2".parse().unwrap());
    assert_eq!((config.rtc.udp_ports, config.rtc.tcp_port), (PortRange { first: 3, last: 4 }, None));
    assert_eq!(config.rtc.node_ip.v6, Some("2001:db8::7".parse().unwrap()));
    assert_eq!(config.rtc.stun_servers, ["a:3478", "b:1"]);
    assert!(config.rtc.enable_loopback_candidate && !config.room.auto_create);
    assert_eq!(config.rtc.interfaces.includes, ["eth0"]);
    assert_eq!(config.rtc.ips.excludes, ["10.0.0.0/8".parse().unwrap()]);
    assert_eq!(
        (config.room.empty_timeout, config.room.departure_timeout),
        (Duration::from_secs(10), Duration::from_secs(60))
    );
    assert_eq!(
        (config.room.max_participants, config.limit.max_metadata_size, config.limit.max_attributes_size),
        (5, 0, 1000)
    );
    assert!(!config.data_tracks.enabled && !config.data_blobs);
    assert_eq!((config.limit.max_data_blobs_size, config.limit.max_data_blob_key_length), (7, 256));
    assert_eq!(
        (config.region.as_str(), config.logging.level, config.logging.json),
        ("north", LogLevel::Warn, true)
    );
    assert_eq!(
        config.shutdown,
        Shutdown { action: ShutdownAction::Reconnect, deadline: Duration::from_secs(3) }
    );
    assert_eq!(config.workers, Some(2));
}

#[test]
fn the_first_rule_that_matches_holds() {
    let config = loaded(
        "data_tracks:\n  rules:\n    - {room: 'lab-*', tracks: 'cam/**', policy: queue, frames: 3}\n    \
         - {tracks: 'cam/**', policy: latest, age_max: 50ms, finish_max: 1s, weight: 7}\n    - {policy: queue}\n",
    )
    .unwrap()
    .config;
    let line = |room, track| first_match(&config.data_tracks.rules, room, track).map(|entry| entry.line);
    assert_eq!(
        (line("lab-1", "cam/a/b"), line("yard", "cam/a"), line("a/b", "pose")),
        (Some(3), Some(4), Some(5))
    );
    let lane = |room: &str, track: &str| config.data_tracks.compiled().for_room(room).unwished(track);
    assert_eq!(lane("lab-1", "cam/a").policy, Policy::Queue(3));
    assert_eq!(lane("yard", "pose").policy, Policy::Queue(16));
    let cam = lane("yard", "cam/a");
    assert_eq!((cam.policy, cam.weight), (Policy::Latest, 7));
    assert_eq!((cam.age_max, cam.finish_max), (Duration::from_millis(50), Duration::from_secs(1)));
}

#[test]
fn settings_that_do_nothing_are_warned_about() {
    check_warnings(
        "rtc: {use_ice_lite: true}",
        &["2: `rtc.use_ice_lite` has no effect: the server is always an ICE-lite agent"],
    );
    check_warnings(
        "rtc: {external_ip_only: true}",
        &["2: `rtc.external_ip_only` has no effect: `rtc.use_external_ip` is not set"],
    );
    check_warnings(
        "data_tracks: {rules: [{frames: 4}]}",
        &["2: `data_tracks.rules.frames` has no effect: the policy is not `queue`"],
    );
    check_warnings(
        "data_tracks:\n  rules:\n    - policy: auto\n    - policy: latest\n",
        &["5: this rule has no effect: the one on line 4 takes every track"],
    );
    check_warnings(
        "webhook: {urls: ['http://a/b'], filter_params: {include_events: [room_started, egress_started]}}",
        &[
            "2: an event of `webhook.filter_params.include_events` is never sent; see docs/webhooks.md for those that are",
        ],
    );
    check_warnings(
        "limit: {max_api_request_body_size: 2}",
        &["2: `limit.max_api_request_body_size` has no effect: bodies have at most 10 MiB"],
    );
    check_warnings(
        "limit: {max_input_wait: 1h}",
        &["2: `limit.max_input_wait` is more than the 100ms that frames wait by default: they expire first"],
    );
    check_warnings("limit: {max_input_wait: 100ms}", &[]);
    check_warnings("redis:\nturn: {}\nroom: {enabled_codecs: }\n", &[]);
}

#[test]
fn a_login_for_metrics_that_is_half_there_is_warned_about() {
    let half =
        "2: `prometheus.username` and `prometheus.password` need each other; everybody may read the metrics";
    check_warnings("prometheus: {port: 1, username: me}", &[half]);
    check_warnings("prometheus: {port: 1, password: hunter2}", &[half]);
    check_warnings("prometheus: {port: 1, username: me, password: hunter2}", &[]);
}

#[test]
fn weak_secrets_are_warned_about_outside_of_development() {
    let warnings = |body: &str| texts(&loaded(body).unwrap().warnings);
    assert_eq!(
        warnings("keys: {a: short}"),
        ["1: the secret of `a` has 5 characters and may be guessed; use 32 or more"]
    );
    assert_eq!(
        warnings("keys: {a: x}"),
        ["1: the secret of `a` has 1 character and may be guessed; use 32 or more"]
    );
    assert_eq!(warnings("development: true\nkeys: {a: short}"), Vec::<String>::new());
    let nobody =
        "trackyard: there are no API keys, so nobody can join; set `keys`, `key_file` or LIVEKIT_KEYS";
    assert_eq!(warnings(""), [nobody]);
}

#[test]
fn development_without_keys_is_for_this_machine_only() {
    let config = loaded("development: true").unwrap().config;
    assert_eq!(config.api_keys.names().collect::<Vec<_>>(), [DEV_KEY]);
    assert_eq!(config.http_addresses(), ["127.0.0.1:7880".parse().unwrap()]);
    assert_eq!(config.rtc.bind_addresses, config.bind_addresses);
    let config = loaded(&format!("development: true\n{KEYS}")).unwrap().config;
    assert_eq!(config.api_keys.names().collect::<Vec<_>>(), ["key"]);
    assert_eq!(config.http_addresses(), ["0.0.0.0:7880".parse().unwrap()]);
}

#[test]
fn old_places_of_limits_still_count() {
    let limit = |body: &str| loaded(body).unwrap().config.limit;
    assert_eq!(limit("room: {max_metadata_size: 5}\nlimit: {max_metadata_size: 6}").max_metadata_size, 5);
    assert_eq!(limit("room: {max_metadata_size: 0}\nlimit: {max_metadata_size: 6}").max_metadata_size, 6);
    assert_eq!(limit("room: {max_room_name_length: 7}").max_room_name_length, 7);
    assert_eq!(limit("room: {max_participant_identity_length: 8}").max_participant_identity_length, 8);
    assert_eq!(loaded("log_level: error").unwrap().config.logging.level, LogLevel::Error);
}

#[test]
fn secrets_stay_as_they_are_written() {
    let config = loaded("keys: {a: 0123, b: '0x1F', c: 1e3, d: true}").unwrap().config;
    let token = trackyard_auth::Token::new("me").room("r");
    for (key, secret) in [("a", "0123"), ("b", "0x1F"), ("c", "1e3"), ("d", "true")] {
        let jwt = token.to_jwt(key, secret, 1_000).unwrap();
        assert!(config.keys().verify(&jwt, 1_000).is_ok(), "{key}");
    }
}

#[test]
fn anchors_and_merges_work() {
    let config =
        loaded("room: &room {empty_timeout: 7}\nlimit: {max_metadata_size: &n 9, max_attributes_size: *n}\n")
            .unwrap()
            .config;
    assert_eq!((config.room.empty_timeout.as_secs(), config.limit.max_attributes_size), (7, 9));
    let rules =
        "data_tracks:\n  rules:\n    - &base {tracks: 'a', weight: 5}\n    - {<<: *base, tracks: 'b'}\n";
    let rules = loaded(rules).unwrap().config.data_tracks.rules;
    assert_eq!((rules[1].rule.weight, rules[1].rule.tracks.as_str()), (Some(5), "b"));
}

#[test]
fn receivers_of_webhooks_are_as_the_official_server_takes_them() {
    let default = loaded("webhook: {}").unwrap().config.webhook;
    assert!(default.urls.is_empty() && default.data_tracks);
    assert_eq!((default.depth_max, default.age_max), (200, Duration::from_secs(30)));
    let webhook = loaded(&format!(
        "{KEYS}webhook:\n  api_key: key\n  urls: ['https://a/b?c', 'http://d']\n  data_tracks: false\n  \
         url_notifier: {{num_workers: 3}}\n  resource_url_notifier: {{max_age: 5s, max_depth: 7}}\n  \
         filter_params: {{exclude_events: [track_published]}}\n"
    ))
    .unwrap()
    .config
    .webhook;
    assert_eq!(webhook.urls.len(), 2);
    assert_eq!((webhook.api_key.as_str(), webhook.data_tracks), ("key", false));
    assert_eq!((webhook.parallel_max, webhook.depth_max, webhook.age_max.as_secs()), (3, 7, 5));
    assert_eq!(
        (webhook.include_events, webhook.exclude_events),
        (vec![], vec!["track_published".to_owned()])
    );
    let age = |age: &str| loaded(&format!("webhook: {{resource_url_notifier: {{max_age: {age}}}}}"));
    assert_eq!(age("2000000000").unwrap().config.webhook.age_max, Duration::from_secs(2));
}

#[test]
fn receivers_of_webhooks_that_cannot_be_told_are_errors() {
    check(
        &format!("{KEYS}webhook: {{urls: ['http://a'], api_key: other}}"),
        &["2: `webhook.api_key` is none of the configured keys"],
    );
    for url in ["a", "ftp://a", "http://me:hunter2@a/"] {
        let errors = loaded(&format!("webhook: {{urls: ['{url}']}}")).unwrap_err().errors;
        assert!(texts(&errors)[0].ends_with(
            "it takes an address without a name or password, such as `https://example.org/webhook`"
        ));
    }
    let many = vec!["'http://a'"; 17].join(", ");
    check(
        &format!("{KEYS}webhook: {{urls: [{many}]}}"),
        &["2: `webhook.urls` has 17 addresses; it takes at most 16"],
    );
}

#[test]
fn what_metrics_say_of_rooms_and_tracks_is_a_choice() {
    let metrics = |body: &str| loaded(body).unwrap().config.metrics;
    assert_eq!(metrics("port: 1"), MetricSettings { rooms: true, tracks: false });
    assert_eq!(metrics("metrics: {rooms: no, tracks: yes}"), MetricSettings { rooms: false, tracks: true });
}
