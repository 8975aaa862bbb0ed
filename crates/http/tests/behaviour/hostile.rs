//! Servers that do not answer as they should.

use std::time::Duration;

use http::StatusCode;
use tokio::net::TcpListener;
use trackyard_http::{HttpError, Limits, Url};

use super::support::{Site, limits, post};

#[tokio::test]
async fn an_answer_that_is_too_long_is_cut_off_whether_or_not_it_says_so() {
    let body = "x".repeat(2_000);
    let said = format!("HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n{body}");
    let unsaid = format!("HTTP/1.1 201 OK\r\n\r\n{body}");
    let chunked = format!("HTTP/1.1 202 OK\r\ntransfer-encoding: chunked\r\n\r\n7d0\r\n{body}\r\n0\r\n\r\n");
    for (answer, expected) in [(said, 200), (unsaid, 201), (chunked, 202)] {
        let site = Site::saying(answer, true).await;
        let error = post(&site.url("/"), limits()).await.unwrap_err();
        let HttpError::AnswerTooLarge { status, limit } = error else { panic!("{error:?}") };
        assert_eq!((status, limit), (StatusCode::from_u16(expected).unwrap(), 1_024));
    }
}

#[tokio::test]
async fn what_is_no_http_breaks_the_connection() {
    let endless = format!("HTTP/1.1 200 OK\r\nx: {}", "x".repeat(200_000));
    let headers = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(1_000));
    for answer in ["SSH-2.0-OpenSSH\r\n\r\n", "", "HTTP/1.1 many\r\n\r\n", &endless, &headers] {
        let site = Site::saying(answer, true).await;
        let error = post(&site.url("/"), limits()).await.unwrap_err();
        assert!(matches!(error, HttpError::Broken { .. }), "{:.40}: {error:?}", answer);
    }
}

#[tokio::test]
async fn an_answer_that_ends_early_is_none() {
    let site = Site::saying("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhal", true).await;
    assert!(matches!(post(&site.url("/"), limits()).await, Err(HttpError::Broken { .. })));
}

#[tokio::test]
async fn who_does_not_answer_is_given_up() {
    let limits = Limits { time: Duration::from_millis(50), ..limits() };
    // Accepted by the system, and read by nobody.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    assert!(matches!(post(&url, limits).await, Err(HttpError::Timeout { .. })));
    // A body that never ends.
    let site = Site::saying("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhal", false).await;
    assert!(matches!(post(&site.url("/"), limits).await, Err(HttpError::Timeout { .. })));
}

#[tokio::test]
async fn where_nothing_listens_there_is_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    drop(listener);
    let error = post(&url, limits()).await.unwrap_err();
    assert!(matches!(&error, HttpError::Connect { message } if message.contains("refused")), "{error:?}");
    let unknown: Url = "http://no-such-host.invalid/".parse().unwrap();
    assert!(matches!(post(&unknown, limits()).await, Err(HttpError::Connect { .. })));
}
