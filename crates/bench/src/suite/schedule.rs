//! The order in which servers are measured.

/// One measurement: which scenario, which of its runs, which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Index of the scenario.
    pub scenario: usize,
    /// Of its runs, from 0.
    pub run: u32,
    /// Index of the server.
    pub server: usize,
}

/// Every scenario so often on every server. Servers alternate run by run, so that what changes slowly on the machine
/// meets them alike.
pub fn turns(scenarios: usize, runs: u32, servers: usize) -> impl Iterator<Item = Turn> {
    (0..scenarios).flat_map(move |scenario| {
        (0..runs).flat_map(move |run| (0..servers).map(move |server| Turn { scenario, run, server }))
    })
}
