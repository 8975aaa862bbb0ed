//! Bad input beside a bystander that loses nothing.

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::time::Duration;

use trackyard_sfu::control::WorkerId;

use crate::client::{Link, PATIENCE, until};
use crate::site::{Site, config, packet};

/// Reads until the other side closes.
fn wait_for_close(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut buffer = [0; 100];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return,
            Err(error) => panic!("still open: {error}"),
        }
    }
}

#[test]
fn garbage_on_udp_harms_no_bystander() {
    let mut site = Site::start(&config(1));
    let mut publisher = site.join(WorkerId(0), Link::udp());
    let mut subscriber = site.join(WorkerId(0), Link::udp());
    site.connect((&publisher, 7), (&subscriber, 9));
    let before = site.stats(WorkerId(0));
    let noise = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut stun = vec![0, 1, 0, 12, 0x21, 0x12, 0xA4, 0x42];
    stun.extend([0; 12]);
    stun.extend([0, 6, 0, 5, b'n', b'o', b':', b'n', b'e', 0, 0, 0]);
    for number in 0..100 {
        for garbage in [&b"\xff\xff"[..], b"\x00", &stun, b"\x16\xfe\xfd", &[0x80; 60]] {
            noise.send_to(garbage, site.udp()).unwrap();
        }
        publisher.client.publish(&packet(7, number, b"x"));
        until("each frame", &mut [&mut publisher.client, &mut subscriber.client], |clients| {
            clients[1].received.len() == usize::from(number) + 1
        });
    }
    site.wait("counters", |stats| {
        let (core, net) = (&stats[0].core, &stats[0].net);
        let garbage = core.garbage_unknown_protocol + core.garbage_malformed_stun;
        let foreign = core.datagrams_foreign - before.core.datagrams_foreign;
        // Garbage counts as unclaimed too: it is for nobody.
        garbage == 200 && foreign == 300 && net.unclaimed - before.net.unclaimed == 500
    });
}

#[test]
fn tcp_without_a_known_greeting_is_closed() {
    let mut config = config(1);
    config.tcp_greeting_max = Duration::from_millis(300);
    let site = Site::start(&config);
    let connect = || TcpStream::connect(site.tcp()).unwrap();
    for greeting in [&b"\x00\x04GET "[..], b"\xff\xff", b"\x00\x00", b"\x00\x03\x16\xfe\xfd"] {
        let mut stream = connect();
        stream.write_all(greeting).unwrap();
        wait_for_close(&mut stream);
    }
    let mut silent = connect();
    let mut slow = connect();
    slow.write_all(b"\x00\x40\x00").unwrap();
    wait_for_close(&mut silent);
    wait_for_close(&mut slow);
    site.wait("counters", |stats| {
        let net = &stats[0].net;
        (net.tcp_accepted, net.tcp_unclaimed, net.tcp_ended, net.tcp_timed_out) == (6, 3, 1, 2)
            && stats[0].tcp_connections == 0
    });
}

#[test]
fn connections_of_one_address_are_bounded() {
    let mut config = config(1);
    config.tcp_connections_per_address_max = 3;
    let site = Site::start(&config);
    let kept: Vec<TcpStream> = (0..3).map(|_| TcpStream::connect(site.tcp()).unwrap()).collect();
    site.wait("three", |stats| stats[0].tcp_connections == 3);
    wait_for_close(&mut TcpStream::connect(site.tcp()).unwrap());
    site.wait("the refusal", |stats| stats[0].net.tcp_refused == 1);
    drop(kept);
    site.wait("their end", |stats| stats[0].tcp_connections == 0);
    let _again = TcpStream::connect(site.tcp()).unwrap();
    site.wait("a place", |stats| stats[0].tcp_connections == 1);
}
