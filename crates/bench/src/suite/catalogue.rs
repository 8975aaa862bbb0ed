//! Every scenario, with its parameters.

use std::time::Duration;

use super::scenario::{Behind, Flow, FlowLink, Group, Scenario, Work};
use crate::plan::{Plan, PlanError};
use crate::units::{self, Rate, format_bytes};

/// Small frames, so many bytes.
const SMALL: &str = "1000B";

/// How long flows are measured, and how much of everything there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// How long a flow counts.
    pub duration: Duration,
    /// How long it flows before that.
    pub warm_up: Duration,
    /// Counts of participants and tracks are divided by this.
    pub divisor: u32,
}

impl Default for Scale {
    fn default() -> Self {
        Self { duration: Duration::from_secs(8), warm_up: Duration::from_secs(2), divisor: 1 }
    }
}

/// All scenarios, checked; memory comes first, before anything has happened to the servers.
///
/// # Errors
/// When the scale makes one of them something that cannot be measured.
pub fn catalogue(scale: &Scale) -> Result<Vec<Scenario>, PlanError> {
    let mut scenarios = vec![idle()];
    scenarios.extend([false, true].map(|is_dual| participants(scale, is_dual)));
    scenarios.extend([1, 100, 1_000, 3_000, 10_000].map(|tracks| publish(scale, tracks)));
    scenarios.extend([1, 100, 200, 400, 1_000].map(|tracks| subscribe(scale, tracks)));
    scenarios.extend([crowd(scale), first_frame(scale)]);
    for rate in
        ["100Hz", "1kHz", "5kHz", "7kHz", "8kHz", "8.5kHz", "10kHz", "12kHz", "15kHz", "20kHz", "30kHz"]
    {
        scenarios.push(flow(scale, Group::OneToOne, (SMALL, rate, 1)));
    }
    for (subscribers, rate) in [(1, "1kHz"), (5, "1kHz"), (20, "1kHz"), (50, "1kHz"), (50, "100Hz")] {
        scenarios.push(flow(scale, Group::FanOut, (SMALL, rate, subscribers)));
    }
    for (size, rate) in
        [("16KiB", "100Hz"), ("75KiB", "30Hz"), ("256KiB", "30Hz"), ("512KiB", "30Hz"), ("1MiB", "10Hz")]
    {
        scenarios.push(flow(scale, Group::LargeFrames, (size, rate, 1)));
    }
    scenarios.extend(LINKS.map(|link| bad_link(scale, link)));
    for scenario in &scenarios {
        if let Work::Flow(flow) = &scenario.work {
            flow.plan.check()?;
        }
    }
    Ok(scenarios)
}

