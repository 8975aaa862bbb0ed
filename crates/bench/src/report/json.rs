//! Results as one JSON document.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::fields::Report;

/// Name and version of the document; the number changes when a field changes its meaning.
pub const SCHEMA: &str = "trackyard.bench/1";

/// All runs of one benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// In the order they were run.
    pub runs: Vec<Report>,
}

/// Why a document is none of ours.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JsonError {
    /// It is no JSON, or a field is missing.
    #[error("it holds no results of a benchmark: {0}")]
    Format(#[from] serde_json::Error),
    /// It is of another version.
    #[error("its schema is `{0}`, not `{SCHEMA}`")]
    Schema(String),
}

impl Results {
    /// These runs.
    #[must_use]
    pub fn new(runs: Vec<Report>) -> Self {
        Self { schema: SCHEMA.to_owned(), runs }
    }

    /// The document, indented, with a line end.
    ///
    /// # Errors
    /// Never for results that this crate has made: their fields are plain.
    pub fn to_json(&self) -> Result<String, JsonError> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Reads a document that was written before, to compare with.
    ///
    /// # Errors
    /// When it is something else.
    pub fn from_json(text: &str) -> Result<Self, JsonError> {
        let results: Self = serde_json::from_str(text)?;
        if results.schema == SCHEMA { Ok(results) } else { Err(JsonError::Schema(results.schema)) }
    }
}
