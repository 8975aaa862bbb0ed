//! STUN messages as they should be, for making others of them (RFC 8489).

const BINDING_REQUEST: u16 = 0x0001;
const COOKIE: u32 = 0x2112_a442;
const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const PRIORITY: u16 = 0x0024;
const ICE_CONTROLLING: u16 = 0x802a;
const FINGERPRINT: u16 = 0x8028;

/// A binding request to `ufrag` whose fingerprint holds and whose integrity does not.
pub(super) fn forged(ufrag: &str, random: &mut fastrand::Rng) -> Vec<u8> {
    let mut body = Vec::new();
    attribute(&mut body, USERNAME, format!("{ufrag}:forged").as_bytes());
    attribute(&mut body, PRIORITY, &[0x7e, 0, 0, 0xff]);
    attribute(&mut body, ICE_CONTROLLING, &random.u64(..).to_be_bytes());
    attribute(&mut body, MESSAGE_INTEGRITY, &[random.u8(..); 20]);
    let mut message = message(&body, 8, random);
    let check = crc32(&message) ^ 0x5354_554e;
    attribute(&mut message, FINGERPRINT, &check.to_be_bytes());
    message
}

/// A binding request that names nobody.
pub(super) fn nameless(random: &mut fastrand::Rng) -> Vec<u8> {
    let mut body = Vec::new();
    attribute(&mut body, PRIORITY, &[0, 0, 0, 1]);
    message(&body, 0, random)
}

fn message(body: &[u8], more: usize, random: &mut fastrand::Rng) -> Vec<u8> {
    let mut message = BINDING_REQUEST.to_be_bytes().to_vec();
    message.extend(u16::try_from(body.len() + more).unwrap().to_be_bytes());
    message.extend(COOKIE.to_be_bytes());
    message.extend((0..12).map(|_| random.u8(..)));
    message.extend(body);
    message
}

fn attribute(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    message.extend(kind.to_be_bytes());
    message.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
    message.extend(value);
    message.resize(message.len().next_multiple_of(4), 0);
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}
