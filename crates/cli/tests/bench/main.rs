//! `trackyard bench` against a real server on loopback.

#![allow(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod ends;
mod links;
mod reports;
mod site;
mod soak;
mod suite;
mod usage;

use serde_json::Value;

/// A number of a report.
#[track_caller]
fn number(report: &Value, path: &str) -> f64 {
    let found = path.split('.').fold(report, |value, name| &value[name]);
    found.as_f64().unwrap_or_else(|| panic!("{path} is {found} in {report}"))
}
