//! Frames as files.

use std::path::{Path, PathBuf};

use anyhow::Context;
use trackyard::{DataTrackFrame, RemoteDataTrack};

use super::super::encoding::extension;
use crate::failure::Failure;

/// A name is cut here, so that the frame's number fits.
const STEM_CHARS_MAX: usize = 100;

/// A directory that gets a file for each frame.
#[derive(Debug)]
pub(super) struct Store {
    directory: PathBuf,
    track: RemoteDataTrack,
    stem: String,
    written: u64,
}

impl Store {
    /// Makes the directory if there is none.
    pub(super) fn open(directory: &Path, track: &RemoteDataTrack) -> Result<Self, Failure> {
        let refuse = || format!("--files: {} cannot be made", directory.display());
        std::fs::create_dir_all(directory).with_context(refuse)?;
        let (directory, track) = (directory.to_owned(), track.clone());
        Ok(Self { directory, stem: stem(track.name()), track, written: 0 })
    }

    /// Writes a frame, over a file of that name.
    pub(super) fn write(&mut self, frame: &DataTrackFrame) -> Result<(), Failure> {
        let extension = extension(self.track.frame_encoding(), frame.payload());
        let number = frame.sequence().unwrap_or(self.written);
        let path = self.directory.join(format!("{}-{number:08}.{extension}", self.stem));
        let refuse = || format!("{} cannot be written", path.display());
        std::fs::write(&path, frame.payload()).with_context(refuse)?;
        self.written += 1;
        Ok(())
    }

    pub(super) fn summary(&self) -> String {
        format!("{} files in {}", self.written, self.directory.display())
    }
}

/// A track's name as a file's: whatever others call their tracks, it stays in the directory.
fn stem(name: &str) -> String {
    let fits = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    name.chars().map(|character| if fits(character) { character } else { '_' }).take(STEM_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_the_directory() {
        assert_eq!(stem("camera/front-1"), "camera_front-1");
        assert_eq!(stem("../../etc/passwd\0"), "______etc_passwd_");
        assert_eq!(stem(&"é".repeat(200)), "_".repeat(100));
    }
}
