//! Patterns over names of rooms and tracks, used by tokens and by the configuration's rules.

use std::fmt;
use std::sync::Arc;

use globset::{Glob, GlobBuilder, GlobMatcher};
use serde::{Deserialize, Serialize};

/// Longest pattern; as long as the longest name.
pub const PATTERN_BYTES_MAX: usize = 256;

/// Most patterns in one list.
pub const PATTERNS_MAX: usize = 64;

/// A glob: `*` and `?` stay inside a segment between `/`, a segment `**` stands for any number of
/// segments, `{a,b}` and `[a-z]` are alternatives, `\` takes the next character literally. `?` and
/// brackets stand for one ASCII character each, that is for one byte of any other.
///
/// ```
/// use trackyard_auth::NamePattern;
///
/// let pattern = NamePattern::new("cam/**")?;
/// assert!(pattern.matches("cam/left/raw"));
/// assert!(!pattern.matches("lidar/top"));
/// # Ok::<(), trackyard_auth::PatternError>(())
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NamePattern {
    matcher: Arc<GlobMatcher>,
}

impl NamePattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// [`PatternError`] if it is empty, too long or not a pattern.
    pub fn new(pattern: &str) -> Result<Self, PatternError> {
        Ok(Self { matcher: Arc::new(compile(pattern)?.compile_matcher()) })
    }

    /// The whole name matches.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.matcher.is_match(name)
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.matcher.glob().glob()
    }
}

impl PartialEq for NamePattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for NamePattern {}

impl fmt::Debug for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NamePattern").field(&self.as_str()).finish()
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for NamePattern {
    type Error = PatternError;

    fn try_from(pattern: String) -> Result<Self, PatternError> {
        Self::new(&pattern)
    }
}

impl From<NamePattern> for String {
    fn from(pattern: NamePattern) -> Self {
        pattern.as_str().to_owned()
    }
}

/// A list of patterns. Cheap to clone.
///
/// Each pattern is tried in turn: names are matched when a track is published or subscribed to,
/// not per packet, and matching them at once would treat names as paths, with `.` and `..`.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct NamePatterns {
    patterns: Arc<[NamePattern]>,
}

impl NamePatterns {
    /// Compiles a list; an empty one matches nothing.
    ///
    /// # Errors
    /// [`PatternsError`] if there are too many, or one is refused.
    pub fn new<P: AsRef<str>>(written: impl IntoIterator<Item = P>) -> Result<Self, PatternsError> {
        let mut patterns = Vec::new();
        for pattern in written {
            if patterns.len() == PATTERNS_MAX {
                return Err(PatternsError::TooMany);
            }
            patterns.push(NamePattern::new(pattern.as_ref())?);
        }
        Ok(Self { patterns: patterns.into() })
    }

    /// At least one pattern matches the whole name.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(name))
    }

    /// The patterns, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &NamePattern> {
        self.patterns.iter()
    }
}

impl fmt::Debug for NamePatterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(NamePattern::as_str)).finish()
    }
}

impl TryFrom<Vec<String>> for NamePatterns {
    type Error = PatternsError;

    fn try_from(patterns: Vec<String>) -> Result<Self, PatternsError> {
        Self::new(patterns)
    }
}

impl From<NamePatterns> for Vec<String> {
    fn from(patterns: NamePatterns) -> Self {
        patterns.iter().map(NamePattern::to_string).collect()
    }
}

/// Why a pattern is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// It would match nothing.
    #[error("pattern is empty")]
    Empty,
    /// Longer than [`PATTERN_BYTES_MAX`].
    #[error("pattern is longer than {PATTERN_BYTES_MAX} bytes")]
    TooLong,
    /// `cam**` looks like `cam/**`, but would not be the same.
    #[error("`**` must be a whole segment between slashes in pattern {pattern:?}")]
    PartialSegment {
        /// The pattern.
        pattern: String,
    },
    /// A slash at the end or two in a row; no name in use looks like that, one at the start may.
    #[error("empty segment in pattern {pattern:?}")]
    EmptySegment {
        /// The pattern.
        pattern: String,
    },
    /// Brackets, braces or escapes are wrong.
    #[error("invalid pattern {pattern:?}: {reason}")]
    Syntax {
        /// The pattern.
        pattern: String,
        /// What is wrong.
        reason: String,
    },
}

/// Why a list of patterns is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternsError {
    /// More than [`PATTERNS_MAX`].
    #[error("more than {PATTERNS_MAX} patterns")]
    TooMany,
    /// One of them is refused.
    #[error(transparent)]
    Pattern(#[from] PatternError),
}

fn compile(pattern: &str) -> Result<Glob, PatternError> {
    if pattern.is_empty() {
        return Err(PatternError::Empty);
    }
    if pattern.len() > PATTERN_BYTES_MAX {
        return Err(PatternError::TooLong);
    }
    if pattern.split('/').any(|segment| segment.contains("**") && segment != "**") {
        return Err(PatternError::PartialSegment { pattern: pattern.to_owned() });
    }
    if pattern.split('/').skip(1).any(str::is_empty) {
        return Err(PatternError::EmptySegment { pattern: pattern.to_owned() });
    }
    // Both options differ between platforms by default.
    GlobBuilder::new(pattern).literal_separator(true).backslash_escape(true).build().map_err(|error| {
        PatternError::Syntax { pattern: pattern.to_owned(), reason: error.kind().to_string() }
    })
}

#[cfg(test)]
mod tests;
