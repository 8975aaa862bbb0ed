//! How a token wants its room to be created (`roomConfig`, protocol §2).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A `RoomConfiguration` in protobuf's JSON form: the fields an SFU uses are typed, the rest is
/// kept as it came.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>", into = "Map<String, Value>")]
pub struct RoomConfig {
    name: String,
    empty_timeout_s: Option<u32>,
    departure_timeout_s: Option<u32>,
    participants_max: Option<u32>,
    metadata: String,
    raw: Map<String, Value>,
}

impl RoomConfig {
    /// Name of a configuration of the server; empty = none.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How long a room nobody has joined stays; `None` = the server's default.
    #[must_use]
    pub fn empty_timeout_s(&self) -> Option<u32> {
        self.empty_timeout_s
    }

    /// How long a room stays after everyone has left; `None` = the server's default.
    #[must_use]
    pub fn departure_timeout_s(&self) -> Option<u32> {
        self.departure_timeout_s
    }

    /// How many participants may join; `None` = the server's default.
    #[must_use]
    pub fn participants_max(&self) -> Option<u32> {
        self.participants_max
    }

    /// The room's first metadata.
    #[must_use]
    pub fn metadata(&self) -> &str {
        &self.metadata
    }

    /// All of it, as it came.
    #[must_use]
    pub fn raw(&self) -> &Map<String, Value> {
        &self.raw
    }
}

impl TryFrom<Map<String, Value>> for RoomConfig {
    type Error = RoomConfigError;

    fn try_from(raw: Map<String, Value>) -> Result<Self, RoomConfigError> {
        Ok(Self {
            name: text(&raw, ["name", "name"])?,
            empty_timeout_s: number(&raw, ["emptyTimeout", "empty_timeout"])?,
            departure_timeout_s: number(&raw, ["departureTimeout", "departure_timeout"])?,
            participants_max: number(&raw, ["maxParticipants", "max_participants"])?,
            metadata: text(&raw, ["metadata", "metadata"])?,
            raw,
        })
    }
}

impl From<RoomConfig> for Map<String, Value> {
    fn from(config: RoomConfig) -> Self {
        config.raw
    }
}

/// A field of the configuration is not what protobuf's JSON form allows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("roomConfig.{field} is not a valid value")]
pub struct RoomConfigError {
    /// The field.
    pub field: &'static str,
}

/// Protobuf's JSON form reads both spellings of a key, and `null` as absent.
fn field<'m>(raw: &'m Map<String, Value>, names: [&'static str; 2]) -> Option<&'m Value> {
    names.iter().find_map(|name| raw.get(*name)).filter(|value| !value.is_null())
}

fn text(raw: &Map<String, Value>, names: [&'static str; 2]) -> Result<String, RoomConfigError> {
    match field(raw, names) {
        None => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(RoomConfigError { field: names[0] }),
    }
}

/// Numbers may be written as strings, and 0 is the same as absent.
fn number(raw: &Map<String, Value>, names: [&'static str; 2]) -> Result<Option<u32>, RoomConfigError> {
    let Some(value) = field(raw, names) else { return Ok(None) };
    let number = match value {
        Value::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
        Value::String(digits) => digits.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    let number = number.ok_or(RoomConfigError { field: names[0] })?;
    Ok(Some(number).filter(|number| *number != 0))
}

#[cfg(test)]
mod tests;
