//! Whether the server answers at a candidate.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout, timeout_at};

use super::stun::{Credentials, Reply, Request};
use super::{Candidate, CandidateTransport, ReachError, reach};

/// A request over UDP is repeated after this, then after twice as long, and so on.
const REPEAT_FIRST: Duration = Duration::from_millis(200);
/// Longer than any answer.
const ANSWER_BYTES_MAX: usize = 2 * 1024;

/// What has become of a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProbeOutcome {
    /// The server of this session answers there.
    Answered {
        /// From the request to its answer; for TCP without opening the connection.
        round_trip: Duration,
        /// The address of this client, as the server sees it.
        seen_as: Option<SocketAddr>,
    },
    /// The machine is there, and nothing listens on that port.
    Refused,
    /// There is no way there.
    Unreachable {
        /// In the system's words.
        message: String,
    },
    /// Nothing comes back.
    NoAnswer {
        /// How long was waited.
        limit: Duration,
    },
    /// A TCP connection is opened, and then nothing comes back.
    Silent {
        /// How long was waited.
        limit: Duration,
    },
    /// Something answers, and it is not this server.
    Stranger {
        /// What gives it away.
        message: String,
    },
    /// A name stands for the address.
    Unresolved,
    /// This machine cannot ask.
    Failed {
        /// In the system's words.
        message: String,
    },
}

impl ProbeOutcome {
    /// Whether the server answers there.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        matches!(self, Self::Answered { .. })
    }
}

/// Asks at a candidate.
pub(super) async fn probe(candidate: &Candidate, credentials: &Credentials, limit: Duration) -> ProbeOutcome {
    let Some(address) = candidate.address() else { return ProbeOutcome::Unresolved };
    let request = match Request::new(credentials) {
        Ok(request) => request,
        Err(error) => return ProbeOutcome::Failed { message: error.to_string() },
    };
    match candidate.transport {
        CandidateTransport::Udp => {
            over_udp(address, &request, limit).await.unwrap_or_else(|error| failed(&error, limit))
        }
        CandidateTransport::Tcp => over_tcp(address, &request, limit).await,
    }
}

async fn over_udp(address: SocketAddr, request: &Request, limit: Duration) -> io::Result<ProbeOutcome> {
    let any = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).await?;
    // What the network refuses comes back as an error of a connected socket alone.
    socket.connect(address).await?;
    let until = Instant::now() + limit;
    let mut pause = REPEAT_FIRST;
    let mut buffer = [0; ANSWER_BYTES_MAX];
    while Instant::now() < until {
        let sent = Instant::now();
        socket.send(&request.bytes).await?;
        let next = (sent + pause).min(until);
        pause *= 2;
        while let Ok(received) = timeout_at(next, socket.recv(&mut buffer)).await {
            if let Some(outcome) = outcome(request.reply(&buffer[..received?]), sent) {
                return Ok(outcome);
            }
        }
    }
    Ok(ProbeOutcome::NoAnswer { limit })
}

async fn over_tcp(address: SocketAddr, request: &Request, limit: Duration) -> ProbeOutcome {
    let until = Instant::now() + limit;
    let stream = match reach::connect(address, limit).await {
        Ok(stream) => stream,
        Err(ReachError::Refused) => return ProbeOutcome::Refused,
        Err(ReachError::NoAnswer { limit }) => return ProbeOutcome::NoAnswer { limit },
        Err(ReachError::Unreachable { message } | ReachError::Failed { message }) => {
            return ProbeOutcome::Unreachable { message };
        }
    };
    let rest = until.saturating_duration_since(Instant::now());
    match timeout(rest, converse(stream, request)).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => ProbeOutcome::Stranger { message: format!("the connection broke ({error})") },
        Err(_) => ProbeOutcome::Silent { limit },
    }
}

/// Frames are preceded by their length (RFC 4571).
async fn converse(mut stream: TcpStream, request: &Request) -> io::Result<ProbeOutcome> {
    stream.set_nodelay(true)?;
    let length = u16::try_from(request.bytes.len()).map_err(io::Error::other)?;
    let sent = Instant::now();
    stream.write_all(&[&length.to_be_bytes()[..], &request.bytes].concat()).await?;
    loop {
        let length = usize::from(stream.read_u16().await?);
        if length > ANSWER_BYTES_MAX {
            return Ok(ProbeOutcome::Stranger { message: "it does not speak ICE over TCP".to_owned() });
        }
        let mut frame = vec![0; length];
        stream.read_exact(&mut frame).await?;
        if let Some(outcome) = outcome(request.reply(&frame), sent) {
            return Ok(outcome);
        }
    }
}

fn outcome(reply: Reply, sent: Instant) -> Option<ProbeOutcome> {
    match reply {
        Reply::Answered(seen_as) => Some(ProbeOutcome::Answered { round_trip: sent.elapsed(), seen_as }),
        Reply::Stranger(message) => Some(ProbeOutcome::Stranger { message }),
        Reply::Other => None,
    }
}

fn failed(error: &io::Error, limit: Duration) -> ProbeOutcome {
    match reach::reach_error(error, limit) {
        ReachError::Refused => ProbeOutcome::Refused,
        ReachError::NoAnswer { limit } => ProbeOutcome::NoAnswer { limit },
        ReachError::Unreachable { message } => ProbeOutcome::Unreachable { message },
        ReachError::Failed { message } => ProbeOutcome::Failed { message },
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(300);

    async fn ask(transport: CandidateTransport, address: SocketAddr) -> ProbeOutcome {
        let credentials = Credentials {
            remote_ufrag: "srv".to_owned(),
            remote_password: "a password of a server".to_owned(),
            local_ufrag: "cli".to_owned(),
        };
        let candidate = Candidate { transport, host: address.ip().to_string(), port: address.port() };
        probe(&candidate, &credentials, LIMIT).await
    }

    #[tokio::test]
    async fn a_black_hole_does_not_answer() {
        let hole = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let outcome = ask(CandidateTransport::Udp, hole.local_addr().unwrap()).await;
        assert_eq!(outcome, ProbeOutcome::NoAnswer { limit: LIMIT });
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let outcome = ask(CandidateTransport::Tcp, silent.local_addr().unwrap()).await;
        assert_eq!(outcome, ProbeOutcome::Silent { limit: LIMIT });
    }

    #[tokio::test]
    async fn a_closed_port_refuses() {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        assert_eq!(ask(CandidateTransport::Udp, udp).await, ProbeOutcome::Refused);
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        assert_eq!(ask(CandidateTransport::Tcp, tcp).await, ProbeOutcome::Refused);
    }

    #[tokio::test]
    async fn a_stranger_is_told_apart() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (outcome, ()) = tokio::join!(ask(CandidateTransport::Tcp, address), async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"SSH-2.0-OpenSSH\r\n").await.unwrap();
        });
        assert!(matches!(outcome, ProbeOutcome::Stranger { .. }), "{outcome:?}");
    }
}
