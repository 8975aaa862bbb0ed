//! The command as its users run it.

#![allow(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod administration;
mod attr;
mod check_config;
mod completions;
mod data;
mod file;
mod full_device;
mod guest;
mod rpc;
mod server;
mod support;
mod text;
mod token;
mod track;
mod usage;
