//! What a soak does to a server and checks afterwards: faults in an order that a seed decides, what bystanders
//! have seen meanwhile, and what the server's process holds before and after.

mod course;
mod fault;
mod footprint;
mod hostile;
mod ledger;
mod report;

pub use course::{Stage, course};
pub use fault::{Fault, UnknownFault};
pub use footprint::{Footprint, Tolerance};
pub use hostile::{DATAGRAM_BYTES_MAX, Hostile};
pub use ledger::{GAPS_MAX, Ledger};
pub use report::{
    BystanderReport, Fact, JoinsReport, MemoryPoint, SOAK_SCHEMA, SoakReport, StageReport, ToleranceReport,
};

#[cfg(test)]
mod tests;
