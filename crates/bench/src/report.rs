//! What a benchmark says: one document of results, and its renderings.
//!
//! Field names are the same in JSON and CSV and stay: a field is added, never renamed. Units are the last
//! word of a name. What was not measured is null in JSON and empty in CSV.

mod build;
mod chart;
mod csv;
mod fields;
mod json;
mod losses;
mod table;

pub(crate) use chart::svg;

pub use build::{Facts, Target};
pub use chart::{BARS_MAX, SERIES_MAX, chart};
pub use csv::csv;
pub use fields::{
    CurvePoint, DeliveryReport, FairnessReport, IntervalReport, LatencyReport, LoadReport, MachineReport,
    ProcessReport, Report, Scenario, SendingReport, StraysReport, SubscriberReport,
};
pub use json::{JsonError, Results, SCHEMA};
pub use losses::{DropReport, LinkReport, Side};
pub use table::table;

#[cfg(test)]
mod tests;
