//! What the machine needs for one datagram, whatever the server does.

use std::net::UdpSocket;
use std::time::Instant;

use anyhow::Result;

use crate::report::Table;
use crate::table;

/// As long as a data-track packet of 1,000 bytes is on the wire.
const DATAGRAM_BYTES: usize = 1_100;
const DATAGRAMS: u32 = 100_000;

/// One send of a datagram on loopback, what the kernel does for its receiver included.
pub(crate) fn measure() -> Result<Table> {
    let sink = UdpSocket::bind(("127.0.0.1", 0))?;
    let source = UdpSocket::bind(("127.0.0.1", 0))?;
    source.connect(sink.local_addr()?)?;
    let datagram = [7; DATAGRAM_BYTES];
    let begun = Instant::now();
    for _ in 0..DATAGRAMS {
        source.send(&datagram)?;
    }
    let each = begun.elapsed() / DATAGRAMS;
    let what = format!("one send of {DATAGRAM_BYTES} bytes over UDP on loopback");
    Ok(table("Floor of this machine", vec![[what, format!("{each:.1?}")]]))
}
