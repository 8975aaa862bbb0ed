//! `trackyard doctor` where something is wrong, and where nothing is.

#![allow(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod certificates;
mod entry;
mod gateway;
mod network;
mod output;
mod paths;
mod support;
