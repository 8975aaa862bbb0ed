//! `/proc/stat`: the CPU time of the whole machine, to see who else was busy.

use super::{ProcError, bounded, number};

/// Clock ticks of all cores together since the machine began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MachineTicks {
    /// Spent on work, interrupts and stolen time included.
    pub busy: u64,
    /// Spent idle or waiting for disks.
    pub idle: u64,
}

impl MachineTicks {
    /// Reads the first line of `/proc/stat`.
    ///
    /// # Errors
    /// When it is not there, or holds what is no number.
    pub fn parse(text: &str) -> Result<Self, ProcError> {
        let line = bounded(text)?.lines().find_map(|line| line.strip_prefix("cpu "));
        let mut fields = line.ok_or(ProcError::Missing { field: "cpu line" })?.split_ascii_whitespace();
        let mut field = |name| number(fields.next(), name);
        let (user, nice, system) = (field("user time")?, field("nice time")?, field("system time")?);
        let idle = field("idle time")?.saturating_add(field("wait time")?);
        let (irq, softirq, steal) = (field("irq time")?, field("softirq time")?, field("steal time")?);
        // Guest time, which follows, is in user time already.
        let busy = [user, nice, system, irq, softirq, steal].into_iter().fold(0, u64::saturating_add);
        Ok(Self { busy, idle })
    }
}
