//! A fixed set of scenarios, measured of one server or of two side by side, and what is said of them.
//!
//! [`catalogue()`] names every scenario, [`turns()`] says in which order servers are measured, a [`Run`] holds what
//! one turn has shown, a [`Document`] holds all of them with what they were measured on. [`markdown()`] and
//! [`charts()`] render it. Nothing here measures anything.

mod catalogue;
mod charts;
mod markdown;
mod metric;
mod results;
mod scenario;
mod schedule;
mod spread;

pub use catalogue::{Scale, catalogue};
pub use charts::charts;
pub use markdown::markdown;
pub use metric::Metric;
pub use results::{Cell, Document, Floor, Machine, Mark, Part, ReadError, Row, Run, SCHEMA, ServerFacts};
pub use scenario::{Behind, Flow, FlowLink, Group, Scenario, Work};
pub use schedule::{Turn, turns};
pub use spread::Spread;

#[cfg(test)]
mod tests;
