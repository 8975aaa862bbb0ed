//! Pictures, found by patterns of their names.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use globset::{Glob, GlobBuilder, GlobMatcher};

use crate::failure::Failure;

/// What a directory's pictures are called.
const DIRECTORY_PATTERN: &str = "*.{jpg,jpeg}";
/// What a JPEG picture begins with.
const JPEG_START: [u8; 3] = [0xff, 0xd8, 0xff];

/// The files that these stand for: files themselves, directories, and patterns of file names. Those of a
/// directory come in the order of their names.
pub(super) fn find(patterns: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for pattern in patterns {
        if pattern.is_file() {
            files.push(pattern.clone());
            continue;
        }
        let found =
            if pattern.is_dir() { matching(pattern, DIRECTORY_PATTERN)? } else { by_pattern(pattern)? };
        if found.is_empty() {
            return Err(Failure::Usage(format!("--images: no file is found by {}", pattern.display())));
        }
        files.extend(found);
    }
    Ok(files)
}

/// Whether it is a JPEG picture, as far as its beginning says.
pub(super) fn is_jpeg(payload: &[u8]) -> bool {
    payload.starts_with(&JPEG_START)
}

fn by_pattern(pattern: &Path) -> Result<Vec<PathBuf>, Failure> {
    let directory =
        pattern.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = pattern.file_name().and_then(|name| name.to_str());
    let name =
        name.ok_or_else(|| Failure::Usage(format!("--images: {} has no file name", pattern.display())))?;
    matching(directory, name)
}

fn matching(directory: &Path, pattern: &str) -> Result<Vec<PathBuf>, Failure> {
    let matcher = matcher(pattern)?;
    let refuse = || format!("--images: {} cannot be read", directory.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).with_context(refuse)? {
        let path = entry.with_context(refuse)?.path();
        if path.is_file() && path.file_name().is_some_and(|name| matcher.is_match(name)) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn matcher(pattern: &str) -> Result<GlobMatcher, Failure> {
    let glob: Result<Glob, _> = GlobBuilder::new(pattern).case_insensitive(true).build();
    Ok(glob.map_err(|error| Failure::Failed(anyhow!("--images: {error}")))?.compile_matcher())
}
