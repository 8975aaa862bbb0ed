//! Where the frames to publish come from.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::Context;
use bytes::Bytes;
use clap::Args;

use super::images;
use super::pattern::Pattern;
use crate::failure::Failure;
use crate::lines::Lines;
use crate::quantity;

/// What says where the frames to publish come from.
#[derive(Debug, Args)]
pub(super) struct Input {
    /// File that is a frame; may be repeated
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["images", "size"])]
    pub(super) file: Vec<PathBuf>,
    /// JPEG pictures, one per frame: files, directories, or patterns of file names
    #[arg(long, value_name = "PATTERN", num_args = 1.., conflicts_with = "size")]
    pub(super) images: Vec<PathBuf>,
    /// Frames of this size, such as 16KiB, that are made up
    #[arg(long, value_name = "BYTES", value_parser = quantity::bytes)]
    pub(super) size: Option<usize>,
    /// What made-up frames hold
    #[arg(long, value_enum, default_value_t, requires = "size")]
    pattern: Pattern,
    /// Begin anew after the last file or picture
    #[arg(long = "loop")]
    pub(super) repeat: bool,
}

/// Where the frames to publish come from.
#[derive(Debug)]
pub(super) enum Source {
    /// Lines of standard input.
    Lines(Lines),
    /// Files, one after the other.
    Files(Files),
    /// Frames that are made up.
    MadeUp { pattern: Pattern, size: usize, number: u64 },
}

/// Files, one after the other.
#[derive(Debug)]
pub(super) struct Files {
    paths: Vec<PathBuf>,
    next: usize,
    repeat: bool,
    are_pictures: bool,
}

impl Source {
    pub(super) fn open(input: &Input) -> Result<Self, Failure> {
        if let Some(size) = input.size {
            return Ok(Self::MadeUp { pattern: input.pattern, size, number: 0 });
        }
        let are_pictures = !input.images.is_empty();
        let paths = if are_pictures { images::find(&input.images)? } else { input.file.clone() };
        if !paths.is_empty() {
            return Files::open(paths, input.repeat, are_pictures).map(Self::Files);
        }
        if input.repeat {
            return Err(Failure::Usage("--loop needs --file or --images".to_owned()));
        }
        if std::io::stdin().is_terminal() {
            say!("note: each line is a frame; Ctrl-D ends");
        }
        Lines::of_standard_input().map(Self::Lines)
    }

    /// The next payload; nothing after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        match self {
            Self::Lines(lines) => lines.next().await,
            Self::Files(files) => files.next(),
            Self::MadeUp { pattern, size, number } => {
                let payload = pattern.payload(*number, *size);
                *number += 1;
                Ok(Some(payload))
            }
        }
    }

    /// Whether it has an end by itself, which comes soon.
    pub(super) fn is_finite(&self) -> bool {
        matches!(self, Self::Files(Files { repeat: false, .. }))
    }

    /// Whether someone else says when the next payload is there.
    pub(super) fn is_waited_for(&self) -> bool {
        matches!(self, Self::Lines(_))
    }
}

impl Files {
    /// All of them have to be there before anything is published.
    fn open(paths: Vec<PathBuf>, repeat: bool, are_pictures: bool) -> Result<Self, Failure> {
        for path in &paths {
            read(path, are_pictures)?;
        }
        Ok(Self { paths, next: 0, repeat, are_pictures })
    }

    fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        if self.repeat && self.next == self.paths.len() {
            self.next = 0;
        }
        let Some(path) = self.paths.get(self.next) else { return Ok(None) };
        self.next += 1;
        read(path, self.are_pictures).map(Some)
    }
}

fn read(path: &Path, is_picture: bool) -> Result<Bytes, Failure> {
    let payload = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    if is_picture && !images::is_jpeg(&payload) {
        return Err(Failure::Usage(format!("--images: {} is no JPEG picture", path.display())));
    }
    Ok(payload.into())
}
