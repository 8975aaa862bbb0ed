//! Frames that clients have dropped or missed, by reason.

use std::collections::BTreeMap;

use trackyard::{LocalDropReason, QueueStats, RemoteDropReason};
use trackyard_bench::report::{DropReport, Side};

use super::publisher::Publisher;
use super::subscriber::Subscriber;

/// By side and reason.
#[derive(Debug, Default)]
pub(super) struct Drops(BTreeMap<(Side, &'static str), u64>);

impl Drops {
    /// What publishers have taken and not sent.
    pub(super) fn add_publishers(&mut self, publishers: &[Publisher]) {
        for stats in publishers.iter().flat_map(|publisher| &publisher.tracks).map(|track| track.stats()) {
            for reason in LocalDropReason::ALL {
                self.add((Side::Publishers, reason.label()), stats.dropped(reason));
            }
        }
    }

    /// What subscribers have missed, or received and not kept.
    pub(super) fn add_subscribers(&mut self, subscribers: &[Subscriber]) {
        let tracks = subscribers.iter().flat_map(|subscriber| &subscriber.tracks);
        for stats in tracks.filter_map(|track| track.stats()) {
            self.add((Side::Subscribers, RemoteDropReason::Missing.label()), stats.frames_missing);
            for reason in RemoteDropReason::ALL {
                self.add((Side::Subscribers, reason.label()), stats.dropped(reason));
            }
        }
    }

    /// What found the buffers of subscriptions full.
    pub(super) fn add_buffers(&mut self, buffers: &[QueueStats]) {
        for stats in buffers {
            self.add((Side::Subscribers, RemoteDropReason::Overflow.label()), stats.overflowed);
            self.add((Side::Subscribers, RemoteDropReason::Stale.label()), stats.stale);
        }
    }

    /// Those that occurred.
    pub(super) fn report(&self) -> Vec<DropReport> {
        let occurred = self.0.iter().filter(|(_, frames)| **frames > 0);
        let report = |(&(side, reason), &frames): (&(Side, &str), &u64)| DropReport {
            side,
            reason: reason.to_owned(),
            frames,
        };
        occurred.map(report).collect()
    }

    fn add(&mut self, key: (Side, &'static str), frames: u64) {
        *self.0.entry(key).or_default() += frames;
    }
}
