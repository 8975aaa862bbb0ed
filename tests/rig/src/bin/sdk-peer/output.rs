//! What is said: one JSON text a line.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// Says it whole, whatever others say at the same time.
pub(crate) fn write(message: &Value) {
    // Nobody listens any more: the input ends as well, and this program with it.
    let _ = writeln!(std::io::stdout().lock(), "{message}");
}

/// Says what has happened to a participant.
pub(crate) fn report(identity: &str, event: &str, fields: &Value) {
    write(&json!({"event": event, "identity": identity, "fields": fields}));
}

/// The wall clock in milliseconds, as browsers have it.
pub(crate) fn wall_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1e3
}
