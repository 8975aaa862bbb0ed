//! The public address, asked of servers in this process.

use std::thread;

use super::*;

/// What a server says to a request from an address.
type Answer = fn(&[u8], SocketAddr) -> Vec<u8>;

/// A STUN server on loopback that gives one answer per request, in order.
fn server(answers: Vec<Answer>) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let mut request = [0; 100];
        for answer in answers {
            let (length, from) = socket.recv_from(&mut request).unwrap();
            socket.send_to(&answer(&request[..length], from), from).unwrap();
        }
    });
    address
}

fn response(request: &[u8], kind: u16, value: &[u8]) -> Vec<u8> {
    let mut response = BINDING_SUCCESS.to_be_bytes().to_vec();
    // An attribute of three bytes and its padding comes first, to be skipped.
    response.extend(u16::try_from(8 + 4 + value.len()).unwrap().to_be_bytes());
    response.extend(&request[4..20]);
    response.extend([0x80, 0x22, 0, 3, b'a', b'b', b'c', 0]);
    response.extend(kind.to_be_bytes());
    response.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
    response.extend(value);
    response
}

fn masked(request: &[u8], _: SocketAddr) -> Vec<u8> {
    let bits = u32::from(Ipv4Addr::new(203, 0, 113, 7)) ^ MAGIC_COOKIE;
    let mut value = vec![0, 1, 0, 0];
    value.extend(bits.to_be_bytes());
    response(request, XOR_MAPPED_ADDRESS, &value)
}

fn plain(request: &[u8], _: SocketAddr) -> Vec<u8> {
    response(request, MAPPED_ADDRESS, &[0, 1, 0, 0, 198, 51, 100, 9])
}

fn foreign(request: &[u8], from: SocketAddr) -> Vec<u8> {
    let mut answer = masked(request, from);
    answer[8] ^= 1;
    answer
}

fn check(answers: Vec<Answer>, expected: [u8; 4]) {
    let found = discover(Ipv4Addr::LOCALHOST.into(), &[server(answers)]).unwrap();
    assert_eq!(found, IpAddr::from(expected));
}

#[test]
fn the_address_that_a_server_sees_is_found() {
    check(vec![masked], [203, 0, 113, 7]);
    check(vec![plain], [198, 51, 100, 9]);
}

#[test]
fn an_answer_to_another_request_is_left_aside() {
    check(vec![foreign, masked], [203, 0, 113, 7]);
}

#[test]
fn silence_ends_with_advice() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let error = discover(Ipv4Addr::LOCALHOST.into(), std::slice::from_ref(&address)).unwrap_err();
    let expected = format!(
        "no answer from {address} within 2 s; set `rtc.node_ip` to the public address, or `rtc.stun_servers` to servers that can be reached"
    );
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_server_without_an_address_of_the_family_is_not_asked() {
    let error = discover(Ipv4Addr::LOCALHOST.into(), &["[::1]:3478".to_owned()]).unwrap_err();
    assert!(matches!(error, ExternalIpError::NoServer { .. }), "{error}");
}

#[test]
fn an_ipv6_address_is_masked_with_the_transaction() {
    let transaction: TransactionId = std::array::from_fn(|index| u8::try_from(index).unwrap());
    let address: Ipv6Addr = "2001:db8::7".parse().unwrap();
    let mut value = vec![0, 2, 0, 0];
    value.extend((address.to_bits() ^ mask_v6(&transaction)).to_be_bytes());
    let answer = response(&binding_request(&transaction), XOR_MAPPED_ADDRESS, &value);
    assert_eq!(mapped_address(&answer, &transaction), Some(address.into()));
}

#[test]
fn no_datagram_makes_it_panic() {
    let transaction = [7; 12];
    let whole = masked(&binding_request(&transaction), "127.0.0.1:1".parse().unwrap());
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..50_000 {
        let mut datagram = whole.clone();
        for _ in 0..random.usize(..4) {
            let index = random.usize(..datagram.len());
            datagram[index] = random.u8(..);
        }
        datagram.truncate(random.usize(..=datagram.len()));
        let _ = mapped_address(&datagram, &transaction);
    }
    assert!(mapped_address(&whole, &transaction).is_some());
}
