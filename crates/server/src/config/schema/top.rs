//! The keys of a configuration file, LiveKit's (1.13.5) and ours.

use super::media::{AUDIO, CONGESTION_CONTROL, PLI_THROTTLE, VIDEO};
use super::{Key, Kind, amount, boolean, duration, idle, integer, key, number, secret, section, text, texts};

const MEDIA: &str = "audio and video are not forwarded yet";
const ICE: &str = "it tunes LiveKit's own ICE and SCTP";
const FALLBACK: &str = "clients choose between UDP and TCP themselves";
const TURN: &str = "there is no TURN yet";
const SIGNALLING: &str = "signalling ends on the node that clients connect to";
const ROOMS: &str = "rooms are created in this process";

/// All of them.
pub(in super::super) const TOP: &[Key] = &[
    key("port", Kind::Port),
    key("bind_addresses", Kind::List(&Kind::BindAddress)),
    key("prometheus_port", Kind::Port),
    section("prometheus", &[key("port", Kind::Port), text("username"), secret("password")]),
    idle(
        "debug_handler",
        Kind::Section(&[key("port", Kind::Port)]),
        "there is no debug handler; see `/metrics`",
    ),
    section("rtc", RTC),
    idle("redis", Kind::Section(REDIS), "one node needs no Redis yet"),
    idle("audio", Kind::Section(AUDIO), MEDIA),
    idle("video", Kind::Section(VIDEO), MEDIA),
    section("room", ROOM),
    idle("turn", Kind::Section(TURN_KEYS), TURN),
    idle("ingress", Kind::Section(&[text("rtmp_base_url"), text("whip_base_url")]), "there is no ingress"),
    idle("sip", Kind::Section(&[]), "there is no SIP"),
    section("webhook", WEBHOOK),
    idle("node_selector", Kind::Section(NODE_SELECTOR), "one node has nothing to select from"),
    text("key_file"),
    key("keys", Kind::Table(&Kind::Secret)),
    text("region"),
    idle("signal_relay", Kind::Section(SIGNAL_RELAY), SIGNALLING),
    idle("psrpc", Kind::Section(PSRPC), SIGNALLING),
    key("log_level", Kind::LogLevel),
    section("logging", LOGGING),
    section("limit", LIMIT),
    idle("agents", Kind::Section(AGENTS), "there are no agents"),
    boolean("development"),
    idle("metric", Kind::Section(METRIC), "see `/metrics` for what is measured"),
    idle("trace", Kind::Section(&[text("jaeger_url")]), "traces are not exported"),
    idle("node_stats", Kind::Section(NODE_STATS), "see `/metrics` for what is measured"),
    boolean("enable_data_tracks"),
    boolean("enable_participant_data_blob"),
    idle("api", Kind::Section(API), ROOMS),
    section("data_tracks", &[key("rules", Kind::List(&Kind::Section(RULE)))]),
    section("metrics", &[boolean("rooms"), boolean("tracks")]),
    section("shutdown", &[key("action", Kind::ShutdownAction), key("deadline", Kind::Positive)]),
    key("workers", Kind::Integer(1, 1024)),
];

/// One of `data_tracks.rules`.
const RULE: &[Key] = &[
    key("room", Kind::Pattern),
    key("tracks", Kind::Pattern),
    key("policy", Kind::Policy),
    key("frames", Kind::Integer(1, u16::MAX as i64)),
    key("age_max", Kind::Positive),
    key("finish_max", Kind::Positive),
    key("weight", Kind::Integer(1, 1000)),
    key("max_hz", Kind::Number(0.001, 100_000.0)),
    boolean("latch"),
];

