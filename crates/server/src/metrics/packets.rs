//! Packets: what came in, what went out, and why the rest did not.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::registry::Registry;
use trackyard_net::WorkerSnapshot;
use trackyard_sfu::forward::WorkerCounters;

use super::{by_reason, constant, family};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

/// User packets: data, streams and calls between participants.
pub(super) fn users(registry: &mut Registry, workers: &[WorkerSnapshot]) {
    let sum = |pick: fn(&WorkerCounters) -> u64| workers.iter().map(|worker| pick(&worker.core)).sum();
    let kinds = |values: [(&'static str, u64); 2]| family(values, |kind| KindLabel { kind });
    for (name, help, value) in [
        ("user_packets_received", "User packets from participants", sum(|core| core.messages_in)),
        (
            "user_packets_received_bytes",
            "Bytes of user packets from participants",
            sum(|core| core.messages_in_bytes),
        ),
        (
            "user_packets_overflows",
            "Participants told to join anew because they had fallen behind with reliable packets",
            sum(|core| core.reliable_overflow),
        ),
    ] {
        registry.register(name, help, constant(value));
    }
    let sent = [("reliable", sum(|core| core.reliable_out)), ("lossy", sum(|core| core.lossy_out))];
    registry.register("user_packets_sent", "User packets to participants, by kind", kinds(sent));
    let bytes =
        [("reliable", sum(|core| core.reliable_out_bytes)), ("lossy", sum(|core| core.lossy_out_bytes))];
    registry.register(
        "user_packets_sent_bytes",
        "Bytes of user packets to participants, by kind",
        kinds(bytes),
    );
    let streams = [("text", sum(|core| core.text_streams)), ("byte", sum(|core| core.byte_streams))];
    registry.register("streams", "Streams that participants have begun, by kind", kinds(streams));
    let calls = [("request", sum(|core| core.rpc_requests)), ("response", sum(|core| core.rpc_responses))];
    registry.register(
        "rpc_packets",
        "Packets of calls between participants, by kind; long calls are streams",
        kinds(calls),
    );
    registry.register(
        "user_packets_dropped",
        "User packets that were not passed on, or not to one of their receivers, by reason",
        by_reason(user_drops(workers)),
    );
}

/// Those of whole packets come first, then those of single receivers.
fn user_drops(workers: &[WorkerSnapshot]) -> [(&'static str, u64); 11] {
    let sum = |pick: fn(&WorkerCounters) -> u64| workers.iter().map(|worker| pick(&worker.core)).sum();
    [
        ("malformed", sum(|core| core.messages_malformed)),
        ("forbidden", sum(|core| core.messages_forbidden)),
        ("repeated", sum(|core| core.messages_repeated)),
        ("ignored", sum(|core| core.messages_ignored)),
        ("too_long", sum(|core| core.messages_too_long)),
        ("unheard", sum(|core| core.messages_unheard)),
        ("receiver_takes_less", sum(|core| core.messages_too_large)),
        ("lossy_full", sum(|core| core.lossy_full)),
        ("lossy_closed", sum(|core| core.lossy_closed)),
        ("reliable_overflow", sum(|core| core.reliable_dropped)),
        ("crossing", workers.iter().map(|worker| worker.net.user_packets_dropped).sum()),
    ]
}

/// Packets of data tracks.
pub(super) fn tracks(registry: &mut Registry, workers: &[WorkerSnapshot]) {
    let sum = |pick: fn(&WorkerCounters) -> u64| workers.iter().map(|worker| pick(&worker.core)).sum();
    registry.register(
        "packets_received",
        "Packets of data tracks from publishers",
        constant(sum(|core| core.packets_in)),
    );
    registry.register(
        "packets_received_bytes",
        "Bytes of packets of data tracks from publishers",
        constant(sum(|core| core.packets_in_bytes)),
    );
    registry.register(
        "packets_dropped",
        "Packets of data tracks that nobody was to get, by reason",
        by_reason([
            ("disabled", sum(|core| core.data_tracks_disabled)),
            (
                "malformed",
                sum(|core| {
                    core.malformed_short
                        + core.malformed_version
                        + core.malformed_handle
                        + core.malformed_extensions
                }),
            ),
            ("unknown_handle", sum(|core| core.unknown_handle)),
            ("refused", sum(|core| core.packets_refused + core.crossings_refused)),
            ("no_subscriber", sum(|core| core.no_route)),
            ("crossing", workers.iter().map(|worker| worker.net.crossings_dropped).sum()),
        ]),
    );
}
