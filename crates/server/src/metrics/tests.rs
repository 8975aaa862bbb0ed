//! The page of metrics as scrapers read it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use trackyard_net::NetConfig;

use super::*;
use crate::clock::Clock;
use crate::config::{Config, MetricSettings};
use crate::rooms::{EventRouter, Wiring};
use crate::webhooks::Webhooks;

async fn page(settings: MetricSettings) -> String {
    let (config, events) = (Config::dev(), EventRouter::default());
    let mut net = NetConfig::default();
    net.udp = vec!["127.0.0.1:0".parse().unwrap()];
    let workers = trackyard_net::start(&net, &events).unwrap();
    let keys = Arc::new(config.keys());
    let webhooks = Webhooks::start(&config.webhook, &keys, &Clock::default()).unwrap();
    let wiring = Wiring { workers, keys, events, webhooks, clock: Clock::default() };
    let rooms = Rooms::new(wiring, config.room_defaults());
    let counters = Counters::default();
    counters.refused(StatusCode::UNAUTHORIZED);
    let surface = Surface {
        demo: false,
        metrics_on_main_port: true,
        metrics_login: None,
        metrics: settings,
        signal_message_bytes_max: 1,
        farewell_max: std::time::Duration::ZERO,
        log_lines_lost: Arc::new(3.into()),
    };
    render(&counters, &rooms, &surface).await
}

const ALL: MetricSettings = MetricSettings { rooms: true, tracks: true };

#[tokio::test]
async fn every_series_has_a_name_of_ours_a_type_and_a_text() {
    let page = page(ALL).await;
    assert!(page.ends_with("# EOF\n"));
    let (mut types, mut texts) = (HashMap::new(), HashMap::new());
    for line in page.lines() {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["#", "TYPE", name, kind] => assert_eq!(types.insert(name, kind), None, "{name} comes twice"),
            ["#", "HELP", name, ..] => drop(texts.insert(name, line.splitn(4, ' ').nth(3).unwrap())),
            _ => {}
        }
    }
    for (name, text) in &texts {
        assert!(name.starts_with("trackyard_") || name.starts_with("livekit_"), "{name}");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'));
        assert!(!text.is_empty() && text.ends_with('.') && !text.ends_with(".."), "{name}: {text}");
        assert!(
            !text.starts_with("Of ") && !text.starts_with("Their "),
            "{name}: {text} says nothing by itself"
        );
    }
    let mut seen = HashSet::new();
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let name = series.split('{').next().unwrap();
        let base = name.strip_suffix("_total").unwrap_or(name);
        let expected = if name == base || !types.contains_key(base) { "gauge" } else { "counter" };
        assert_eq!(types.get(base).or(types.get(name)), Some(&expected), "{line}");
        assert!(value.parse::<f64>().is_ok() && seen.insert(series), "{line}");
    }
}

#[tokio::test]
async fn drops_are_told_by_reason_from_the_start() {
    let page = page(ALL).await;
    for series in [
        r#"trackyard_user_packets_dropped_total{reason="forbidden"} 0"#,
        r#"trackyard_user_packets_sent_total{kind="reliable"} 0"#,
        r#"trackyard_streams_total{kind="byte"} 0"#,
        r#"trackyard_rpc_packets_total{kind="request"} 0"#,
        r#"trackyard_datatrack_packets_dropped_total{reason="no_subscriber"} 0"#,
        r#"trackyard_datatrack_dropped_frames_total{reason="#,
        r#"trackyard_webhook_events_dropped_total{reason="age"} 0"#,
        r#"trackyard_joins_refused_total{status="401"} 1"#,
        "trackyard_worker_messages_in_total 0",
        "trackyard_rooms 0",
        "trackyard_tasks ",
        "trackyard_log_lines_lost_total 3",
    ] {
        assert!(page.contains(series), "{series}:\n{page}");
    }
}

#[tokio::test]
async fn single_rooms_and_tracks_are_left_out_if_so_configured() {
    let none = page(MetricSettings { rooms: false, tracks: false }).await;
    assert!(!none.contains("trackyard_room_series") && !none.contains("trackyard_track_series"));
    let all = page(ALL).await;
    assert!(
        all.contains("trackyard_room_series_omitted 0") && all.contains("trackyard_track_series_omitted 0")
    );
}
