//! A file on its way to the disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// A file under a name of its own until it is whole. It goes away with this unless it is [finished](Part::finish), so
/// that nobody ever takes a part for the whole.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    is_kept: bool,
}

/// What happens to a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    Keep,
    Replace,
}

impl Part {
    /// A new file in the directory; nobody else's, and no link to one.
    pub(super) fn create(directory: &Path) -> io::Result<(Self, File)> {
        let path = directory.join(format!(".trackyard-{:016x}.part", fastrand::u64(..)));
        let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        Ok((Self { path, is_kept: false }, file))
    }

    /// Gives it its name, at once and as a whole.
    ///
    /// # Errors
    /// There is a file of that name which is to be kept, or the system refuses.
    pub(super) fn finish(mut self, path: &Path, existing: Existing) -> io::Result<()> {
        let is_reserved = existing == Existing::Keep;
        if is_reserved {
            // Only one gets the name, even if it was free a moment ago.
            OpenOptions::new().write(true).create_new(true).open(path)?;
        }
        let renamed = fs::rename(&self.path, path);
        if renamed.is_err() && is_reserved {
            // The name is empty, and of use to nobody.
            let _ = fs::remove_file(path);
        }
        renamed?;
        self.is_kept = true;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_kept
            && let Err(error) = fs::remove_file(&self.path)
            && error.kind() != ErrorKind::NotFound
        {
            say!("warning: {} cannot be removed: {error}", self.path.display());
        }
    }
}

/// That there is a directory to write into.
///
/// # Errors
/// [`Failure::Usage`].
pub(super) fn check_directory(path: &Path) -> Result<(), Failure> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(Failure::Usage(format!("{} is no directory", path.display()))),
        Err(error) => Err(Failure::Usage(format!("{}: {error}; make the directory first", path.display()))),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn directory(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("trackyard-part-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        path
    }

    fn part(directory: &Path, text: &str) -> Part {
        let (part, mut file) = Part::create(directory).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        part
    }

    #[test]
    fn a_part_goes_away_unless_it_is_finished() {
        let directory = directory("drop");
        drop(part(&directory, "half"));
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
        part(&directory, "whole").finish(&directory.join("a"), Existing::Keep).unwrap();
        assert_eq!(fs::read_to_string(directory.join("a")).unwrap(), "whole");
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn what_is_there_is_replaced_only_if_it_is_to_be() {
        let directory = directory("existing");
        let path = directory.join("a");
        fs::write(&path, "old").unwrap();
        let kept = part(&directory, "new").finish(&path, Existing::Keep).unwrap_err();
        assert_eq!(
            (kept.kind(), fs::read_to_string(&path).unwrap().as_str()),
            (ErrorKind::AlreadyExists, "old")
        );
        part(&directory, "new").finish(&path, Existing::Replace).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
        fs::remove_dir_all(directory).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_replaced_and_never_followed() {
        let directory = directory("link");
        let (path, elsewhere) = (directory.join("a"), directory.join("elsewhere"));
        fs::write(&elsewhere, "theirs").unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        part(&directory, "new").finish(&path, Existing::Keep).unwrap_err();
        part(&directory, "new").finish(&path, Existing::Replace).unwrap();
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "theirs");
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        fs::remove_dir_all(directory).unwrap();
    }
}
