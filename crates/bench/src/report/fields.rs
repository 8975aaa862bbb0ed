//! The fields of a result, as JSON knows them.

use serde::{Deserialize, Serialize};

use super::losses::{DropReport, LinkReport};

/// One run of one scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What it is called; runs of one scenario have the same.
    pub label: String,
    /// Version of the tool that measured.
    pub version: String,
    /// What was measured, as the user named it, without credentials.
    pub target: String,
    /// Number of the run, 16 hexadecimal digits.
    pub run: String,
    /// Seed of phases and links, 16 hexadecimal digits.
    pub seed: String,
    /// What was asked for.
    pub scenario: Scenario,
    /// What that came to.
    pub load: LoadReport,
    /// By how much subscribers' clocks were taken to be ahead; 0 within one process.
    pub clock_offset_ms: f64,
    /// What publishers did.
    pub sending: SendingReport,
    /// What became of frames at all subscribers together.
    pub delivery: DeliveryReport,
    /// From the intended moment to the whole frame, all subscribers together.
    pub latency: LatencyReport,
    /// The same as a curve for plots.
    pub latency_curve: Vec<CurvePoint>,
    /// Over tracks; null when nothing was delivered.
    pub fairness: Option<FairnessReport>,
    /// Each subscriber.
    pub subscribers: Vec<SubscriberReport>,
    /// Frames that clients have dropped or missed, by reason; only reasons that occurred.
    #[serde(default)]
    pub drops: Vec<DropReport>,
    /// What emulated links have carried; empty without any.
    #[serde(default)]
    pub links: Vec<LinkReport>,
    /// The server's process; null when it was not watched.
    pub server: Option<ProcessReport>,
    /// The benchmark's own process.
    pub bench: Option<ProcessReport>,
    /// The machine of both.
    pub machine: Option<MachineReport>,
    /// Second by second, or as often as progress was shown.
    pub intervals: Vec<IntervalReport>,
    /// Earlier intervals that made room for these.
    pub intervals_dropped: u64,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scenario {
    /// Of each frame.
    pub frame_bytes: usize,
    /// Of each track.
    pub rate_hz: f64,
    /// Of each publisher.
    pub tracks: u32,
    /// How many.
    pub publishers: u32,
    /// How many; each subscribes to every track.
    pub subscribers: u32,
    /// Measured.
    pub duration_s: f64,
    /// Before it.
    pub warm_up_s: f64,
}

/// What a scenario asks of a server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadReport {
    /// Frames that publishers send.
    pub in_frames_per_s: f64,
    /// Payload of them.
    pub in_mbit_per_s: f64,
    /// Frames that subscribers expect.
    pub out_frames_per_s: f64,
    /// Payload of them.
    pub out_mbit_per_s: f64,
}

/// What publishers did; due = sent + refused + unsent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SendingReport {
    /// Frames by the plan.
    pub frames_due: u64,
    /// Taken for sending.
    pub frames_sent: u64,
    /// Not taken, because too much was waiting.
    pub frames_refused: u64,
    /// Never tried, because the run ended first.
    pub frames_unsent: u64,
    /// How late the sender itself was; it is part of the latency of frames.
    pub lateness: LatencyReport,
}

/// What became of frames; sent = received + missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeliveryReport {
    /// By the plan.
    pub frames_due: u64,
    /// Taken for sending.
    pub frames_sent: u64,
    /// Intact, each counted once.
    pub frames_received: u64,
    /// Sent and never received intact.
    pub frames_missing: u64,
    /// Intact, though never sent by their publisher's account.
    pub frames_unexpected: u64,
    /// Intact, and not for the first time.
    pub frames_duplicate: u64,
    /// Received after a later one of their track.
    pub frames_out_of_order: u64,
    /// Arrived with bytes changed or missing.
    pub frames_corrupt: u64,
    /// Bytes changed or missing in them.
    pub wrong_bytes: u64,
    /// Received of due, in percent.
    pub delivered_percent: f64,
    /// Payload of intact frames over the measured time.
    pub received_mbit_per_s: f64,
}

/// A distribution; null fields when it is of nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LatencyReport {
    /// How many frames it is of.
    pub frames: u64,
    /// Shortest.
    pub min_ms: Option<f64>,
    /// Mean.
    pub mean_ms: Option<f64>,
    /// Median.
    pub p50_ms: Option<f64>,
    /// 90th percentile.
    pub p90_ms: Option<f64>,
    /// 99th percentile.
    pub p99_ms: Option<f64>,
    /// 99.9th percentile.
    pub p999_ms: Option<f64>,
    /// Longest.
    pub max_ms: Option<f64>,
    /// Frames beyond ten minutes, which percentiles show as that.
    pub frames_clamped: u64,
}

/// A point of a latency curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Share of frames, 0.0..=1.0, …
    pub share: f64,
    /// … that took no longer than this.
    pub latency_ms: f64,
}

/// How evenly tracks were served.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FairnessReport {
    /// Delivered of the track that got least.
    pub min_percent: f64,
    /// Delivered of the track that got most.
    pub max_percent: f64,
    /// Jain's index, 1/n to 1.
    pub jain: f64,
}

/// One subscriber.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubscriberReport {
    /// What it is called.
    pub name: String,
    /// Its emulated link as it was written; null when it had none.
    pub link: Option<String>,
    /// What became of its frames.
    pub delivery: DeliveryReport,
    /// Of its frames.
    pub latency: LatencyReport,
    /// What arrived and does not count.
    pub strays: StraysReport,
}

/// What arrived and belongs to no frame that counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StraysReport {
    /// Of the warm-up.
    pub warm_up: u64,
    /// Somebody else's.
    pub foreign: u64,
    /// With a header that was changed.
    pub header: u64,
    /// Of tracks or numbers that the scenario does not have.
    pub unknown: u64,
    /// Received before they were sent, by the clocks.
    pub clock: u64,
}

/// What a process used while it was measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ProcessReport {
    /// CPU time of all threads.
    pub cpu_s: f64,
    /// CPU time over wall time.
    pub cores: f64,
    /// CPU time over frames that reached subscribers in the same time; null of none.
    pub cpu_us_per_frame: Option<f64>,
    /// Resident at the end.
    pub rss_bytes: u64,
    /// Resident more than at the beginning.
    pub rss_growth_bytes: i64,
    /// Resident at most, ever.
    pub rss_peak_bytes: Option<u64>,
}

/// Who else was busy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MachineReport {
    /// Cores that were busy.
    pub busy_cores: f64,
    /// Cores that others used: not the server, not the benchmark.
    pub other_cores: f64,
}

/// One interval of the run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct IntervalReport {
    /// Its end, since the warm-up began.
    pub end_s: f64,
    /// Frames taken for sending.
    pub frames_sent: u64,
    /// Frames not taken.
    pub frames_refused: u64,
    /// Intact frames at all subscribers.
    pub frames_received: u64,
    /// Payload of them.
    pub received_mbit_per_s: f64,
    /// Median; null during the warm-up.
    pub p50_ms: Option<f64>,
    /// 99th percentile.
    pub p99_ms: Option<f64>,
    /// Longest.
    pub max_ms: Option<f64>,
}
