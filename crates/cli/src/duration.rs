//! Durations as people write them.

use std::time::Duration;

use trackyard_server::config::parse_duration;

/// Reads a duration above zero, such as `500ms` or `2s`.
///
/// # Errors
/// What it takes instead.
pub(crate) fn positive_duration(text: &str) -> Result<Duration, String> {
    let duration = parse_duration(text).filter(|duration| !duration.is_zero());
    duration.ok_or_else(|| "it takes a duration above zero, such as 500ms, 10s or 2m".to_owned())
}

/// Reads a duration, which may be `0`.
///
/// # Errors
/// What it takes instead.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "it takes a duration, such as 0, 500ms or 10s".to_owned())
}