/// Size, rate, link, and who is behind it.
type BadLink = (&'static str, &'static str, &'static str, Behind);

const LINKS: [BadLink; 18] = [
    ("64KiB", "38Hz", "down:5Mbit/rtt:20ms/queue:200ms", Behind::LastSubscriber),
    ("64KiB", "38Hz", "down:5Mbit/rtt:20ms/queue:1s", Behind::LastSubscriber),
    ("64KiB", "38Hz", "down:18Mbit/rtt:20ms/queue:200ms", Behind::LastSubscriber),
    (SMALL, "1250Hz", "down:5Mbit/rtt:20ms/queue:200ms", Behind::LastSubscriber),
    (SMALL, "200Hz", "rtt:20ms/loss:1%", Behind::Subscribers),
    (SMALL, "200Hz", "rtt:20ms/loss:3%", Behind::Subscribers),
    ("16KiB", "50Hz", "rtt:20ms/loss:1%", Behind::Subscribers),
    ("16KiB", "50Hz", "rtt:20ms/loss:3%", Behind::Subscribers),
    ("75KiB", "30Hz", "rtt:20ms/loss:1%", Behind::Subscribers),
    ("75KiB", "30Hz", "rtt:20ms/loss:3%", Behind::Subscribers),
    ("16KiB", "50Hz", "rtt:20ms/loss:1%", Behind::Publishers),
    ("75KiB", "30Hz", "rtt:20ms", Behind::Subscribers),
    ("75KiB", "30Hz", "rtt:50ms", Behind::Subscribers),
    ("75KiB", "30Hz", "rtt:100ms", Behind::Subscribers),
    ("16KiB", "50Hz", "rtt:50ms", Behind::Subscribers),
    ("16KiB", "50Hz", "rtt:100ms", Behind::Subscribers),
    (SMALL, "1kHz", "rtt:100ms", Behind::Subscribers),
    ("256KiB", "30Hz", "rtt:100ms", Behind::Subscribers),
];

fn plan(scale: &Scale, (size, rate, subscribers): (&str, &str, u32)) -> Plan {
    Plan {
        frame_bytes: units::bytes(size).expect("sizes here are well written"),
        rate: rate.parse::<Rate>().expect("rates here are well written"),
        subscribers,
        duration: scale.duration,
        warm_up: scale.warm_up,
        ..Plan::default()
    }
}

fn flow(scale: &Scale, group: Group, what: (&str, &str, u32)) -> Scenario {
    let (size, rate, subscribers) = what;
    let plan = plan(scale, what);
    let (part, title) = match group {
        Group::OneToOne => (rate.to_owned(), plan.rate.to_string()),
        Group::FanOut => (format!("{subscribers}@{rate}"), format!("1 to {subscribers} at {}", plan.rate)),
        _ => (format!("{size}@{rate}"), format!("{} at {}", format_bytes(plan.frame_bytes), plan.rate)),
    };
    Scenario {
        name: format!("{}/{part}", group.name()),
        title,
        group,
        work: Work::Flow(Flow { plan, link: None }),
    }
}

fn bad_link(scale: &Scale, (size, rate, link, behind): BadLink) -> Scenario {
    let subscribers = if behind == Behind::LastSubscriber { 2 } else { 1 };
    let plan = plan(scale, (size, rate, subscribers));
    let who = if behind == Behind::Publishers { "publisher at " } else { "" };
    let side = if behind == Behind::Publishers { "up-" } else { "" };
    let words = link.replace([':', '/'], "-").replace('%', "");
    Scenario {
        name: format!("{}/{size}@{rate}-{side}{words}", Group::Links.name()),
        title: format!("{} at {}, {who}{link}", format_bytes(plan.frame_bytes), plan.rate),
        group: Group::Links,
        work: Work::Flow(Flow {
            plan,
            link: Some(FlowLink {
                text: link.to_owned(),
                spec: link.parse().expect("links here are well written"),
                behind,
            }),
        }),
    }
}

fn idle() -> Scenario {
    control(Group::Memory, "idle", "a server to which nothing has happened", Work::Idle)
}

fn participants(scale: &Scale, is_dual: bool) -> Scenario {
    let count = scaled(scale, 50);
    let (part, how) = if is_dual { ("two", "two connections") } else { ("one", "one connection") };
    let title = format!("{count} participants with {how} each");
    control(Group::Memory, &format!("participants-{part}"), &title, Work::Participants { count, is_dual })
}

fn publish(scale: &Scale, tracks: u32) -> Scenario {
    let part = format!("publish-{tracks}");
    let tracks = scaled(scale, tracks);
    let title = format!("publish {tracks}, 64 requests in flight");
    control(Group::Tracks, &part, &title, Work::Publish { tracks })
}

fn subscribe(scale: &Scale, tracks: u32) -> Scenario {
    let part = format!("subscribe-{tracks}");
    let tracks = scaled(scale, tracks);
    let title = format!("subscribe to {tracks} at once");
    control(Group::Tracks, &part, &title, Work::Subscribe { tracks })
}

fn crowd(scale: &Scale) -> Scenario {
    let count = scaled(scale, 100);
    let title = format!("{count} join at once and subscribe to a track at 10 Hz");
    control(Group::Joining, "crowd", &title, Work::Crowd { count })
}

fn first_frame(scale: &Scale) -> Scenario {
    let count = scaled(scale, 20);
    let title = format!("{count} join one by one and subscribe to a track at 1 kHz");
    control(Group::Joining, "first-frame", &title, Work::FirstFrame { count })
}

fn control(group: Group, part: &str, title: &str, work: Work) -> Scenario {
    Scenario { name: format!("{}/{part}", group.name()), title: title.to_owned(), group, work }
}

fn scaled(scale: &Scale, count: u32) -> u32 {
    count.div_ceil(scale.divisor.max(1))
}
