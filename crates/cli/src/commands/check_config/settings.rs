//! Settings as they are shown. Secrets are not among them.

use std::time::Duration;

use serde_json::{Value, json};
use trackyard_lanes::{LaneRules, Policy};
use trackyard_server::config::{Config, Limits, PortRange, RuleEntry, ShutdownAction};

/// Every setting in effect, by its path in the configuration.
pub(super) fn effective(config: &Config) -> Vec<(&'static str, Value)> {
    let mut settings = general(config);
    settings.extend(rtc(config));
    settings.extend(limits(&config.limit));
    settings.extend(webhook(config));
    settings
}

fn general(config: &Config) -> Vec<(&'static str, Value)> {
    let keys: Vec<String> = config.api_keys.names().map(str::to_owned).collect();
    let login = config.prometheus.as_ref().and_then(|prometheus| prometheus.login.as_ref());
    let action = match config.shutdown.action {
        ShutdownAction::Disconnect => "disconnect",
        ShutdownAction::Reconnect => "reconnect",
    };
    vec![
        ("port", json!(config.port)),
        ("bind_addresses", texts(&config.bind_addresses)),
        ("keys", json!(keys)),
        ("prometheus.port", json!(config.prometheus.as_ref().map(|prometheus| prometheus.port))),
        ("prometheus.username", json!(login.map(|login| &login.username))),
        ("logging.level", json!(format!("{:?}", config.logging.level).to_lowercase())),
        ("logging.json", json!(config.logging.json)),
        ("region", json!(config.region)),
        ("development", json!(config.development)),
        ("workers", config.workers.map_or_else(|| json!("one per core"), |workers| json!(workers))),
        ("room.auto_create", json!(config.room.auto_create)),
        ("room.empty_timeout", duration(config.room.empty_timeout)),
        ("room.departure_timeout", duration(config.room.departure_timeout)),
        ("room.max_participants", json!(config.room.max_participants)),
        ("enable_data_tracks", json!(config.data_tracks.enabled)),
        ("enable_participant_data_blob", json!(config.data_blobs)),
        ("metrics.rooms", json!(config.metrics.rooms)),
        ("metrics.tracks", json!(config.metrics.tracks)),
        ("shutdown.action", json!(action)),
        ("shutdown.deadline", duration(config.shutdown.deadline)),
    ]
}

fn rtc(config: &Config) -> Vec<(&'static str, Value)> {
    let rtc = &config.rtc;
    let node_ip = [rtc.node_ip.v4.map(|ip| ip.to_string()), rtc.node_ip.v6.map(|ip| ip.to_string())];
    let node_ip: Vec<String> = node_ip.into_iter().flatten().collect();
    vec![
        ("rtc.udp_port", ports(rtc.udp_ports)),
        ("rtc.tcp_port", json!(rtc.tcp_port.unwrap_or(0))),
        ("rtc.node_ip", json!(node_ip.join(","))),
        ("rtc.use_external_ip", json!(rtc.use_external_ip)),
        ("rtc.advertise_internal_ip", json!(rtc.advertise_internal_ip)),
        ("rtc.external_ip_only", json!(rtc.external_ip_only)),
        ("rtc.stun_servers", json!(rtc.stun_servers)),
        ("rtc.enable_loopback_candidate", json!(rtc.enable_loopback_candidate)),
        ("rtc.interfaces.includes", json!(rtc.interfaces.includes)),
        ("rtc.interfaces.excludes", json!(rtc.interfaces.excludes)),
        ("rtc.ips.includes", texts(&rtc.ips.includes)),
        ("rtc.ips.excludes", texts(&rtc.ips.excludes)),
    ]
}

fn limits(limit: &Limits) -> Vec<(&'static str, Value)> {
    vec![
        ("limit.max_metadata_size", json!(limit.max_metadata_size)),
        ("limit.max_attributes_size", json!(limit.max_attributes_size)),
        ("limit.max_room_name_length", json!(limit.max_room_name_length)),
        ("limit.max_participant_identity_length", json!(limit.max_participant_identity_length)),
        ("limit.max_participant_name_length", json!(limit.max_participant_name_length)),
        ("limit.max_data_track_custom_encoding_length", json!(limit.max_data_track_custom_encoding_length)),
        ("limit.max_data_blob_key_length", json!(limit.max_data_blob_key_length)),
        ("limit.max_data_blobs_size", json!(limit.max_data_blobs_size)),
        ("limit.signal_message_size_limit", json!(limit.signal_message_size_limit)),
        ("limit.max_worker_load", json!(limit.max_worker_load)),
        ("limit.max_input_wait", duration(limit.max_input_wait)),
    ]
}

/// Of the addresses the hosts alone are shown: the rest may hold secrets.
fn webhook(config: &Config) -> Vec<(&'static str, Value)> {
    let webhook = &config.webhook;
    vec![
        ("webhook.urls", texts(&webhook.urls)),
        ("webhook.api_key", json!(webhook.api_key)),
        ("webhook.data_tracks", json!(webhook.data_tracks)),
        ("webhook.filter_params.include_events", json!(webhook.include_events)),
        ("webhook.filter_params.exclude_events", json!(webhook.exclude_events)),
        ("webhook.url_notifier.num_workers", json!(webhook.parallel_max)),
        ("webhook.resource_url_notifier.max_age", duration(webhook.age_max)),
        ("webhook.resource_url_notifier.max_depth", json!(webhook.depth_max)),
    ]
}

/// A rule on one line.
pub(super) fn rule_text(entry: &RuleEntry) -> String {
    let rule = &entry.rule;
    format!("room `{}`, tracks `{}`: {}", rule.room.as_str(), rule.tracks.as_str(), lane_text(entry))
}

/// How a rule schedules frames.
pub(super) fn lane_text(entry: &RuleEntry) -> String {
    described(&entry.rule.lane())
}

fn described(lane: &LaneRules) -> String {
    let (policy, rate) = (policy(lane.policy), lane.max_hz.map_or("any".to_owned(), |hz| hz.to_string()));
    format!(
        "policy {policy}, age_max {:?}, finish_max {:?}, weight {}, max_hz {rate}, latch {}",
        lane.age_max, lane.finish_max, lane.weight, lane.latch
    )
}

/// How frames are scheduled without a rule.
pub(super) fn defaults_text() -> String {
    described(&LaneRules::default())
}

/// A rule as JSON.
pub(super) fn rule_json(entry: &RuleEntry) -> Value {
    let (rule, lane) = (&entry.rule, entry.rule.lane());
    json!({
        "line": entry.line,
        "room": rule.room.as_str(),
        "tracks": rule.tracks.as_str(),
        "policy": policy(lane.policy),
        "age_max": duration(lane.age_max),
        "finish_max": duration(lane.finish_max),
        "weight": lane.weight,
        "max_hz": lane.max_hz,
        "latch": lane.latch,
        "left_open": entry.left_open(),
    })
}

fn policy(policy: Policy) -> String {
    match policy {
        Policy::Latest => "latest".to_owned(),
        Policy::Queue(frames) => format!("queue({frames})"),
        _ => "auto".to_owned(),
    }
}

fn duration(duration: Duration) -> Value {
    json!(format!("{duration:?}"))
}

fn ports(ports: PortRange) -> Value {
    ports
        .range()
        .map_or_else(|| json!(ports.first), |range| json!(format!("{}-{}", range.start(), range.end())))
}

fn texts(values: &[impl ToString]) -> Value {
    json!(values.iter().map(ToString::to_string).collect::<Vec<_>>())
}
