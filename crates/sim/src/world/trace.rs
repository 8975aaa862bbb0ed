//! One number for all that went over the network.

use std::net::SocketAddr;
use std::time::Duration;

const OFFSET: u64 = 0xCBF2_9CE4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01B3;

/// A digest of datagrams and their times (FNV-1a over words), kept only when asked for.
#[derive(Debug, Default)]
pub(super) struct Trace {
    digest: Option<u64>,
}

impl Trace {
    pub(super) fn record(&mut self) {
        self.digest.get_or_insert(OFFSET);
    }

    pub(super) fn digest(&self) -> u64 {
        self.digest.unwrap_or_default()
    }

    pub(super) fn note(&mut self, at: Duration, client: SocketAddr, contents: &[u8]) {
        let Some(digest) = &mut self.digest else { return };
        let mut mix = |word: u64| *digest = (*digest ^ word).wrapping_mul(PRIME).rotate_left(29);
        mix(u64::try_from(at.as_nanos()).unwrap_or(u64::MAX));
        mix(u64::from(client.port()));
        client.ip().to_string().bytes().for_each(|byte| mix(u64::from(byte)));
        let (words, rest) = contents.as_chunks::<8>();
        words.iter().for_each(|word| mix(u64::from_le_bytes(*word)));
        rest.iter().for_each(|byte| mix(u64::from(*byte)));
        mix(contents.len() as u64);
    }
}