const RTC: &[Key] = &[
    key("udp_port", Kind::PortRange),
    key("tcp_port", Kind::Port),
    key("port_range_start", Kind::Port),
    key("port_range_end", Kind::Port),
    key("node_ip", Kind::NodeIp),
    boolean("use_external_ip"),
    boolean("advertise_internal_ip"),
    boolean("external_ip_only"),
    idle(
        "skip_external_ip_validation",
        Kind::Bool,
        "what STUN servers answer is never checked by a ping to itself",
    ),
    key("stun_servers", Kind::List(&Kind::StunServer)),
    section("interfaces", &[texts("includes"), texts("excludes")]),
    section("ips", &[key("includes", Kind::List(&Kind::Cidr)), key("excludes", Kind::List(&Kind::Cidr))]),
    boolean("enable_loopback_candidate"),
    idle("use_stun_port_as_ice", Kind::Bool, ICE),
    idle("use_ice_lite", Kind::Bool, "the server is always an ICE-lite agent"),
    idle("use_mdns", Kind::Bool, "names are never announced in place of addresses"),
    idle(
        "batch_io",
        Kind::Section(&[integer("batch_size"), duration("max_flush_interval")]),
        "packets are always sent in batches",
    ),
    idle("sctp_min_cwnd", Kind::Integer(0, i64::MAX), ICE),
    idle("sctp_fast_rtx_wnd", Kind::Integer(0, i64::MAX), ICE),
    idle("sctp_cwnd_ca_step", Kind::Integer(0, i64::MAX), ICE),
    idle("force_tcp", Kind::Bool, FALLBACK),
    idle("turn_servers", Kind::List(&Kind::Section(TURN_SERVER)), TURN),
    idle("enable_warp", Kind::Bool, ICE),
    idle("strict_acks", Kind::Bool, ICE),
    idle("packet_buffer_size", Kind::Integer(0, i64::MAX), MEDIA),
    idle("packet_buffer_size_video", Kind::Integer(0, i64::MAX), MEDIA),
    idle("packet_buffer_size_audio", Kind::Integer(0, i64::MAX), MEDIA),
    idle("pli_throttle", Kind::Section(PLI_THROTTLE), MEDIA),
    idle("congestion_control", Kind::Section(CONGESTION_CONTROL), MEDIA),
    idle("allow_tcp_fallback", Kind::Bool, FALLBACK),
    idle("tcp_fallback_rtt_threshold", Kind::Integer(0, i64::MAX), FALLBACK),
    idle("allow_udp_unstable_fallback", Kind::Bool, FALLBACK),
    idle("reconnect_on_publication_error", Kind::Bool, MEDIA),
    idle("reconnect_on_subscription_error", Kind::Bool, MEDIA),
    idle(
        "reconnect_on_data_channel_error",
        Kind::Bool,
        "a failed data channel always makes its client reconnect",
    ),
    idle("data_channel_max_buffered_amount", Kind::Integer(0, i64::MAX), LANES),
    idle("datachannel_slow_threshold", Kind::Integer(0, i64::MAX), LANES),
    idle("datachannel_lossy_target_latency", Kind::LooseDuration, LANES),
    idle("datachannel_data_track_target_latency", Kind::LooseDuration, LANES),
    idle("forward_stats", Kind::Section(FORWARD_STATS), "see `/metrics` for what is measured"),
    idle("enable_rtp_stream_restart_detection", Kind::Bool, MEDIA),
];

const LANES: &str = "frames are scheduled by age; see `data_tracks.rules`";

const TURN_SERVER: &[Key] = &[
    text("host"),
    integer("port"),
    text("protocol"),
    text("username"),
    secret("credential"),
    secret("secret"),
    text("secret_file"),
    integer("ttl"),
];

const FORWARD_STATS: &[Key] =
    &[duration("summary_interval"), duration("report_interval"), duration("report_window")];

const REDIS: &[Key] = &[
    text("address"),
    text("username"),
    secret("password"),
    integer("db"),
    boolean("use_tls"),
    section("tls", REDIS_TLS),
    text("sentinel_master_name"),
    text("sentinel_username"),
    secret("sentinel_password"),
    texts("sentinel_addresses"),
    texts("cluster_addresses"),
    integer("dial_timeout"),
    integer("read_timeout"),
    integer("write_timeout"),
    integer("max_redirects"),
    duration("pool_timeout"),
    integer("pool_size"),
];

const REDIS_TLS: &[Key] = &[
    boolean("enabled"),
    boolean("insecure"),
    text("server_name"),
    text("ca_cert_file"),
    text("client_cert_file"),
    text("client_key_file"),
];

const ROOM: &[Key] = &[
    boolean("auto_create"),
    key("empty_timeout", Kind::Seconds),
    key("departure_timeout", Kind::Seconds),
    amount("max_participants"),
    idle("enabled_codecs", Kind::List(&Kind::Section(&[text("mime"), text("fmtp_line")])), MEDIA),
    idle("enable_remote_unmute", Kind::Bool, MEDIA),
    idle("playout_delay", Kind::Section(&[boolean("enabled"), integer("min"), integer("max")]), MEDIA),
    idle("sync_streams", Kind::Bool, MEDIA),
    idle("create_room_timeout", Kind::LooseDuration, ROOMS),
    idle("create_room_attempts", Kind::Integer(0, i64::MAX), ROOMS),
    idle("enable_full_room_in_webhooks", Kind::Bool, "webhooks always hold all there is of their room"),
    idle(
        "update_batch_target_size",
        Kind::Integer(0, i64::MAX),
        "updates are paced by what they cost their watchers",
    ),
    amount("max_metadata_size"),
    amount("max_room_name_length"),
    amount("max_participant_identity_length"),
    idle("room_configurations", Kind::Table(&Kind::Anything), "named room configurations are not read yet"),
];

