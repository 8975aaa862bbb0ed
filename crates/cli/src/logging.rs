//! Log lines on standard error.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::anyhow;
use tracing_subscriber::EnvFilter;
use trackyard_server::config::{LogLevel, Logging};

/// Begins to log. `RUST_LOG`, where it is set, decides what is logged. What is returned counts the lines that
/// could not be written.
///
/// # Errors
/// When `RUST_LOG` makes no sense, or something logs already.
pub(crate) fn start(logging: &Logging) -> anyhow::Result<Arc<AtomicU64>> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(directives) if !directives.is_empty() => {
            EnvFilter::try_new(&directives).map_err(|error| anyhow!("RUST_LOG is `{directives}`: {error}"))?
        }
        _ => EnvFilter::new(directives(logging.level)),
    };
    // Files and journals want no colours, and who sets NO_COLOR wants none either.
    let colours =
        io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let lost = Arc::new(AtomicU64::new(0));
    let writer = {
        let lost = Arc::clone(&lost);
        move || Lossy(Arc::clone(&lost))
    };
    // A line that cannot be written is not told of on the very device that does not take it: that panics.
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(colours);
    let builder = builder.log_internal_errors(false);
    let started = if logging.json { builder.json().try_init() } else { builder.try_init() };
    started.map_err(|error| anyhow!("logging cannot begin: {error}"))?;
    Ok(lost)
}

/// Standard error; what it does not take is counted. A line comes in one piece.
struct Lossy(Arc<AtomicU64>);

impl Write for Lossy {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if io::stderr().lock().write_all(line).is_err() {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
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
