//! Asks STUN servers under which address this machine is seen from outside (RFC 8489, Binding only).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::{Duration, Instant};

/// How long all servers together may take.
const WAIT_MAX: Duration = Duration::from_secs(2);
/// A request is repeated after this, as datagrams get lost.
const REPEAT: Duration = Duration::from_millis(400);
/// Servers that are asked.
const SERVERS_MAX: usize = 8;

/// Public servers, asked when none is configured.
const SERVERS_DEFAULT: [&str; 3] =
    ["global.stun.twilio.com:3478", "stun.l.google.com:19302", "stun1.l.google.com:19302"];

const MAGIC_COOKIE: u32 = 0x2112_A442;
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const MAPPED_ADDRESS: u16 = 0x0001;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const HEADER_BYTES: usize = 20;

type TransactionId = [u8; 12];

/// Why the public address is not known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExternalIpError {
    /// No server has an address of this family.
    #[error(
        "no address is known for {servers}; set `rtc.node_ip` to the public address, or `rtc.stun_servers` to servers that can be reached"
    )]
    NoServer {
        /// Who should have been asked.
        servers: String,
    },
    /// Nobody answered in time.
    #[error("no answer from {servers} within {} s; set `rtc.node_ip` to the public address, or `rtc.stun_servers` to servers that can be reached", WAIT_MAX.as_secs())]
    NoAnswer {
        /// Who was asked.
        servers: String,
    },
    /// The machine does not let us ask.
    #[error("STUN cannot be asked from {local}; set `rtc.node_ip` to the public address")]
    Socket {
        /// From which address.
        local: IpAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Whom to ask.
pub(super) fn servers(configured: &[String]) -> Vec<String> {
    match configured {
        [] => SERVERS_DEFAULT.map(str::to_owned).to_vec(),
        configured => configured.iter().take(SERVERS_MAX).cloned().collect(),
    }
}

/// The address under which servers see what is sent from `local`.
///
/// # Errors
/// [`ExternalIpError`], whose text says what to do.
pub(super) fn discover(local: IpAddr, servers: &[String]) -> Result<IpAddr, ExternalIpError> {
    let targets = resolve(local, servers);
    if targets.is_empty() {
        return Err(ExternalIpError::NoServer { servers: servers.join(", ") });
    }
    let asked = ask(local, &targets).map_err(|source| ExternalIpError::Socket { local, source })?;
    asked.ok_or_else(|| ExternalIpError::NoAnswer { servers: servers.join(", ") })
}

/// One address of each server, of the family of `local`.
fn resolve(local: IpAddr, servers: &[String]) -> Vec<SocketAddr> {
    let addresses = servers.iter().filter_map(|server| {
        let mut addresses = server.to_socket_addrs().ok()?;
        addresses.find(|address| address.is_ipv4() == local.is_ipv4())
    });
    addresses.collect()
}

fn ask(local: IpAddr, targets: &[SocketAddr]) -> io::Result<Option<IpAddr>> {
    let socket = UdpSocket::bind((local, 0))?;
    let transaction: TransactionId = std::array::from_fn(|_| fastrand::u8(..));
    let deadline = Instant::now() + WAIT_MAX;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        send(&socket, targets, &transaction)?;
        if let Some(address) = receive(&socket, targets, &transaction, REPEAT.min(left))? {
            return Ok(Some(address));
        }
    }
}

/// Asks everybody at once. That one cannot be reached does not matter while another can.
fn send(socket: &UdpSocket, targets: &[SocketAddr], transaction: &TransactionId) -> io::Result<()> {
    let request = binding_request(transaction);
    let sent: Vec<io::Result<usize>> =
        targets.iter().map(|target| socket.send_to(&request, target)).collect();
    if sent.iter().any(Result::is_ok) {
        return Ok(());
    }
    sent.into_iter().try_for_each(|result| result.map(|_| ()))
}

/// The first answer within `wait`; anything else that arrives is left aside.
fn receive(
    socket: &UdpSocket,
    targets: &[SocketAddr],
    transaction: &TransactionId,
    wait: Duration,
) -> io::Result<Option<IpAddr>> {
    let until = Instant::now() + wait;
    let mut datagram = [0; 1500];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        socket.set_read_timeout(Some(left))?;
        match socket.recv_from(&mut datagram) {
            Ok((length, from)) if targets.contains(&from) => {
                if let Some(address) = mapped_address(&datagram[..length], transaction) {
                    return Ok(Some(address));
                }
            }
            Ok(_) => {}
            Err(error) if timed_out(&error) => return Ok(None),
            // A server that is not there shows as a refused datagram; others may still answer.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(error) => return Err(error),
        }
    }
}

fn timed_out(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn binding_request(transaction: &TransactionId) -> Vec<u8> {
    let mut request = Vec::with_capacity(HEADER_BYTES);
    request.extend(BINDING_REQUEST.to_be_bytes());
    request.extend(0_u16.to_be_bytes());
    request.extend(MAGIC_COOKIE.to_be_bytes());
    request.extend(transaction);
    request
}

/// The address in a success response to our request.
fn mapped_address(datagram: &[u8], transaction: &TransactionId) -> Option<IpAddr> {
    let (header, mut attributes) = datagram.split_at_checked(HEADER_BYTES)?;
    let ours = header[..2] == BINDING_SUCCESS.to_be_bytes()
        && header[4..8] == MAGIC_COOKIE.to_be_bytes()
        && header[8..] == *transaction;
    if !ours {
        return None;
    }
    let mut plain = None;
    while let Some((head, rest)) = attributes.split_at_checked(4) {
        let kind = u16::from_be_bytes([head[0], head[1]]);
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let value = rest.get(..length)?;
        match kind {
            XOR_MAPPED_ADDRESS => return address(value, transaction),
            MAPPED_ADDRESS => plain = address(value, &[0; 12]).map(unmasked),
            _ => {}
        }
        attributes = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    plain
}

/// An address that is masked with the cookie and, for IPv6, the transaction.
fn address(value: &[u8], transaction: &TransactionId) -> Option<IpAddr> {
    let family = *value.get(1)?;
    let bytes = value.get(4..)?;
    match family {
        1 => {
            let bits = u32::from_be_bytes(bytes.try_into().ok()?);
            Some(IpAddr::V4(Ipv4Addr::from_bits(bits ^ MAGIC_COOKIE)))
        }
        2 => {
            let bits = u128::from_be_bytes(bytes.try_into().ok()?);
            Some(IpAddr::V6(Ipv6Addr::from_bits(bits ^ mask_v6(transaction))))
        }
        _ => None,
    }
}

fn mask_v6(transaction: &TransactionId) -> u128 {
    let mut mask = [0; 16];
    mask[..4].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
    mask[4..].copy_from_slice(transaction);
    u128::from_be_bytes(mask)
}

/// Takes the mask off again, for servers that answer with the address as it is.
fn unmasked(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() ^ MAGIC_COOKIE)),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() ^ mask_v6(&[0; 12]))),
    }
}

#[cfg(test)]
mod tests;
