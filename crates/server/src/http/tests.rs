//! What pages of other origins may read.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Server;
use crate::config::{Config, PortRange};

async fn ask(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: x\r\nOrigin: https://example.com\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn pages_of_others_may_join_and_read_neither_metrics_nor_tokens_of_the_demo() {
    let mut config = Config::dev();
    config.port = 0;
    config.rtc.udp_ports = PortRange { first: 0, last: 0 };
    config.rtc.tcp_port = None;
    let server = Server::start_with_demo(&config).await.unwrap();
    let address = server.endpoints().http[0];
    for (path, status, is_open) in [
        ("/rtc/validate", 401, true),
        ("/readyz", 200, true),
        ("/metrics", 200, false),
        ("/demo/token?room=a&identity=b", 200, false),
        ("/demo/rooms", 200, false),
    ] {
        let answer = ask(address, path).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
        assert_eq!(answer.contains("access-control-allow-origin: *"), is_open, "{path}: {answer}");
    }
    server.stop().await;
}
