//! Schemas and frame encodings, by number or by name.

use serde::Deserialize;
use serde_json::{Value, json};
use trackyard::{FrameEncoding, Schema, SchemaEncoding};

/// A well-known encoding by its number, or another by its name.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Encoding {
    WellKnown(i32),
    Custom(String),
}

/// What a schema is found by.
#[derive(Debug, Deserialize)]
pub(crate) struct SchemaName {
    name: String,
    encoding: Encoding,
}

impl From<Encoding> for FrameEncoding {
    fn from(encoding: Encoding) -> Self {
        match encoding {
            Encoding::WellKnown(number) => Self::WellKnown(number),
            Encoding::Custom(name) => Self::Custom(name),
        }
    }
}

impl From<Encoding> for SchemaEncoding {
    fn from(encoding: Encoding) -> Self {
        match encoding {
            Encoding::WellKnown(number) => Self::WellKnown(number),
            Encoding::Custom(name) => Self::Custom(name),
        }
    }
}

impl From<SchemaName> for Schema {
    fn from(schema: SchemaName) -> Self {
        Self { name: schema.name, encoding: Some(schema.encoding.into()) }
    }
}

/// A frame encoding as JSON.
pub(crate) fn shown_encoding(encoding: &FrameEncoding) -> Value {
    match encoding {
        FrameEncoding::WellKnown(number) => json!(number),
        FrameEncoding::Custom(name) => json!(name),
    }
}

/// A schema as JSON.
pub(crate) fn shown_schema(schema: &Schema) -> Value {
    let encoding = schema.encoding.as_ref().map(|encoding| match encoding {
        SchemaEncoding::WellKnown(number) => json!(number),
        SchemaEncoding::Custom(name) => json!(name),
    });
    json!({"name": schema.name, "encoding": encoding})
}
