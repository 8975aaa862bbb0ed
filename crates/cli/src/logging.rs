//! Log lines on standard error.

use std::io::IsTerminal;

use anyhow::anyhow;
use tracing_subscriber::EnvFilter;
use trackyard_server::config::{LogLevel, Logging};

/// Begins to log. `RUST_LOG`, where it is set, decides what is logged.
///
/// # Errors
/// When `RUST_LOG` makes no sense, or something logs already.
pub(crate) fn start(logging: &Logging) -> anyhow::Result<()> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(directives) if !directives.is_empty() => {
            EnvFilter::try_new(&directives).map_err(|error| anyhow!("RUST_LOG is `{directives}`: {error}"))?
        }
        _ => EnvFilter::new(directives(logging.level)),
    };
    // Files and journals want no colours, and who sets NO_COLOR wants none either.
    let colours =
        std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours);
    let started = if logging.json { builder.json().try_init() } else { builder.try_init() };
    started.map_err(|error| anyhow!("logging cannot begin: {error}"))
}

/// Our own crates at this level; the libraries beneath them speak up only when something is wrong. What
/// the WebRTC stack warns of is what others send, packet by packet: that is counted, not logged.
fn directives(level: LogLevel) -> String {
    let (libraries, ours) = match level {
        LogLevel::Error => ("error", "error"),
        LogLevel::Warn => ("warn", "warn"),
        LogLevel::Info => ("warn", "info"),
        LogLevel::Debug => ("warn", "debug"),
        LogLevel::Trace => ("info", "trace"),
    };
    format!("{libraries},trackyard={ours},str0m=error,is=error,dimpl=error,sctp_proto=error")
}
