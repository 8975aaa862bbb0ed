//! One request over HTTP/1.1, as far as the answer's head and a little of its body.

use std::io;
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// The answer's head; longer ones are no answer of such a server.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Of the body, which is a line of text.
const BODY_BYTES_MAX: usize = 2 * 1024;

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
    /// The server's clock.
    pub(super) date: Option<SystemTime>,
}

/// What to ask for.
pub(super) struct Get<'g> {
    pub(super) authority: &'g str,
    pub(super) target: &'g str,
    pub(super) token: &'g str,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum HttpError {
    Io(io::Error),
    NotHttp,
    Timeout,
}

/// Asks, and reads the answer.
pub(super) async fn get<S>(mut stream: S, get: Get<'_>, limit: Duration) -> Result<Answer, HttpError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Get { authority, target, token } = get;
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    );
    let asked = async {
        stream.write_all(request.as_bytes()).await.map_err(HttpError::Io)?;
        stream.flush().await.map_err(HttpError::Io)?;
        read(&mut stream).await
    };
    timeout(limit, asked).await.map_err(|_| HttpError::Timeout)?
}

async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Answer, HttpError> {
    let mut received = Vec::new();
    let head = loop {
        let count = stream.read_buf(&mut received).await.map_err(HttpError::Io)?;
        if let Some(head) = head(&received)? {
            break head;
        }
        if count == 0 || received.len() > HEAD_BYTES_MAX {
            return Err(HttpError::NotHttp);
        }
    };
    let wanted = head.bytes + head.body_bytes.unwrap_or(BODY_BYTES_MAX).min(BODY_BYTES_MAX);
    while received.len() < wanted {
        match stream.read_buf(&mut received).await {
            // The status is known; of the body there is what there is.
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
    }
    let body = &received[head.bytes..received.len().min(wanted)];
    let body = String::from_utf8_lossy(body).trim().to_owned();
    Ok(Answer { status: head.status, body, date: head.date })
}

struct Head {
    bytes: usize,
    status: u16,
    body_bytes: Option<usize>,
    date: Option<SystemTime>,
}

/// The head, once all of it is there.
fn head(received: &[u8]) -> Result<Option<Head>, HttpError> {
    let begins = b"HTTP/1.";
    if received.iter().zip(begins).any(|(byte, expected)| byte != expected) {
        return Err(HttpError::NotHttp);
    }
    let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let text = String::from_utf8_lossy(&received[..end]);
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let mut head =
        Head { bytes: end + 4, status: status.ok_or(HttpError::NotHttp)?, body_bytes: None, date: None };
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            head.body_bytes = value.trim().parse().ok();
        } else if name.eq_ignore_ascii_case("date") {
            head.date = httpdate::parse_http_date(value.trim()).ok();
        }
    }
    Ok(Some(head))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(answer: &[u8]) -> Result<Answer, HttpError> {
        let (ours, mut theirs) = tokio::io::duplex(64 * 1024);
        theirs.write_all(answer).await.unwrap();
        let get = Get { authority: "yard", target: "/", token: "t" };
        let (asked, ()) = tokio::join!(super::get(ours, get, Duration::from_secs(5)), async move {
            let mut request = [0; 1_024];
            let count = theirs.read(&mut request).await.unwrap();
            let expected =
                "GET / HTTP/1.1\r\nHost: yard\r\nAuthorization: Bearer t\r\nConnection: close\r\n\r\n";
            assert_eq!(&request[..count], expected.as_bytes());
        });
        asked
    }

    #[tokio::test]
    async fn status_text_and_date_are_read() {
        let text = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 7\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\nno way!and more";
        let answer = ask(text).await.unwrap();
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(answer, Answer { status: 401, body: "no way!".to_owned(), date: Some(date) });
    }

    #[tokio::test]
    async fn a_body_of_unknown_length_ends_with_the_connection() {
        let answer = ask(b"HTTP/1.0 200 OK\r\n\r\nsuccess\n").await.unwrap();
        assert_eq!((answer.status, answer.body.as_str(), answer.date), (200, "success", None));
    }

    #[tokio::test]
    async fn what_is_not_http_is_noticed() {
        for text in
            [&b"SSH-2.0-OpenSSH\r\n"[..], b"", b"HTTP/1.1 many\r\n\r\n", b"\x15\x03\x01\x00\x02\x02\x50"]
        {
            assert!(matches!(ask(text).await, Err(HttpError::NotHttp)), "{text:?}");
        }
        let endless = [b"HTTP/1.1 200 OK\r\n".to_vec(), vec![b'x'; 40_000]].concat();
        assert!(matches!(ask(&endless).await, Err(HttpError::NotHttp)));
    }
}
