//! The command as its users run it.

mod check_config;
mod server;
mod support;
mod token;
mod usage;
