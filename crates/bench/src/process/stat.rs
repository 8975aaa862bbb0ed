//! `/proc/<pid>/stat`: the CPU time of a process.

use super::{ProcError, bounded, number};

/// What a process has used since it began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessStat {
    /// Its number.
    pub pid: u64,
    /// Its command's name, at most 15 bytes, whatever they are.
    pub command: String,
    /// CPU time in user mode, in clock ticks.
    pub user_ticks: u64,
    /// CPU time in the kernel, in clock ticks.
    pub system_ticks: u64,
    /// Threads it has now.
    pub threads: u64,
    /// When it began, in clock ticks since the machine did: with the pid, it names one process for ever.
    pub start_ticks: u64,
}

impl ProcessStat {
    /// Reads the one line of the file. The command's name may hold spaces, brackets and line ends.
    ///
    /// # Errors
    /// When a field is missing or no number.
    pub fn parse(text: &str) -> Result<Self, ProcError> {
        let text = bounded(text)?;
        let (pid, rest) = text.split_once('(').ok_or(ProcError::Missing { field: "command" })?;
        let (command, rest) = rest.rsplit_once(')').ok_or(ProcError::Missing { field: "command" })?;
        // The first of these is the third of proc_pid_stat(5).
        let fields: Vec<_> = rest.split_ascii_whitespace().collect();
        let field = |place: usize, name| number(fields.get(place - 3).copied(), name);
        Ok(Self {
            pid: number(Some(pid.trim()), "pid")?,
            command: command.to_owned(),
            user_ticks: field(14, "user time")?,
            system_ticks: field(15, "system time")?,
            threads: field(20, "number of threads")?,
            start_ticks: field(22, "start time")?,
        })
    }

    /// CPU time in both modes, in clock ticks.
    #[must_use]
    pub fn cpu_ticks(&self) -> u64 {
        self.user_ticks.saturating_add(self.system_ticks)
    }
}
