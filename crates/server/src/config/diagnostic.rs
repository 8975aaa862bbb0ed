//! What is wrong with a configuration, and where.

use std::fmt;
use std::sync::Arc;

/// Where something is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// A file, an environment variable or a flag.
    pub source: Arc<str>,
    /// Counted from 1, if it has lines.
    pub line: Option<usize>,
}

impl Place {
    /// Somewhere in this source.
    #[must_use]
    pub fn of(source: &str) -> Self {
        Self { source: source.into(), line: None }
    }

    /// A line of the same source.
    #[must_use]
    pub fn on_line(&self, line: usize) -> Self {
        Self { source: Arc::clone(&self.source), line: Some(line) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.source),
            None => f.write_str(&self.source),
        }
    }
}

/// Something to say about one place of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where.
    pub place: Place,
    /// What.
    pub text: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

/// Everything that keeps a configuration from being used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors {
    /// What is wrong. Never empty.
    pub errors: Vec<Diagnostic>,
    /// What else there is to say.
    pub warnings: Vec<Diagnostic>,
}

impl std::error::Error for ConfigErrors {}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

/// Collects what there is to say.
#[derive(Debug, Default)]
pub(super) struct Diagnostics {
    pub(super) errors: Vec<Diagnostic>,
    pub(super) warnings: Vec<Diagnostic>,
}

impl Diagnostics {
    pub(super) fn error(&mut self, place: &Place, text: impl Into<String>) {
        self.errors.push(Diagnostic { place: place.clone(), text: text.into() });
    }

    pub(super) fn warn(&mut self, place: &Place, text: impl Into<String>) {
        self.warnings.push(Diagnostic { place: place.clone(), text: text.into() });
    }

    /// The errors, if there are any; both lists in the order of lines.
    pub(super) fn finish(mut self) -> Result<Vec<Diagnostic>, ConfigErrors> {
        self.errors.sort_by_key(|diagnostic| diagnostic.place.line);
        self.warnings.sort_by_key(|diagnostic| diagnostic.place.line);
        if self.errors.is_empty() {
            return Ok(self.warnings);
        }
        Err(ConfigErrors { errors: self.errors, warnings: self.warnings })
    }
}
