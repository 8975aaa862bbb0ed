//! The command as its users run it.

#![allow(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod administration;
mod check_config;
mod completions;
mod server;
mod support;
mod token;
mod track;
mod usage;
