//! Where pictures come from.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::scene;

/// A source of JPEG pictures; a camera that gives JPEG would be a third.
pub(crate) enum Pictures {
    /// Drawn here.
    Scene { begin: Instant },
    /// Read from these files, one after the other.
    Files { paths: Vec<PathBuf>, next: usize },
}

impl Pictures {
    pub(crate) fn scene() -> Self {
        Self::Scene { begin: Instant::now() }
    }

    pub(crate) fn of_directory(directory: &Path) -> Result<Self> {
        let unreadable = || format!("{} cannot be read", directory.display());
        let mut paths = Vec::new();
        for entry in directory.read_dir().with_context(unreadable)? {
            let path = entry.with_context(unreadable)?.path();
            if path.extension().is_some_and(|extension| extension == "jpg" || extension == "jpeg") {
                paths.push(path);
            }
        }
        ensure!(!paths.is_empty(), "{} holds no .jpg or .jpeg file", directory.display());
        paths.sort();
        Ok(Self::Files { paths, next: 0 })
    }

    pub(crate) async fn next(&mut self) -> Result<Vec<u8>> {
        match self {
            // Encoding computes for milliseconds; the connection is served by other threads meanwhile.
            Self::Scene { begin } => tokio::task::block_in_place(|| scene::jpeg(begin.elapsed())),
            Self::Files { paths, next } => {
                let path = &paths[*next % paths.len()];
                *next += 1;
                tokio::fs::read(path).await.with_context(|| format!("{} cannot be read", path.display()))
            }
        }
    }
}
