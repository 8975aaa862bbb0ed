//! Standard error: notes, warnings and errors for people. Where nobody reads them any more, or a full device
//! takes none, they are lost, and nothing else is.

use std::fmt;
use std::io::{self, Write};

/// Writes a line to standard error, formatted as `eprintln!` does, which panics if the line cannot be written.
macro_rules! say {
    ($($line:tt)*) => {
        $crate::say::line(format_args!($($line)*))
    };
}

/// Writes a line.
pub(crate) fn line(line: fmt::Arguments<'_>) {
    // Nobody is left to be told.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Writes a text with line ends of its own.
pub(crate) fn text(text: &str) {
    // As above.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
