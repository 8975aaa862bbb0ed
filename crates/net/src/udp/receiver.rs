//! Receives batches of datagrams.

use std::array;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef};

use super::UdpPort;

/// The kernel joins datagrams of one sender up to this size.
const BUFFER_BYTES: usize = 65_536;

/// Longer than any process stands still and goes on: the clock was set meanwhile.
const WAITED_MAX: Duration = Duration::from_secs(60);

/// One batch, reused.
#[derive(Debug)]
pub(crate) struct Receiver {
    buffers: Box<[u8]>,
    metas: [RecvMeta; BATCH_SIZE],
    filled: usize,
    /// When, since 1970, as the kernel's timestamps are.
    filled_at: Duration,
}

/// A datagram of the batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Received<'a> {
    pub(crate) source: SocketAddr,
    /// Which address of this machine it was sent to, if the system tells.
    pub(crate) local: Option<IpAddr>,
    /// How long it was in the socket, if the system tells; a clock that is set by less than a minute meanwhile makes it wrong.
    pub(crate) waited: Duration,
    pub(crate) contents: &'a [u8],
}

impl Receiver {
    pub(crate) fn new() -> Self {
        Self {
            buffers: vec![0; BATCH_SIZE * BUFFER_BYTES].into_boxed_slice(),
            metas: [RecvMeta::default(); BATCH_SIZE],
            filled: 0,
            filled_at: Duration::ZERO,
        }
    }

    /// Receives once; what was received before is forgotten.
    pub(crate) fn fill(&mut self, port: &UdpPort) -> io::Result<()> {
        self.filled = 0;
        let mut chunks = self.buffers.chunks_exact_mut(BUFFER_BYTES);
        let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
            array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        self.filled = port.state.recv(UdpSockRef::from(&port.socket), &mut slices, &mut self.metas)?;
        self.filled_at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(())
    }

    /// The socket held less than a batch, so that asking once more would only tell that it is empty: what comes from now on is
    /// told anew, since readiness is told by its edges. Where batches are of one, nobody knows.
    pub(crate) fn has_drained(&self) -> bool {
        (1..BATCH_SIZE).contains(&self.filled)
    }

    /// The datagrams of the batch, those joined by the kernel cut apart.
    pub(crate) fn datagrams(&self) -> impl Iterator<Item = Received<'_>> {
        let metas = self.metas[..self.filled].iter();
        self.buffers.chunks_exact(BUFFER_BYTES).zip(metas).flat_map(|(buffer, meta)| {
            let whole = &buffer[..meta.len.min(BUFFER_BYTES)];
            let waited = waited(meta.timestamp, self.filled_at);
            whole.chunks(meta.stride.max(1)).map(move |contents| Received {
                source: meta.addr,
                local: meta.dst_ip,
                waited,
                contents,
            })
        })
    }
}

/// Both since 1970, by a clock that can be set.
fn waited(received: Option<Duration>, now: Duration) -> Duration {
    let waited = received.map_or(Duration::ZERO, |received| now.saturating_sub(received));
    if waited > WAITED_MAX { Duration::ZERO } else { waited }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_makes_no_datagram_old() {
        let now = Duration::from_secs(1_000_000);
        for (received, expected) in [(None, 0), (Some(999_988), 12), (Some(1_000_100), 0), (Some(996_400), 0)]
        {
            assert_eq!(waited(received.map(Duration::from_secs), now), Duration::from_secs(expected));
        }
    }
}
