//! LiveKit's keys about audio, video and its estimate of bandwidth. None has an effect yet.

use super::{Key, Kind, boolean, duration, integer, key, number, section, text};

pub(super) const AUDIO: &[Key] = &[
    integer("active_level"),
    integer("min_percentile"),
    integer("update_interval"),
    integer("smooth_intervals"),
    boolean("active_red_encoding"),
    boolean("enable_loss_proxying"),
];

pub(super) const VIDEO: &[Key] = &[
    duration("dynacast_pause_delay"),
    section(
        "stream_tracker_manager",
        &[section("video", STREAM_TRACKER), section("screenshare", STREAM_TRACKER)],
    ),
    integer("codec_regression_threshold"),
];

const STREAM_TRACKER: &[Key] = &[
    text("stream_tracker_type"),
    key("bitrate_report_interval", Kind::Table(&Kind::LooseDuration)),
    key("packet_tracker", Kind::Table(&Kind::Section(PACKET_TRACKER))),
    key("frame_tracker", Kind::Table(&Kind::Section(&[number("min_fps")]))),
];

const PACKET_TRACKER: &[Key] =
    &[integer("samples_required"), integer("cycles_required"), duration("cycle_duration")];

pub(super) const PLI_THROTTLE: &[Key] =
    &[duration("low_quality"), duration("mid_quality"), duration("high_quality")];

pub(super) const CONGESTION_CONTROL: &[Key] = &[
    boolean("enabled"),
    boolean("allow_pause"),
    section("stream_allocator", STREAM_ALLOCATOR),
    section("remote_bwe", REMOTE_BWE),
    boolean("use_send_side_bwe_interceptor"),
    boolean("use_send_side_bwe"),
    text("send_side_bwe_pacer"),
    section("send_side_bwe", &[section("congestion_detector", CONGESTION_DETECTOR)]),
];

// The misspelt names are LiveKit's own.
const STREAM_ALLOCATOR: &[Key] = &[
    integer("min_channel_capacity"),
    boolean("disable_etimation_unmanaged_tracks"),
    text("probe_mode"),
    integer("probe_overage_pct"),
    integer("probe_min_bps"),
    duration("paused_min_wait"),
];

const REMOTE_BWE: &[Key] = &[
    number("nack_ratio_attenuator"),
    number("expected_usage_threshold"),
    section("channel_observer_probe", CHANNEL_OBSERVER),
    section("channel_observer_non_probe", CHANNEL_OBSERVER),
    section(
        "probe_controller",
        &[
            section("probe_regulator", PROBE_REGULATOR),
            integer("settle_wait_num_rtt"),
            duration("settle_wait_min"),
            duration("settle_wait_max"),
        ],
    ),
];

const CHANNEL_OBSERVER: &[Key] = &[section("estimate", TREND), section("nack", NACK)];

const NACK: &[Key] =
    &[duration("window_min_duration"), duration("window_max_duration"), number("ratio_threshold")];

const TREND: &[Key] = &[
    integer("required_samples"),
    integer("required_samples_min"),
    number("downward_trend_threshold"),
    duration("downward_trend_max_wait"),
    duration("collapse_threshold"),
    duration("validity_window"),
];

const PROBE_REGULATOR: &[Key] = &[
    duration("base_interval"),
    number("backoff_factor"),
    duration("max_interval"),
    duration("min_duration"),
    duration("max_duration"),
    number("duration_increase_factor"),
];

const PACKET_GROUP: &[Key] = &[integer("min_packets"), duration("max_window_duration")];

const PROBE_PACKET_GROUP: &[Key] = &[
    section("packet_group", PACKET_GROUP),
    integer("settle_wait_num_rtt"),
    duration("settle_wait_min"),
    duration("settle_wait_max"),
];

const WEIGHTED_LOSS: &[Key] = &[
    duration("min_duration_for_loss_validity"),
    duration("base_duration"),
    integer("base_pps"),
    number("loss_penalty_factor"),
];

const CONGESTION_SIGNAL: &[Key] = &[integer("min_number_of_groups"), duration("min_duration")];

const PROBE_SIGNAL: &[Key] = &[
    number("min_bytes_ratio"),
    number("min_duration_ratio"),
    duration("jqr_min_delay"),
    duration("dqr_max_delay"),
    section("weighted_loss", WEIGHTED_LOSS),
    number("jqr_min_weighted_loss"),
    number("dqr_max_weighted_loss"),
];

const CONGESTION_DETECTOR: &[Key] = &[
    section("packet_group", PACKET_GROUP),
    duration("packet_group_max_age"),
    section("probe_packet_group", PROBE_PACKET_GROUP),
    section("probe_regulator", PROBE_REGULATOR),
    section("probe_signal", PROBE_SIGNAL),
    duration("jqr_min_delay"),
    number("jqr_min_trend_coefficient"),
    duration("dqr_max_delay"),
    section("weighted_loss", WEIGHTED_LOSS),
    number("jqr_min_weighted_loss"),
    number("dqr_max_weighted_loss"),
    section("queuing_delay_early_warning_jqr", CONGESTION_SIGNAL),
    section("queuing_delay_early_warning_dqr", CONGESTION_SIGNAL),
    section("loss_early_warning_jqr", CONGESTION_SIGNAL),
    section("loss_early_warning_dqr", CONGESTION_SIGNAL),
    section("queuing_delay_congested_jqr", CONGESTION_SIGNAL),
    section("queuing_delay_congested_dqr", CONGESTION_SIGNAL),
    section("loss_congested_jqr", CONGESTION_SIGNAL),
    section("loss_congested_dqr", CONGESTION_SIGNAL),
    section("congested_ctr_trend", TREND),
    number("congested_ctr_epsilon"),
    section("congested_packet_group", PACKET_GROUP),
    duration("estimaton_window_duration"),
];
