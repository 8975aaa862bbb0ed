//! Receives batches of datagrams.

use std::array;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef};

use super::UdpPort;

/// The kernel joins datagrams of one sender up to this size.
const BUFFER_BYTES: usize = 65_536;

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
    /// How long it was in the socket, if the system tells; a clock that is set meanwhile makes it wrong.
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
            let waited = meta.timestamp.map_or(Duration::ZERO, |at| self.filled_at.saturating_sub(at));
            whole.chunks(meta.stride.max(1)).map(move |contents| Received {
                source: meta.addr,
                local: meta.dst_ip,
                waited,
                contents,
            })
        })
    }
}
