//! The head of an HTTP message, as it came.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// Longest head; a join request fits.
const HEAD_BYTES_MAX: usize = 256 * 1024;
const END: &[u8] = b"\r\n\r\n";

/// The head of an HTTP message, and what came with it.
pub(super) struct Head {
    bytes: Vec<u8>,
    end: usize,
}

impl Head {
    /// Reads until the head has ended.
    pub(super) async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        let mut bytes = Vec::new();
        loop {
            let seen = bytes.len().saturating_sub(END.len() - 1);
            if from.read_buf(&mut bytes).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(at) = bytes[seen..].windows(END.len()).position(|window| window == END) {
                return Ok(Self { end: seen + at + END.len(), bytes });
            }
            if bytes.len() > HEAD_BYTES_MAX {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
    }

    /// All that was read.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The head alone.
    pub(super) fn head(&self) -> &[u8] {
        &self.bytes[..self.end]
    }

    /// What came after the head.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.end..]
    }

    /// Whether it switches to another protocol.
    pub(super) fn is_switching(&self) -> bool {
        self.bytes.starts_with(b"HTTP/1.1 101")
    }
}
