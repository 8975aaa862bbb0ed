//! The ways of data.

use tokio::net::{TcpListener, UdpSocket};

use super::gateway::{Gateway, Manner};
use super::support::{Site, doctor, free_port};

/// Takes everything, and says nothing.
struct BlackHole {
    udp: UdpSocket,
    tcp: TcpListener,
}

impl BlackHole {
    async fn open() -> Self {
        Self {
            udp: UdpSocket::bind("127.0.0.1:0").await.unwrap(),
            tcp: TcpListener::bind("127.0.0.1:0").await.unwrap(),
        }
    }

    fn udp_port(&self) -> u16 {
        self.udp.local_addr().unwrap().port()
    }

    fn tcp_port(&self) -> u16 {
        self.tcp.local_addr().unwrap().port()
    }
}

async fn gateway(site: &Site, ports: &[(u16, u16)]) -> Gateway {
    Gateway::start(site.http(), Manner { ports: ports.to_vec(), ..Manner::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn udp_that_is_blocked_is_a_warning_where_tcp_works() {
    let (site, hole) = (Site::plain().await, BlackHole::open().await);
    let gateway = gateway(&site, &[(site.udp_port(), hole.udp_port())]).await;
    let ran = doctor(&gateway.url("ws"), &[]).await;
    ran.check(
        0,
        &[
            &format!("✗ ICE         udp 127.0.0.1:{} gives no answer", hole.udp_port()),
            &format!("✓ ICE         tcp 127.0.0.1:{} answers in ", site.tcp_port()),
            &format!(
                "✓ Connection  up with one peer connection, over tcp from 127.0.0.1 to 127.0.0.1:{}",
                site.tcp_port()
            ),
            "✓ Echo        a frame of 100000 bytes comes back",
            "warning: UDP is blocked: data goes over TCP, which works, but worse",
            &format!("Open UDP port {}.", hole.udp_port()),
            "It works, but worse than it could: see the warnings.",
        ],
    );
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn udp_that_is_blocked_is_a_failure_where_there_is_no_tcp() {
    let (site, hole) = (Site::start("", ", tcp_port: 0").await, BlackHole::open().await);
    let gateway = gateway(&site, &[(site.udp_port(), hole.udp_port())]).await;
    let ran = doctor(&gateway.url("ws"), &[]).await;
    ran.check(
        3,
        &[
            &format!("✗ ICE         udp 127.0.0.1:{} gives no answer", hole.udp_port()),
            "✗ Connection  signalling works, and no connection for data comes up",
            "– Echo        not looked at",
            "ICE failed. UDP is blocked, and the server names no TCP address",
            &format!("Open UDP port {} in the firewalls", hole.udp_port()),
            "rtc.tcp_port",
        ],
    );
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tcp_that_is_blocked_is_a_warning_where_udp_works() {
    let (site, hole) = (Site::plain().await, BlackHole::open().await);
    let swallowed = gateway(&site, &[(site.tcp_port(), hole.tcp_port())]).await;
    let ran = doctor(&swallowed.url("ws"), &[]).await;
    ran.check(0, &[
        &format!("✓ ICE         udp 127.0.0.1:{} answers in ", site.udp_port()),
        &format!("✗ ICE         tcp 127.0.0.1:{} connects, and gives no answer", hole.tcp_port()),
        "✓ Echo        a frame of 100000 bytes comes back",
        "warning: TCP is blocked: data goes over UDP, which is best, but clients in networks that drop UDP cannot",
        &format!("Open TCP port {}.", hole.tcp_port()),
    ]);
    let closed = free_port();
    let refused = gateway(&site, &[(site.tcp_port(), closed)]).await;
    let ran = doctor(&refused.url("ws"), &[]).await;
    let line = format!("✗ ICE         tcp 127.0.0.1:{closed} is refused: nothing listens there");
    ran.check(0, &[&line, "warning: TCP is blocked"]);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn udp_and_tcp_that_are_blocked_are_a_failure() {
    let (site, hole) = (Site::plain().await, BlackHole::open().await);
    let ports = [(site.udp_port(), hole.udp_port()), (site.tcp_port(), hole.tcp_port())];
    let ran = doctor(&gateway(&site, &ports).await.url("ws"), &[]).await;
    let open = format!("Open UDP port {} and TCP port {} in the firewalls", hole.udp_port(), hole.tcp_port());
    ran.check(3, &["ICE failed. UDP and TCP are blocked: signalling works", &open]);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_ip_that_is_wrong_is_told() {
    for node_ip in ["192.0.2.1", "203.0.113.7"] {
        let rtc = format!(", tcp_port: {}, node_ip: {node_ip}", free_port());
        let site = Site::start("", &rtc).await;
        let ran = doctor(&site.url(), &[]).await;
        ran.check(3, &[
            &format!("✗ ICE         udp {node_ip}:"),
            &format!("✗ ICE         tcp {node_ip}:"),
            "ICE failed. The server's node_ip is wrong: it is reached at 127.0.0.1, and tells clients to send data to",
            &format!("{node_ip}, an address for examples"),
            "Set `rtc.node_ip` to the address by which clients reach the server",
            "`rtc.use_external_ip: true`",
        ]);
        site.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_knows_the_older_route_alone_is_well() {
    let site = Site::plain().await;
    let gateway = Gateway::start(site.http(), Manner { is_old: true, ..Manner::default() }).await;
    let ran = doctor(&gateway.url("ws"), &[]).await;
    ran.check(
        0,
        &[
            "✓ Signalling  v0, server 1.",
            &format!("✓ ICE         udp 127.0.0.1:{} answers in ", site.udp_port()),
            "✓ Connection  up with two peer connections, over udp from 127.0.0.1:",
            "✓ Echo        a frame of 100000 bytes comes back",
            "\nEverything works.\n",
        ],
    );
    site.stop().await;
}
