//! The hash by which sender and receiver of a file tell that it is whole.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};

/// The attribute in which a sender says the hash; official receivers do not look at it.
pub(super) const ATTRIBUTE: &str = "sha256";
/// What is read at a time.
const BLOCK_BYTES: usize = 256 * 1024;

/// SHA-256 of what comes piece by piece.
pub(super) struct Digest(Context);

impl Digest {
    pub(super) fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// In hex, as `sha256sum` prints it.
    pub(super) fn finish(self) -> String {
        self.0.finish().as_ref().iter().fold(String::new(), |mut hex, byte| {
            // A string takes everything.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

/// Length and hash of a file, which is told how far it has come.
pub(super) fn of_file(path: &Path, tell: impl Fn(u64, u64)) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let total = file.metadata()?.len();
    let (mut digest, mut done, mut block) = (Digest::new(), 0, vec![0; BLOCK_BYTES]);
    loop {
        let read = file.read(&mut block)?;
        if read == 0 {
            return Ok((done, digest.finish()));
        }
        digest.update(&block[..read]);
        done += read as u64;
        tell(done, total);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_everybody_else_makes_of_it() {
        // FIPS 180-2, appendix B.1.
        let mut digest = Digest::new();
        digest.update(b"a");
        digest.update(b"bc");
        assert_eq!(digest.finish(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
