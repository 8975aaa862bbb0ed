//! Keys, tokens and clocks.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use trackyard_auth::VideoGrant;

use super::support::{KEY, Site, doctor, run, token};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_told() {
    let site = Site::plain().await;
    let ran = run(&[&site.url(), "--api-key", KEY, "--api-secret", "another-word-than-the-one"], &[]).await;
    ran.check(3, &[
        "✗ Token       refused with status 401: ",
        "Token failed. The token is not signed with the secret of the API key `yard-key` as the server has it",
        "check the API secret",
    ]);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_told() {
    let site = Site::plain().await;
    let ran =
        run(&[&site.url(), "--api-key", "other-key", "--api-secret", "another-word-than-the-one"], &[]).await;
    ran.check(3, &["Token failed. The server does not know the API key `other-key`: use a key that is among its `keys`"]);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_is_told_with_its_age() {
    let site = Site::plain().await;
    // It was valid for an hour.
    let expired = token("robot", VideoGrant::join("yard"), 3 * 3_600 + 300);
    let ran = run(&[&site.url(), "--token", &expired], &[]).await;
    ran.check(
        3,
        &[
            "Token failed. The token has expired 2 h 5 min ago, by the server's clock: make a new one.",
            "The clocks of both machines agree.",
        ],
    );
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_grants_and_rooms_are_told() {
    let site = Site::start("room: {auto_create: false}", ", tcp_port: 0").await;
    let visitor = token("visitor", VideoGrant { room_list: true, ..VideoGrant::default() }, 0);
    let ran = run(&[&site.url(), "--token", &visitor], &[]).await;
    ran.check(3, &["Token failed. The token's grants do not allow joining: it needs `roomJoin: true`"]);
    let ran = doctor(&site.url(), &["--room", "nowhere"]).await;
    ran.check(3, &["refused with status 404", "Token failed. The room `nowhere` does not exist"]);
    let ran = run(&[&site.url(), "--token", "no-token"], &[]).await;
    ran.check(3, &["Token failed. The token is none: it has to be a JWT"]);
    let ran = run(&[&site.url(), "--token", "no token of ours"], &[]).await;
    ran.check(3, &["Token failed. The token has characters that no token has"]);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_token_joins_and_two_send_frames() {
    let site = Site::plain().await;
    let join = || VideoGrant::join("yard");
    let (robot, viewer) = (token("robot", join(), 0), token("viewer", join(), 0));
    let ran = run(&[&site.url(), "--token", &robot], &[]).await;
    ran.check(
        0,
        &[
            "✓ Token       accepted as `robot` in `yard`",
            "– Echo        frames need a second participant: give a key, or --second-token",
            "Everything works. Frames were not sent.",
        ],
    );
    let ran = run(&[&site.url(), "--token", &robot, "--second-token", &viewer], &[]).await;
    ran.check(0, &["✓ Echo        a frame of 100000 bytes comes back", "\nEverything works.\n"]);
    let deaf = token("robot", VideoGrant { can_publish_data: Some(false), ..join() }, 0);
    let ran = run(&[&site.url(), "--token", &deaf, "--second-token", &viewer], &[]).await;
    ran.check(0, &["– Echo        the token does not allow publishing data"]);
    let ran = run(&[&site.url(), "--token", &robot, "--second-token", &robot], &[]).await;
    ran.check(0, &["– Echo        both tokens are of the same participant"]);
    let elsewhere = token("viewer", VideoGrant::join("street"), 0);
    let ran = run(&[&site.url(), "--second-token", &elsewhere], &[("LIVEKIT_TOKEN", &robot)]).await;
    ran.check(0, &["– Echo        the tokens are for different rooms"]);
    site.stop().await;
}

/// A server that is none, and answers each request so.
async fn stub(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4_096];
            // A client that goes away is no matter.
            if stream.read(&mut request).await.is_ok() {
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_are_something_else_are_told() {
    for (answer, words) in [
        (
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            "Token failed. There is no LiveKit-compatible server",
        ),
        (
            "HTTP/1.1 301 Moved\r\ncontent-length: 0\r\n\r\n",
            "Token failed. The server sends clients elsewhere (status 301)",
        ),
        (
            "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n",
            "Token failed. A proxy answers and does not reach",
        ),
        (
            "HTTP/1.1 503 x\r\ncontent-length: 4\r\n\r\nfull",
            "Token failed. The server is at a limit or stopping (full)",
        ),
        ("SSH-2.0-OpenSSH_9.9\r\n", "Token failed. What answers does not speak HTTP"),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nsuccess",
            "Signalling failed. The token is accepted, and the WebSocket",
        ),
    ] {
        doctor(&stub(answer).await, &[]).await.check(3, &[words]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_differ_are_told() {
    let answer = "HTTP/1.1 401 Unauthorized\r\nDate: Sun, 06 Nov 2050 08:49:37 GMT\r\ncontent-length: 16\r\n\r\ntoken is expired";
    let ran = doctor(&stub(answer).await, &[]).await;
    ran.check(
        3,
        &[
            "Token failed. The token has expired ",
            "This machine's clock is ",
            " behind the server's. Set the wrong one right.",
        ],
    );
    let answer = "HTTP/1.1 401 Unauthorized\r\nDate: Sun, 06 Nov 2005 08:49:37 GMT\r\ncontent-length: 22\r\n\r\ntoken is not valid yet";
    let ran = doctor(&stub(answer).await, &[]).await;
    ran.check(3, &["Token failed. The token is not valid before another ", " ahead of the server's."]);
}
