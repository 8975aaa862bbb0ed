//! What a server's process holds.

use serde::{Deserialize, Serialize};

/// What a server's process holds at a moment when nothing happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Footprint {
    /// Memory, resident, without what it shares with files.
    pub memory_bytes: u64,
    /// Open descriptors.
    pub descriptors: u64,
    /// Threads.
    pub threads: u64,
    /// Tasks of the asynchronous runtime.
    pub tasks: u64,
    /// Rooms.
    pub rooms: u64,
    /// Participants.
    pub participants: u64,
    /// ICE/TCP connections.
    pub tcp_connections: u64,
    /// Worker threads that run.
    pub workers_alive: u64,
}

/// By how much more a process may hold afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tolerance {
    /// Memory that the allocator keeps for what comes next.
    pub memory_bytes: u64,
    /// Connections that are not closed yet, such as those by which the server is asked.
    pub descriptors: u64,
    /// Tasks of these connections.
    pub tasks: u64,
}

impl Footprint {
    /// What it holds more than before, beyond the tolerance, in words.
    #[must_use]
    pub fn growth(&self, before: &Self, tolerance: &Tolerance) -> Vec<String> {
        let memory = [("MiB of memory", self.memory_bytes, before.memory_bytes, tolerance.memory_bytes)];
        let memory = memory.map(|(what, now, before, slack)| (what, mib(now), mib(before), mib(slack)));
        let counts = [
            ("descriptors", self.descriptors, before.descriptors, tolerance.descriptors),
            // The runtime's threads for what blocks come and go with the first need of them.
            ("threads", self.threads, before.threads, 1),
            ("tasks", self.tasks, before.tasks, tolerance.tasks),
            ("rooms", self.rooms, before.rooms, 0),
            ("participants", self.participants, before.participants, 0),
            ("ICE/TCP connections", self.tcp_connections, before.tcp_connections, 0),
        ];
        let counts = counts.map(|(what, now, before, slack)| (what, now as f64, before as f64, slack as f64));
        let mut grown: Vec<String> = memory
            .into_iter()
            .chain(counts)
            .filter(|(_, now, before, slack)| *now > before + slack)
            .map(|(what, now, before, slack)| {
                format!("{now} {what} are held, {before} before, more than {slack} over it")
            })
            .collect();
        if self.workers_alive < before.workers_alive {
            grown.push(format!("{} of {} workers run", self.workers_alive, before.workers_alive));
        }
        grown
    }
}

/// Bytes in MiB, to a hundredth.
pub(super) fn mib(bytes: u64) -> f64 {
    (bytes as f64 / f64::from(1 << 20) * 100.0).round() / 100.0
}
