//! Lines of standard input, read without ever holding up the connection.

use std::io::{self, BufRead, Read};
use std::thread;

use anyhow::anyhow;
use bytes::Bytes;
use tokio::sync::mpsc;

use crate::failure::Failure;

/// Lines that are read ahead; then reading waits.
const LINES_AHEAD: usize = 16;
/// No frame is longer, by far.
const LINE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Lines of standard input, without their ends.
#[derive(Debug)]
pub(crate) struct Lines(mpsc::Receiver<io::Result<Bytes>>);

impl Lines {
    /// Begins to read, on a thread of its own: a read may wait for ever.
    pub(crate) fn of_standard_input() -> Result<Self, Failure> {
        let (sender, receiver) = mpsc::channel(LINES_AHEAD);
        let read = move || {
            let mut input = io::stdin().lock();
            while let Some(line) = next_line(&mut input).transpose() {
                let is_last = line.is_err();
                if sender.blocking_send(line).is_err() || is_last {
                    return;
                }
            }
        };
        thread::Builder::new().name("stdin".to_owned()).spawn(read).map_err(|error| anyhow!(error))?;
        Ok(Self(receiver))
    }

    /// The next line; nothing after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        let line = self.0.recv().await.transpose();
        line.map_err(|error| anyhow::Error::new(error).context("standard input cannot be read").into())
    }
}

fn next_line(input: &mut impl BufRead) -> io::Result<Option<Bytes>> {
    let mut line = Vec::new();
    if input.take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    match line.last() {
        Some(b'\n') => drop(line.pop()),
        _ if line.len() as u64 == LINE_BYTES_MAX => {
            return Err(io::Error::other(format!("a line has more than {LINE_BYTES_MAX} bytes")));
        }
        _ => {}
    }
    Ok(Some(line.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_lose_their_ends_and_nothing_else() {
        let mut input: &[u8] = b"a\r\n\n\xff b\nlast";
        let mut lines = Vec::new();
        while let Some(line) = next_line(&mut input).unwrap() {
            lines.push(line);
        }
        assert_eq!(lines, [&b"a\r"[..], b"", b"\xff b", b"last"]);
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let endless = vec![0; 5 * 1024 * 1024];
        assert!(next_line(&mut endless.as_slice()).is_err());
    }
}
