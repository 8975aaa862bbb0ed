//! What a server uses while something other than frames happens.

use std::time::Instant;

use trackyard_bench::process::Usage;
use trackyard_bench::suite::{Metric, Part};

use crate::commands::bench::watch::{Look, Watch};

/// A server's process, from a moment on.
#[derive(Debug)]
pub(super) struct Meter {
    watch: Watch,
    begun: Instant,
    first: Look,
}

impl Meter {
    /// Looks from now on.
    pub(super) fn start(watch: Watch) -> Self {
        let begun = Instant::now();
        let first = watch.look(begun.elapsed());
        Self { watch, begun, first }
    }

    /// What was used since, if the process can be seen.
    pub(super) fn used(&self) -> Option<Usage> {
        self.watch.used(&self.first, &self.watch.look(self.begun.elapsed())).server
    }

    /// The same, and looks from now on.
    pub(super) fn lap(&mut self) -> Option<Usage> {
        let now = self.watch.look(self.begun.elapsed());
        let used = self.watch.used(&self.first, &now).server;
        self.first = now;
        used
    }
}

/// Figures that are being gathered.
#[derive(Debug, Default)]
pub(super) struct Figures(Part);

impl Figures {
    /// One more, unless it is not known.
    pub(super) fn add(&mut self, metric: Metric, value: impl Into<Option<f64>>) {
        self.0.values.extend(value.into().map(|value| (metric, value)));
    }

    /// Milliseconds since a moment.
    pub(super) fn since(&mut self, metric: Metric, begun: Instant) {
        self.add(metric, begun.elapsed().as_secs_f64() * 1e3);
    }

    pub(super) fn part(self) -> Part {
        self.0
    }
}

/// Growth of memory in KiB over so many.
pub(super) fn growth_kib(used: Option<Usage>, count: u32) -> Option<f64> {
    used.map(|used| used.rss_growth_bytes as f64 / 1_024.0 / f64::from(count.max(1)))
}

/// CPU time in milliseconds over so many; not known if it is less than the system's clock shows.
pub(super) fn cpu_ms(used: Option<Usage>, count: u32) -> Option<f64> {
    used.filter(|used| !used.cpu.is_zero()).map(|used| used.cpu.as_secs_f64() * 1e3 / f64::from(count.max(1)))
}
