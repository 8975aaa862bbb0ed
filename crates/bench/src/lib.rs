//! What a benchmark of data tracks sends, measures and reports.
//!
//! It never opens a socket or a file and never reads a clock: whoever drives it says what time it is,
//! hands frames in, and hands in the text of `/proc`.
