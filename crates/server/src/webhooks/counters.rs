//! What has become of events.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Why an event is not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Undelivered {
    /// A receiver's task was given more than it can sort.
    Handover,
    /// Too many events of its room wait.
    Depth,
    /// The events that wait take too much memory.
    Memory,
    /// It could not be delivered in time.
    Age,
    /// The receiver has said that it will not take it.
    Refused,
    /// The server has stopped.
    Shutdown,
}

impl Undelivered {
    const ALL: [Self; 6] =
        [Self::Handover, Self::Depth, Self::Memory, Self::Age, Self::Refused, Self::Shutdown];

    fn label(self) -> &'static str {
        match self {
            Self::Handover => "handover",
            Self::Depth => "depth",
            Self::Memory => "memory",
            Self::Age => "age",
            Self::Refused => "refused",
            Self::Shutdown => "shutdown",
        }
    }
}

/// Counters of events times receivers. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct WebhookCounters {
    delivered: Counter,
    failures: Counter,
    dropped: Family<ReasonLabel, Counter>,
    waiting: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

impl Default for WebhookCounters {
    fn default() -> Self {
        let counters = Self {
            delivered: Counter::default(),
            failures: Counter::default(),
            dropped: Family::default(),
            waiting: Gauge::default(),
        };
        // Each reason is there from the start, so that its first drop is a change.
        for reason in Undelivered::ALL {
            counters.dropped(reason, 0);
        }
        counters
    }
}

impl WebhookCounters {
    /// A receiver has taken one.
    pub(super) fn delivered(&self) {
        self.delivered.inc();
    }

    /// An attempt has failed.
    pub(super) fn failed(&self) {
        self.failures.inc();
    }

    /// So many are given up. Answers how many were before.
    pub(super) fn dropped(&self, reason: Undelivered, count: u64) -> u64 {
        self.dropped.get_or_create(&ReasonLabel { reason: reason.label() }).inc_by(count)
    }

    /// So many more, or fewer, wait.
    pub(super) fn waiting(&self, change: i64) {
        self.waiting.inc_by(change);
    }

    /// How many were given up for this reason.
    #[cfg(test)]
    pub(super) fn dropped_so_far(&self, reason: Undelivered) -> u64 {
        self.dropped.get_or_create(&ReasonLabel { reason: reason.label() }).get()
    }

    /// Shows them.
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register(
            "webhook_events_delivered",
            "Events of rooms that a receiver has taken",
            self.delivered.clone(),
        );
        registry.register(
            "webhook_attempts_failed",
            "Attempts to deliver events that have failed and were repeated, or not",
            self.failures.clone(),
        );
        registry.register(
            "webhook_events_dropped",
            "Events of rooms that were given up, by reason",
            self.dropped.clone(),
        );
        registry.register(
            "webhook_events_waiting",
            "Events of rooms that wait for a receiver or are on their way to it",
            self.waiting.clone(),
        );
    }
}
