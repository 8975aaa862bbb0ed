//! Names and ports.

use tokio::net::TcpListener;

use super::support::{Site, doctor, free_port, run};

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_does_not_exist_is_told() {
    let ran = doctor("wss://yard.invalid", &[]).await;
    ran.check(
        3,
        &[
            "✓ URL         wss://yard.invalid:443, with TLS",
            "✗ DNS         yard.invalid: ",
            "– TCP         not looked at",
            "– Echo        not looked at",
            "DNS failed. The name `yard.invalid` cannot be resolved",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_port_is_told() {
    let port = free_port();
    let ran = doctor(&format!("ws://127.0.0.1:{port}"), &[]).await;
    ran.check(
        3,
        &[
            &format!("✗ TCP         127.0.0.1:{port}: the connection is refused"),
            &format!(
                "TCP failed. Nothing listens at 127.0.0.1:{port}: the connection is refused. Start the server"
            ),
            &format!("check that the URL's port {port} is the one it listens on"),
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_where_nobody_answers_is_told_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let ran = doctor(&format!("ws://{address}"), &[]).await;
    ran.check(
        3,
        &["✗ Token       no answer within 4 s", "Token failed. The port is open, and nobody answers"],
    );
    let ran = doctor(&format!("wss://{address}"), &[]).await;
    ran.check(
        3,
        &["✗ TLS         no answer within 4 s", "TLS failed. The port is open, and nobody answers there"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_is_none_is_told_without_repeating_it() {
    let ran = doctor("ws://user:hunter2@127.0.0.1", &[]).await;
    ran.check(
        3,
        &["✗ URL         cannot be used", "URL failed. The URL cannot be used: its host is empty or carries"],
    );
    assert!(!ran.out.contains("hunter2") && !ran.err.contains("hunter2"));
    doctor("yard", &[]).await.check(3, &["it has no scheme. It looks like wss://host or ws://host:7880"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_working_server_is_well() {
    let site = Site::plain().await;
    let ran = doctor(&site.url(), &[]).await;
    ran.check(
        0,
        &[
            "– TLS         the URL asks for none",
            "✓ Token       accepted as `trackyard-",
            "✓ Signalling  v1, server 1.",
            &format!("✓ ICE         udp 127.0.0.1:{} answers in ", site.udp_port()),
            &format!("✓ ICE         tcp 127.0.0.1:{} answers in ", site.tcp_port()),
            "– TURN        the server names no relay",
            "✓ Connection  up with one peer connection, over udp from 127.0.0.1:",
            "✓ Channels    _reliable, _lossy and _data_track are open",
            "✓ Echo        a frame of 100 bytes comes back",
            "✓ Echo        a frame of 100000 bytes comes back",
            "\nEverything works.\n",
        ],
    );
    assert!(!ran.out.contains("warning:"), "{}", ran.out);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_what_needs_none_is_examined() {
    let site = Site::plain().await;
    // No name of loopback, so no development key is assumed; systems connect it there all the same.
    let ran = run(&[&site.url().replace("127.0.0.1", "0.0.0.0")], &[]).await;
    ran.check(
        3,
        &[
            "✓ TCP ",
            "✗ Token       there is none to show",
            "– Signalling  not looked at",
            "Token failed. So far all is well. For the rest a token is needed: nothing to join with",
        ],
    );
    site.stop().await;
}
