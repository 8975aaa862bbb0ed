//! Requests that are answered.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use trackyard_http::{HttpClient, HttpError, Post};

use super::support::{Site, converse, limits, post};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx-thing: 1\r\n\r\nthere";

#[tokio::test]
async fn an_answer_comes_back_whole() {
    let site = Site::saying(OK, false).await;
    let answer = post(&site.url("/hook?a=b"), limits()).await.unwrap();
    assert_eq!((answer.status, answer.body.as_ref()), (StatusCode::OK, &b"there"[..]));
    assert_eq!(answer.headers["x-thing"], "1");
}

#[tokio::test]
async fn connections_are_kept_for_the_next_request() {
    let site = Site::saying(OK, false).await;
    let client = HttpClient::new(&[]).unwrap();
    let url = site.url("/");
    for _ in 0..10 {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_static("secret"));
        let post = Post { url: &url, headers, body: Bytes::from_static(b"hello!"), limits: limits() };
        assert_eq!(client.post(post).await.unwrap().status, 200);
    }
    assert_eq!(site.connections(), 1);
}

#[tokio::test]
async fn redirects_come_back_as_they_are() {
    let target = Site::saying(OK, false).await;
    let head =
        format!("HTTP/1.1 307 Go There\r\nlocation: http://{}/\r\ncontent-length: 0\r\n\r\n", target.address);
    let site = Site::saying(head, false).await;
    let answer = post(&site.url("/"), limits()).await.unwrap();
    assert_eq!((answer.status.as_u16(), target.connections()), (307, 0));
}

#[tokio::test]
async fn certificates_are_checked_against_the_roots_that_are_given() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.der().clone(), made.signing_key.serialize_der());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.clone()], key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port()).parse().unwrap();
    let server = tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            if let Ok(stream) = acceptor.accept(stream).await {
                converse(stream, OK.as_bytes(), false).await;
            }
        }
    });
    let ask = async |roots: &[Vec<u8>]| {
        let client = HttpClient::new(roots).unwrap();
        let body = Bytes::from_static(b"hello!");
        client.post(Post { url: &url, headers: HeaderMap::new(), body, limits: limits() }).await
    };
    let refused = ask(&[]).await;
    assert!(matches!(refused, Err(HttpError::Connect { .. })), "{refused:?}");
    assert_eq!(ask(&[certificate.to_vec()]).await.unwrap().body.as_ref(), b"there");
    server.abort();
}
