//! Datagrams that nobody should send: noise, and what begins like STUN, DTLS or media (RFC 7983) and goes wrong.

/// The longest.
pub const DATAGRAM_BYTES_MAX: usize = 1_420;

const BINDING_REQUEST: u16 = 0x0001;
const COOKIE: u32 = 0x2112_a442;
const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const PRIORITY: u16 = 0x0024;
const ICE_CONTROLLING: u16 = 0x802a;
const FINGERPRINT: u16 = 0x8028;

/// Makes hostile datagrams; the same seed makes the same ones.
#[derive(Debug, Clone)]
pub struct Hostile {
    random: fastrand::Rng,
    /// The name of a connection that exists, should one be known.
    ufrag: String,
}

impl Hostile {
    /// Datagrams in the name of `ufrag`.
    #[must_use]
    pub fn new(seed: u64, ufrag: impl Into<String>) -> Self {
        Self { random: fastrand::Rng::with_seed(seed), ufrag: ufrag.into() }
    }

    /// The next datagram, of any kind.
    pub fn datagram(&mut self) -> Vec<u8> {
        match self.random.u8(..9) {
            0 => Vec::new(),
            1 => self.noise(&[]),
            2 => self.noise(&[0x16, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0]),
            3 => self.noise(&[0x80, 0x60]),
            4 => self.noise(&[0xff]),
            5 => self.nameless(),
            6 => self.truncated(),
            7 => self.mutated(),
            _ => self.forged(),
        }
    }

    /// Random bytes after these.
    pub fn noise(&mut self, start: &[u8]) -> Vec<u8> {
        let length = self.random.usize(..DATAGRAM_BYTES_MAX - start.len());
        let mut bytes = start.to_vec();
        bytes.extend((0..length).map(|_| self.random.u8(..)));
        bytes
    }

    /// A binding request whose fingerprint holds and whose integrity does not (RFC 8489).
    pub fn forged(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        attribute(&mut body, USERNAME, format!("{}:forged", self.ufrag).as_bytes());
        attribute(&mut body, PRIORITY, &[0x7e, 0, 0, 0xff]);
        attribute(&mut body, ICE_CONTROLLING, &self.random.u64(..).to_be_bytes());
        attribute(&mut body, MESSAGE_INTEGRITY, &[self.random.u8(..); 20]);
        let mut message = self.request(&body, 8);
        let check = crc32(&message) ^ 0x5354_554e;
        attribute(&mut message, FINGERPRINT, &check.to_be_bytes());
        message
    }

    /// A binding request that names nobody.
    pub fn nameless(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        attribute(&mut body, PRIORITY, &[0, 0, 0, 1]);
        self.request(&body, 0)
    }

    /// The beginning of a binding request.
    pub fn truncated(&mut self) -> Vec<u8> {
        let mut whole = self.forged();
        whole.truncate(self.random.usize(1..whole.len()));
        whole
    }

    /// A binding request with some of its bytes changed.
    fn mutated(&mut self) -> Vec<u8> {
        let mut bytes = self.forged();
        for _ in 0..self.random.usize(1..8) {
            let at = self.random.usize(..bytes.len());
            bytes[at] = self.random.u8(..);
        }
        bytes
    }

    fn request(&mut self, body: &[u8], more: u16) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap_or(u16::MAX).saturating_add(more);
        let mut message = BINDING_REQUEST.to_be_bytes().to_vec();
        message.extend(length.to_be_bytes());
        message.extend(COOKIE.to_be_bytes());
        message.extend((0..12).map(|_| self.random.u8(..)));
        message.extend(body);
        message
    }
}

fn attribute(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    message.extend(kind.to_be_bytes());
    message.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
    message.extend(value);
    message.resize(message.len().next_multiple_of(4), 0);
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}
