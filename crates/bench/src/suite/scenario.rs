//! One scenario: what happens, and which figures it gives.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::metric::Metric;
use crate::link::PathSpec;
use crate::plan::Plan;

/// Scenarios that share a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// Small frames from one publisher to one subscriber, by rate.
    OneToOne,
    /// Small frames from one publisher to many.
    FanOut,
    /// Frames of many packets.
    LargeFrames,
    /// Links that are slow, far or lossy.
    Links,
    /// Memory of an idle server and of participants.
    Memory,
    /// Many tracks of one participant.
    Tracks,
    /// Newcomers.
    Joining,
}

/// A scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Unique, such as `one-to-one/1kHz`.
    pub name: String,
    /// For people.
    pub title: String,
    /// Its table.
    pub group: Group,
    /// What happens.
    pub work: Work,
}

/// What happens in a scenario.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// Frames flow.
    Flow(Flow),
    /// Nothing: memory of a server that has just started.
    Idle,
    /// So many join one after another.
    Participants {
        /// How many.
        count: u32,
        /// Each with a peer connection for each direction, rather than one for both.
        is_dual: bool,
    },
    /// One publishes so many tracks while another watches; a third joins late.
    Publish {
        /// How many.
        tracks: u32,
    },
    /// A late joiner subscribes to so many tracks at once.
    Subscribe {
        /// How many.
        tracks: u32,
    },
    /// So many join at once, and subscribe to one track.
    Crowd {
        /// How many.
        count: u32,
    },
    /// So many join one after another, and subscribe to a track that flows.
    FirstFrame {
        /// How many.
        count: u32,
    },
}

/// Frames that flow.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// What is sent, and to how many.
    pub plan: Plan,
    /// The link that some clients are behind.
    pub link: Option<FlowLink>,
}

/// An emulated link.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowLink {
    /// As people write it.
    pub text: String,
    /// What it is like.
    pub spec: PathSpec,
    /// Who is behind it.
    pub behind: Behind,
}

/// Who is behind a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behind {
    /// Every publisher.
    Publishers,
    /// Every subscriber.
    Subscribers,
    /// The last subscriber; others are beside it.
    LastSubscriber,
}

impl Group {
    /// All, in the order of the report.
    pub const ALL: [Self; 7] = [
        Self::OneToOne,
        Self::FanOut,
        Self::LargeFrames,
        Self::Links,
        Self::Memory,
        Self::Tracks,
        Self::Joining,
    ];

    /// The first part of its scenarios' names.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OneToOne => "one-to-one",
            Self::FanOut => "fan-out",
            Self::LargeFrames => "large-frames",
            Self::Links => "links",
            Self::Memory => "memory",
            Self::Tracks => "tracks",
            Self::Joining => "joining",
        }
    }

    /// The heading of its table.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::OneToOne => "One to one, 1,000 B",
            Self::FanOut => "Fan-out, 1,000 B",
            Self::LargeFrames => "Large frames, one to one",
            Self::Links => "Bad links",
            Self::Memory => "Memory",
            Self::Tracks => "Many tracks of one participant",
            Self::Joining => "Joining",
        }
    }

    /// Columns of its table; none where each figure has a row of its own.
    #[must_use]
    pub fn columns(self) -> &'static [Metric] {
        use Metric::{
            ClientCores, ClientThreadCores, CpuFloors, CpuMsPerMb, CpuUsPerPacket, DeliveredPercent, MaxMs,
            MbitPerS, OtherCores, P50Ms, P99Ms, ServerCores,
        };
        match self {
            Self::OneToOne | Self::FanOut => &[
                DeliveredPercent,
                P50Ms,
                P99Ms,
                MaxMs,
                CpuUsPerPacket,
                CpuFloors,
                ServerCores,
                ClientCores,
                ClientThreadCores,
                OtherCores,
            ],
            Self::LargeFrames => &[
                DeliveredPercent,
                MbitPerS,
                P50Ms,
                P99Ms,
                MaxMs,
                CpuUsPerPacket,
                CpuMsPerMb,
                ServerCores,
                ClientCores,
                OtherCores,
            ],
            Self::Links => &[DeliveredPercent, MbitPerS, P50Ms, P99Ms, MaxMs, ServerCores, OtherCores],
            Self::Memory | Self::Tracks | Self::Joining => &[],
        }
    }

    /// What its chart shows; none: whatever there is.
    #[must_use]
    pub fn drawn(self) -> &'static [Metric] {
        match self {
            Self::OneToOne | Self::FanOut => {
                &[Metric::DeliveredPercent, Metric::CpuUsPerPacket, Metric::P99Ms]
            }
            Self::LargeFrames => &[Metric::DeliveredPercent, Metric::CpuMsPerMb, Metric::P50Ms],
            Self::Links => &[Metric::DeliveredPercent, Metric::P50Ms],
            Self::Memory | Self::Tracks | Self::Joining => &[],
        }
    }
}

impl Scenario {
    /// Whether its figures need a server to which nothing has happened yet.
    #[must_use]
    pub fn needs_fresh_server(&self) -> bool {
        !matches!(self.work, Work::Flow(_))
    }

    /// Frames of each track per second, if any flow.
    #[must_use]
    pub fn rate_hz(&self) -> Option<f64> {
        match &self.work {
            Work::Flow(flow) => Some(flow.plan.rate.hertz()),
            _ => None,
        }
    }

    /// How long one run takes at most; whatever takes longer is given up.
    #[must_use]
    pub fn time_max(&self) -> Duration {
        match &self.work {
            // Joining, settling and leaving have limits of their own, of which this is more than the sum.
            Work::Flow(flow) => flow.plan.warm_up + flow.plan.duration + Duration::from_secs(90),
            _ => Duration::from_secs(120),
        }
    }
}