const TURN_KEYS: &[Key] = &[
    boolean("enabled"),
    text("domain"),
    text("cert_file"),
    text("key_file"),
    integer("tls_port"),
    integer("udp_port"),
    key("relay_range_start", Kind::Port),
    key("relay_range_end", Kind::Port),
    boolean("external_tls"),
    texts("bind_addresses"),
    integer("per_user_relay_allocation_limit"),
    integer("ttl_seconds"),
    texts("allow_restricted_peer_cidrs"),
    texts("deny_peer_cidrs"),
];

const WEBHOOK: &[Key] = &[
    key("urls", Kind::List(&Kind::HttpUrl)),
    text("api_key"),
    section(
        "url_notifier",
        &[
            key("num_workers", Kind::Integer(1, 1024)),
            idle(
                "queue_size",
                Kind::Integer(0, i64::MAX),
                "events wait for each room; see `webhook.resource_url_notifier.max_depth`",
            ),
        ],
    ),
    section("resource_url_notifier", &[duration("max_age"), key("max_depth", Kind::Integer(1, 100_000))]),
    section("filter_params", &[texts("include_events"), texts("exclude_events")]),
    boolean("data_tracks"),
];

const NODE_SELECTOR: &[Key] = &[
    text("kind"),
    text("sort_by"),
    text("algorithm"),
    number("cpu_load_limit"),
    number("sysload_limit"),
    key("regions", Kind::List(&Kind::Section(&[text("name"), number("lat"), number("lon")]))),
];

const SIGNAL_RELAY: &[Key] = &[
    duration("retry_timeout"),
    duration("min_retry_interval"),
    duration("max_retry_interval"),
    integer("stream_buffer_size"),
    integer("connect_attempts"),
];

const PSRPC: &[Key] =
    &[integer("max_attempts"), duration("timeout"), duration("backoff"), integer("buffer_size")];

const SAMPLING: &str = "every line is logged";
const LOGGING: &[Key] = &[
    boolean("json"),
    key("level", Kind::LogLevel),
    idle("sample", Kind::Bool, SAMPLING),
    idle("component_levels", Kind::Table(&Kind::Text), "levels of single parts are set by `RUST_LOG`"),
    idle("sample_initial", Kind::Integer(0, i64::MAX), SAMPLING),
    idle("sample_interval", Kind::Integer(0, i64::MAX), SAMPLING),
    idle("item_sample_seconds", Kind::Integer(0, i64::MAX), SAMPLING),
    idle("item_sample_initial", Kind::Integer(0, i64::MAX), SAMPLING),
    idle("item_sample_interval", Kind::Integer(0, i64::MAX), SAMPLING),
    idle("pion_level", Kind::Text, "levels of single parts are set by `RUST_LOG`"),
];

const NODE_LIMIT: &str = "a node takes what it can carry; there is no limit to set yet";
const LIMIT: &[Key] = &[
    idle("num_tracks", Kind::Integer(i64::MIN, i64::MAX), NODE_LIMIT),
    idle("bytes_per_sec", Kind::Number(f64::MIN, f64::MAX), NODE_LIMIT),
    idle("subscription_limit_video", Kind::Integer(i64::MIN, i64::MAX), MEDIA),
    idle("subscription_limit_audio", Kind::Integer(i64::MIN, i64::MAX), MEDIA),
    amount("max_metadata_size"),
    amount("max_attributes_size"),
    amount("max_room_name_length"),
    amount("max_participant_identity_length"),
    amount("max_participant_name_length"),
    amount("max_data_blob_key_length"),
    amount("max_data_blobs_size"),
    amount("max_data_track_custom_encoding_length"),
    amount("signal_message_size_limit"),
    key("max_worker_load", Kind::Number(0.0, 1.0)),
    key("max_input_wait", Kind::Duration),
    idle("agent_signal_message_size_limit", Kind::Integer(0, i64::MAX), "there are no agents"),
    idle("max_api_request_body_size", Kind::Integer(0, i64::MAX), "bodies have at most 10 MiB"),
];

const AGENTS: &[Key] =
    &[boolean("enable_user_data_recording"), boolean("enable_user_data_redaction"), number("target_load")];

const METRIC: &[Key] = &[
    section(
        "timestamper_config",
        &[duration("one_way_delay_estimator_min_interval"), integer("one_way_delay_estimator_max_batch")],
    ),
    section("collector", &[integer("sampling_interval_ms"), integer("batch_interval_ms")]),
    section("reporter", &[integer("reporting_interval_ms")]),
];

const NODE_STATS: &[Key] = &[
    duration("stats_update_interval"),
    key("stats_rate_measurement_intervals", Kind::List(&Kind::LooseDuration)),
    duration("stats_max_delay"),
];

const API: &[Key] = &[
    duration("execution_timeout"),
    duration("check_interval"),
    duration("max_check_interval"),
    boolean("enable_psrpc_for_get_list_participants"),
];
