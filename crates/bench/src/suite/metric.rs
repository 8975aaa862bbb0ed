//! What is measured, and how it is shown.

use serde::{Deserialize, Serialize};

/// What is measured. Its name in JSON ends with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Metric {
    /// Intact frames of those that were due.
    DeliveredPercent,
    /// Bits of intact frames.
    MbitPerS,
    /// Median of latency.
    P50Ms,
    /// 99th percentile of latency.
    P99Ms,
    /// Longest latency.
    MaxMs,
    /// CPU time of the server over packets that subscribers received.
    CpuUsPerPacket,
    /// The same over what one send and one seal of such a packet cost on this machine.
    CpuFloors,
    /// CPU time of the server over bytes of intact frames.
    CpuMsPerMb,
    /// CPU time of the server over wall time.
    ServerCores,
    /// CPU time of the measuring process over wall time.
    ClientCores,
    /// The same of its busiest thread: a client serves one input at a time.
    ClientThreadCores,
    /// CPU time of everybody else over wall time.
    OtherCores,
    /// Resident memory of the server when nothing has happened yet.
    IdleRssMib,
    /// Growth of resident memory over participants.
    RssPerParticipantKib,
    /// Growth of resident memory over tracks.
    RssPerTrackKib,
    /// CPU time of the server over joins.
    CpuMsPerJoin,
    /// CPU time of the server while nothing happens, over wall time.
    IdleCores,
    /// Until the last of all tracks is published.
    PublishMs,
    /// CPU time of the server for it.
    PublishCpuMs,
    /// Signalling to one participant who watches.
    WatcherKb,
    /// Until the watcher knows the last of all tracks.
    WatcherKnowsMs,
    /// Until a late joiner is connected.
    LateConnectedMs,
    /// Until it knows all tracks.
    LateKnowsMs,
    /// Until the last of all subscriptions is confirmed.
    SubscribeMs,
    /// CPU time of the server for it.
    SubscribeCpuMs,
    /// Until everybody who joins at once has its first frame.
    CrowdMs,
    /// Median of the time until one of them is connected.
    ConnectP50Ms,
    /// 99th percentile of it.
    ConnectP99Ms,
    /// How many did not get so far.
    FailedJoins,
    /// Median of the time until a late joiner has its first frame.
    FirstFrameP50Ms,
    /// The longest of them.
    FirstFrameMaxMs,
}

impl Metric {
    /// What it is called in tables and charts, its unit included.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::DeliveredPercent => "delivered %",
            Self::MbitPerS => "Mbit/s",
            Self::P50Ms => "p50 ms",
            Self::P99Ms => "p99 ms",
            Self::MaxMs => "max ms",
            Self::CpuUsPerPacket => "CPU µs/packet",
            Self::CpuFloors => "floors",
            Self::CpuMsPerMb => "CPU ms/MB",
            Self::ServerCores => "server cores",
            Self::ClientCores => "client cores",
            Self::ClientThreadCores => "busiest client thread",
            Self::OtherCores => "other cores",
            Self::IdleRssMib => "RSS, MiB",
            Self::RssPerParticipantKib => "RSS per participant, KiB",
            Self::RssPerTrackKib => "RSS per track, KiB",
            Self::CpuMsPerJoin => "CPU per join, ms",
            Self::IdleCores => "cores while idle",
            Self::PublishMs => "all published after, ms",
            Self::PublishCpuMs => "CPU, ms",
            Self::WatcherKb => "signalling to one watcher, kB",
            Self::WatcherKnowsMs => "watcher knows all after, ms",
            Self::LateConnectedMs => "late joiner connected after, ms",
            Self::LateKnowsMs => "late joiner knows all after, ms",
            Self::SubscribeMs => "all confirmed after, ms",
            Self::SubscribeCpuMs => "CPU, ms",
            Self::CrowdMs => "all have a first frame after, ms",
            Self::ConnectP50Ms => "connected after, p50 ms",
            Self::ConnectP99Ms => "connected after, p99 ms",
            Self::FailedJoins => "joins that failed",
            Self::FirstFrameP50Ms => "first frame after, p50 ms",
            Self::FirstFrameMaxMs => "first frame after, max ms",
        }
    }

    /// Digits after the point that are shown.
    #[must_use]
    pub fn digits(self) -> usize {
        match self {
            Self::P50Ms
            | Self::ServerCores
            | Self::ClientCores
            | Self::ClientThreadCores
            | Self::OtherCores
            | Self::MbitPerS => 2,
            Self::IdleCores => 3,
            Self::MaxMs | Self::FailedJoins => 0,
            _ => 1,
        }
    }

    /// Whether a ratio of two servers says something.
    #[must_use]
    pub fn is_compared(self) -> bool {
        !matches!(
            self,
            Self::ClientCores
                | Self::ClientThreadCores
                | Self::OtherCores
                | Self::FailedJoins
                | Self::CpuFloors
        )
    }
}
