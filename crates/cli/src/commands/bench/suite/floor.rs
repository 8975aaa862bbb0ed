//! What this machine takes for one packet, whatever a server does.

use std::io::ErrorKind;
use std::net::UdpSocket;

use anyhow::{Context, Result, anyhow};
use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use quinn_udp::{Transmit, UdpSocketState};
use trackyard_bench::suite::Floor;

/// As long as a packet of 1,000 bytes of payload is on the wire.
const DATAGRAM_BYTES: usize = 1_100;
/// Datagrams between two looks at the receiver, whose buffer holds more.
const BATCH: usize = 32;
const BATCHES: usize = 400;
const SEALS: u32 = 20_000;

/// CPU time of this thread for each, what the kernel does for the receiver on the way included.
pub(super) fn measure() -> Result<Floor> {
    let sockets = Sockets::open().context("no socket for the floor of the machine")?;
    let send_us = sockets.cost(|sockets| sockets.send_each())?;
    let send_gso_us = if sockets.state.max_gso_segments() >= BATCH {
        Some(sockets.cost(|sockets| sockets.send_at_once())?)
    } else {
        None
    };
    Ok(Floor { datagram_bytes: DATAGRAM_BYTES, send_us, send_gso_us, seal_us: seal_us()? })
}

/// A sender and a receiver on loopback.
struct Sockets {
    source: UdpSocket,
    sink: UdpSocket,
    state: UdpSocketState,
    payload: Vec<u8>,
}

impl Sockets {
    fn open() -> Result<Self> {
        let [source, sink] = [UdpSocket::bind(("127.0.0.1", 0))?, UdpSocket::bind(("127.0.0.1", 0))?];
        source.connect(sink.local_addr()?)?;
        sink.set_nonblocking(true)?;
        let state = UdpSocketState::new((&source).into())?;
        Ok(Self { source, sink, state, payload: vec![7; DATAGRAM_BYTES * BATCH] })
    }

    fn send_each(&self) -> Result<()> {
        for datagram in self.payload.chunks(DATAGRAM_BYTES) {
            self.source.send(datagram)?;
        }
        Ok(())
    }

    fn send_at_once(&self) -> Result<()> {
        let transmit = Transmit {
            destination: self.sink.local_addr()?,
            ecn: None,
            contents: &self.payload,
            segment_size: Some(DATAGRAM_BYTES),
            src_ip: None,
        };
        Ok(self.state.try_send((&self.source).into(), &transmit)?)
    }

    /// Microseconds for each datagram. Receiving them is not counted, and keeps the buffer from filling up.
    fn cost(&self, send: impl Fn(&Self) -> Result<()>) -> Result<f64> {
        let mut spent = 0.0;
        for _ in 0..BATCHES {
            let begun = thread_us();
            send(self)?;
            spent += thread_us() - begun;
            self.drain()?;
        }
        Ok(spent / (BATCH * BATCHES) as f64)
    }

    fn drain(&self) -> Result<()> {
        let mut buffer = [0; DATAGRAM_BYTES];
        loop {
            match self.sink.recv(&mut buffer) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn seal_us() -> Result<f64> {
    let broken = |_| anyhow!("AES-128-GCM is not to be had");
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &[7; 16]).map_err(broken)?);
    let mut payload = vec![7; DATAGRAM_BYTES];
    let begun = thread_us();
    for number in 0..SEALS {
        let mut nonce = [0; 12];
        nonce[..4].copy_from_slice(&number.to_be_bytes());
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = key.seal_in_place_separate_tag(nonce, Aad::empty(), &mut payload).map_err(broken)?;
        // Or the compiler sees that nobody wants it.
        let _ = std::hint::black_box(tag);
    }
    Ok((thread_us() - begun) / f64::from(SEALS))
}

/// CPU time of this thread: others that are busy do not count.
#[cfg(unix)]
fn thread_us() -> f64 {
    use rustix::time::{ClockId, Timespec, clock_gettime};

    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ThreadCPUTime);
    tv_sec as f64 * 1e6 + tv_nsec as f64 / 1e3
}

/// Wall time is as near as this gets.
#[cfg(not(unix))]
fn thread_us() -> f64 {
    use std::sync::LazyLock;
    use std::time::Instant;

    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEGUN.elapsed().as_secs_f64() * 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_takes_some_time_and_less_among_many() {
        let floor = measure().unwrap();
        assert!(floor.send_us > 0.0 && floor.seal_us > 0.0, "{floor:?}");
        assert!(floor.send_gso_us.is_none_or(|gso| gso < floor.send_us), "{floor:?}");
    }
}
