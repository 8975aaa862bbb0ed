//! Chunks in packets (RFC 9260 §3), as far as they matter here.

use bytes::Bytes;

/// Ports, verification tag and checksum.
const HEADER_BYTES: usize = 12;
const CHUNK_HEADER_BYTES: usize = 4;
/// Parameters of an INIT begin behind its fixed part.
const INIT_FIXED_BYTES: usize = 16;
/// RFC 3758 §3.1: the sender knows FORWARD-TSN.
const FORWARD_TSN_SUPPORTED: u16 = 0xc000;
/// RFC 5061 §4.2.7: a list of chunk types the sender knows.
const SUPPORTED_EXTENSIONS: u16 = 0x8008;
const FORWARD_TSN: u8 = 192;
const SACK: u8 = 3;
/// What opens and confirms channels (RFC 8832 §8.1).
const PPI_DCEP: u32 = 50;

const CHECKSUM: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI);

/// What a chunk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChunkKind {
    Data,
    /// INIT or INIT ACK.
    Init,
    Sack,
    ForwardTsn,
    Other,
}

/// A chunk of a packet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk<'r> {
    pub(super) kind: ChunkKind,
    flags: u8,
    body: &'r [u8],
    /// Header, body and padding.
    whole: &'r [u8],
}

/// What a DATA chunk says of itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Data {
    pub(super) tsn: u32,
    pub(super) stream: u16,
    pub(super) bytes: u16,
    pub(super) is_unordered: bool,
    pub(super) is_end: bool,
    /// It opens or confirms a channel.
    pub(super) opens: bool,
}

/// What a side has: all up to a number, and of those after it the ranges named, counted from it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sack {
    pub(super) cumulative: u32,
    pub(super) window: u32,
    pub(super) gaps: Vec<(u16, u16)>,
}

impl Chunk<'_> {
    /// The 32-bit number at that place of the body; 0 if there is none.
    pub(super) fn number(&self, at: usize) -> u32 {
        let bytes = self.body.get(at..).and_then(|rest| rest.first_chunk());
        bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes))
    }

    fn short(&self, at: usize) -> u16 {
        let bytes = self.body.get(at..).and_then(|rest| rest.first_chunk());
        bytes.map_or(0, |bytes| u16::from_be_bytes(*bytes))
    }

    /// Of a DATA chunk.
    pub(super) fn data(&self) -> Option<Data> {
        (self.body.len() >= 12).then(|| Data {
            tsn: self.number(0),
            stream: self.short(4),
            bytes: u16::try_from(self.body.len() - 12).unwrap_or(u16::MAX),
            is_unordered: self.flags & 4 != 0,
            is_end: self.flags & 1 != 0,
            opens: self.number(8) == PPI_DCEP,
        })
    }

    /// Of a SACK chunk.
    pub(super) fn sack(&self) -> Option<Sack> {
        let count = usize::from(self.short(8));
        (self.body.len() >= 12 + 4 * count).then(|| Sack {
            cumulative: self.number(0),
            window: self.number(4),
            gaps: (0..count).map(|gap| (self.short(12 + 4 * gap), self.short(14 + 4 * gap))).collect(),
        })
    }

    /// Of an INIT or INIT ACK chunk.
    pub(super) fn knows_forward_tsn(&self) -> bool {
        let mut rest = self.body.get(INIT_FIXED_BYTES..).unwrap_or_default();
        while let Some(([a, b, c, d], _)) = rest.split_first_chunk() {
            let length = usize::from(u16::from_be_bytes([*c, *d]));
            let Some(value) = rest.get(4..length) else { return false };
            match u16::from_be_bytes([*a, *b]) {
                FORWARD_TSN_SUPPORTED => return true,
                SUPPORTED_EXTENSIONS if value.contains(&FORWARD_TSN) => return true,
                _ => rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default(),
            }
        }
        false
    }
}

/// The chunks of a packet, up to one that is cut short.
pub(super) fn chunks(record: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    let mut rest = record.get(HEADER_BYTES..).unwrap_or_default();
    std::iter::from_fn(move || {
        let &[kind, flags, high, low] = rest.first_chunk()?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let body = rest.get(CHUNK_HEADER_BYTES..length)?;
        let (whole, after) = rest.split_at(length.next_multiple_of(4).min(rest.len()));
        rest = after;
        Some(Chunk { kind: ChunkKind::of(kind), flags, body, whole })
    })
}

impl ChunkKind {
    fn of(kind: u8) -> Self {
        match kind {
            0 => Self::Data,
            1 | 2 => Self::Init,
            SACK => Self::Sack,
            FORWARD_TSN => Self::ForwardTsn,
            _ => Self::Other,
        }
    }
}

/// A packet with nothing but a SACK.
pub(super) fn acknowledgement(head: &[u8], sack: &Sack) -> Bytes {
    let mut packet = begin(head);
    write_sack(&mut packet, sack);
    finish(packet)
}

/// A packet of these chunks with another SACK in the place of theirs.
pub(super) fn packet<'r>(head: &[u8], chunks: impl Iterator<Item = Chunk<'r>>, sack: &Sack) -> Bytes {
    let mut packet = begin(head);
    for chunk in chunks {
        if chunk.kind == ChunkKind::Sack {
            write_sack(&mut packet, sack);
        } else {
            packet.extend_from_slice(chunk.whole);
        }
    }
    finish(packet)
}

/// A packet that tells its receiver to skip what it misses up to this number. What keeps no order names no streams.
pub(super) fn forward_tsn(head: &[u8], tsn: u32) -> Bytes {
    let mut packet = begin(head);
    packet.extend_from_slice(&[FORWARD_TSN, 0, 0, 8]);
    packet.extend_from_slice(&tsn.to_be_bytes());
    finish(packet)
}

fn write_sack(packet: &mut Vec<u8>, sack: &Sack) {
    let count = u16::try_from(sack.gaps.len()).unwrap_or(u16::MAX);
    packet.extend_from_slice(&[SACK, 0]);
    packet.extend_from_slice(&(16_u16.saturating_add(count.saturating_mul(4))).to_be_bytes());
    packet.extend_from_slice(&sack.cumulative.to_be_bytes());
    packet.extend_from_slice(&sack.window.to_be_bytes());
    packet.extend_from_slice(&count.to_be_bytes());
    packet.extend_from_slice(&[0, 0]);
    for (start, end) in &sack.gaps {
        packet.extend_from_slice(&start.to_be_bytes());
        packet.extend_from_slice(&end.to_be_bytes());
    }
}

fn begin(head: &[u8]) -> Vec<u8> {
    let mut packet = Vec::with_capacity(64);
    packet.extend_from_slice(head);
    packet.extend_from_slice(&[0; 4]);
    packet
}

fn finish(mut packet: Vec<u8>) -> Bytes {
    let checksum = CHECKSUM.checksum(&packet);
    packet[8..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
    packet.into()
}
