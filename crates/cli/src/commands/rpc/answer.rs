//! What a call is answered with.

use std::ffi::OsString;
use std::io;
use std::process::Stdio;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use trackyard::{RPC_DATA_BYTES, RpcError, RpcErrorCode, RpcInvocationData};

/// What a command may print; more than any client takes.
const OUTPUT_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What a call is answered with.
#[derive(Debug)]
pub(super) enum Answer {
    /// What the caller has said.
    Echo,
    /// Always the same.
    Text(String),
    /// What a command prints.
    Command { line: Vec<OsString>, method: String },
}

impl Answer {
    /// Answers a call.
    ///
    /// # Errors
    /// What the caller gets instead of a result.
    pub(super) async fn to(&self, call: &RpcInvocationData) -> Result<String, RpcError> {
        match self {
            Self::Echo => Ok(call.payload.clone()),
            Self::Text(text) => Ok(text.clone()),
            Self::Command { line, method } => {
                let failed = |error: io::Error| failure(format!("the command cannot be run: {error}"));
                run(line, method, call).await.map_err(failed)?
            }
        }
    }
}

/// Runs a command to its end; it is killed when this is dropped.
async fn run(
    line: &[OsString],
    method: &str,
    call: &RpcInvocationData,
) -> io::Result<Result<String, RpcError>> {
    let mut child = begin(line, method, call)?;
    let (input, out, err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (fed, out, err) = tokio::join!(
        feed(input, call.payload.as_bytes()),
        read(out, OUTPUT_BYTES_MAX),
        read(err, RPC_DATA_BYTES as u64),
    );
    fed?;
    let (out, status) = (out?, child.wait().await?);
    if !status.success() {
        let said = String::from_utf8_lossy(&err?).trim_end().to_owned();
        let said = if said.is_empty() { format!("the command has failed: {status}") } else { said };
        return Ok(Err(failure(said)));
    }
    Ok(result(out))
}

fn begin(line: &[OsString], method: &str, call: &RpcInvocationData) -> io::Result<Child> {
    let Some((program, arguments)) = line.split_first() else {
        return Err(io::Error::other("there is none"));
    };
    Command::new(program)
        .args(arguments)
        .env("TRACKYARD_METHOD", method)
        .env("TRACKYARD_CALLER", &call.caller_identity)
        .env("TRACKYARD_REQUEST_ID", &call.request_id)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

/// A command that does not read what it is told is no failure.
async fn feed(input: Option<ChildStdin>, payload: &[u8]) -> io::Result<()> {
    let Some(mut input) = input else { return Ok(()) };
    match input.write_all(payload).await {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Reads up to one byte more than is taken, and lets the rest go by, so that the command comes to its end.
async fn read(from: Option<impl AsyncRead + Unpin>, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut from) = from {
        (&mut from).take(bytes_max + 1).read_to_end(&mut bytes).await?;
        tokio::io::copy(&mut from, &mut tokio::io::sink()).await?;
    }
    Ok(bytes)
}

/// Without the end of the last line, as shells have it.
fn result(out: Vec<u8>) -> Result<String, RpcError> {
    if out.len() as u64 > OUTPUT_BYTES_MAX {
        return Err(RpcErrorCode::ResponsePayloadTooLarge.into());
    }
    let mut text =
        String::from_utf8(out).map_err(|_| failure("the command has printed no text".to_owned()))?;
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

fn failure(said: String) -> RpcError {
    RpcErrorCode::ApplicationError.with_data(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_lose_one_end_of_line_and_have_to_be_text() {
        assert_eq!(result(b"a\nb\n\n".to_vec()).as_deref(), Ok("a\nb\n"));
        assert_eq!(result(Vec::new()).as_deref(), Ok(""));
        assert_eq!(result(vec![0xff]).unwrap_err().kind(), Some(RpcErrorCode::ApplicationError));
    }

    #[tokio::test]
    async fn what_is_too_long_is_read_no_further_than_it_counts() {
        assert_eq!(read(Some(&[7; 100][..]), 10).await.unwrap().len(), 11);
        assert_eq!(read(Some(&[7; 10][..]), 10).await.unwrap().len(), 10);
    }
}
