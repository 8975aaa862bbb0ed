//! Frames as they are printed.

use std::time::{Duration, Instant};

use serde_json::Value;
use trackyard::DataTrackFrame;

use super::Shape;
use super::hexdump::{hex, hexdump};
use crate::text::printable_lines;

/// Frames as they are printed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Format {
    kind: Kind,
    /// What others have sent is read by people, and must not steer their terminal.
    is_terminal: bool,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Hex,
    Text,
    Json,
    Raw,
}

impl Format {
    pub(super) fn new(shape: &Shape, is_terminal: bool) -> Self {
        let kind = match shape {
            Shape { utf8: true, .. } => Kind::Text,
            Shape { json_lines: true, .. } => Kind::Json,
            Shape { raw: true, .. } => Kind::Raw,
            _ => Kind::Hex,
        };
        Self { kind, is_terminal }
    }

    /// What is printed of a frame.
    pub(super) fn shown(&self, label: &str, frame: &DataTrackFrame) -> Vec<u8> {
        let payload = frame.payload();
        match self.kind {
            Kind::Raw => payload.to_vec(),
            Kind::Hex => format!("{}{}", head(label, frame), hexdump(payload)).into_bytes(),
            Kind::Text => self.line(payload),
            Kind::Json => match serde_json::from_slice::<Value>(payload) {
                Ok(value) => self.line(format!("{value:#}").as_bytes()),
                Err(error) => {
                    say!("warning: frame {} is no JSON: {error}", number(frame));
                    self.line(payload)
                }
            },
        }
    }

    /// What JSON holds of a payload: how it is written, and itself. What does not fit is in hex.
    pub(super) fn value(&self, payload: &[u8]) -> (&'static str, Value) {
        let shown = match self.kind {
            Kind::Text => std::str::from_utf8(payload).ok().map(|text| ("utf8", Value::from(text))),
            Kind::Json => serde_json::from_slice(payload).ok().map(|value| ("json", value)),
            Kind::Hex | Kind::Raw => None,
        };
        shown.unwrap_or_else(|| ("hex", Value::from(hex(payload))))
    }

    fn line(&self, text: &[u8]) -> Vec<u8> {
        let mut line = if self.is_terminal {
            printable_lines(&String::from_utf8_lossy(text)).into_owned().into_bytes()
        } else {
            text.to_vec()
        };
        line.push(b'\n');
        line
    }
}

/// How old a frame was when it came, as far as its timestamp says.
pub(super) fn age_ms(frame: &DataTrackFrame) -> Option<u64> {
    let waited = frame.received_at().map(|received| Instant::now().saturating_duration_since(received));
    let age: Duration = frame.duration_since_timestamp()?.saturating_sub(waited.unwrap_or_default());
    u64::try_from(age.as_millis()).ok()
}

fn head(label: &str, frame: &DataTrackFrame) -> String {
    let age = age_ms(frame).map(|age| format!(", {age} ms old")).unwrap_or_default();
    let will = if frame.is_last_will() { ", last will" } else { "" };
    let latched = if frame.is_latched() { ", latched" } else { "" };
    format!("{label} #{}, {} bytes{age}{will}{latched}\n", number(frame), frame.payload().len())
}

fn number(frame: &DataTrackFrame) -> u64 {
    frame.sequence().unwrap_or_default()
}
