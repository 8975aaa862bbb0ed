//! Standard output.

use std::io::{self, ErrorKind, Write};

use anyhow::Context;

use crate::failure::Failure;

/// Prints a text. A reader that has gone away, as `head` does, is no failure.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("standard output cannot be written")
        }
        _ => Ok(()),
    }
}

/// Prints a value as one JSON document.
pub(crate) fn print_json(value: &serde_json::Value) -> anyhow::Result<()> {
    print(&format!("{value:#}\n"))
}

/// Prints bytes as they are, at once.
///
/// # Errors
/// [`Failure::OutputClosed`] when nobody reads them any more: what prints without end has to end then.
pub(crate) fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Failure::OutputClosed,
        _ => Failure::Failed(anyhow::Error::new(error).context("standard output cannot be written")),
    })
}

/// Prints a value as JSON on one line.
///
/// # Errors
/// As [`write`](fn@write).
pub(crate) fn write_json(value: &serde_json::Value) -> Result<(), Failure> {
    write(format!("{value}\n").as_bytes())
}
