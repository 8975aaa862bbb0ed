//! Tells by its first bytes what a datagram is, and reads the one STUN attribute that demultiplexing needs.

/// Bytes before a STUN message's attributes.
const HEADER_BYTES: usize = 20;
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const USERNAME: u16 = 0x0006;
/// RFC 8489 §14.3: a username is shorter than 509 bytes.
const USERNAME_BYTES_MAX: usize = 508;

/// What a datagram is, as far as its addressee depends on it (RFC 7983).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// A binding request: addressed by our ufrag, and proof of where the sender is.
    Request {
        /// Our half of its USERNAME.
        ufrag: &'a str,
    },
    /// Another STUN message: addressed by where it comes from.
    Stun,
    /// DTLS: addressed by where it comes from.
    Dtls,
    /// RTP or RTCP: addressed by where it comes from.
    Media,
}

/// Why a datagram is nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Garbage {
    /// It is empty.
    Empty,
    /// Its first byte belongs to no protocol used here.
    UnknownProtocol,
    /// It says it is STUN, and is not.
    MalformedStun,
    /// A binding request that names nobody.
    NoUsername,
}

/// Says what a datagram is.
pub(super) fn classify(datagram: &[u8]) -> Result<Kind<'_>, Garbage> {
    match datagram.first() {
        None => Err(Garbage::Empty),
        Some(0..=3) => stun(datagram),
        Some(20..=63) => Ok(Kind::Dtls),
        Some(128..=191) => Ok(Kind::Media),
        Some(_) => Err(Garbage::UnknownProtocol),
    }
}

/// A DTLS record of an association that is up, rather than one of a handshake or an alert (RFC 6347 §4.1, RFC 9146 §4,
/// RFC 9147 §4).
pub(super) fn is_application_data(datagram: &[u8]) -> bool {
    matches!(datagram.first(), Some(23 | 25 | 32..=63))
}

fn stun(datagram: &[u8]) -> Result<Kind<'_>, Garbage> {
    let (header, attributes) = datagram.split_at_checked(HEADER_BYTES).ok_or(Garbage::MalformedStun)?;
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    if header[4..8] != MAGIC_COOKIE || length != attributes.len() || length % 4 != 0 {
        return Err(Garbage::MalformedStun);
    }
    if header[..2] != BINDING_REQUEST {
        return Ok(Kind::Stun);
    }
    let username = find(attributes, USERNAME)?.ok_or(Garbage::NoUsername)?;
    own_half(username).map(|ufrag| Kind::Request { ufrag })
}

/// The first attribute of a type.
fn find(mut attributes: &[u8], wanted: u16) -> Result<Option<&[u8]>, Garbage> {
    while let Some((head, rest)) = attributes.split_at_checked(4) {
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let value = rest.get(..length).ok_or(Garbage::MalformedStun)?;
        if u16::from_be_bytes([head[0], head[1]]) == wanted {
            return Ok(Some(value));
        }
        attributes = rest.get(length.next_multiple_of(4)..).ok_or(Garbage::MalformedStun)?;
    }
    Ok(None)
}

/// USERNAME is `receiver:sender` (RFC 8445 §7.2.2).
fn own_half(username: &[u8]) -> Result<&str, Garbage> {
    if username.len() > USERNAME_BYTES_MAX {
        return Err(Garbage::MalformedStun);
    }
    let text = std::str::from_utf8(username).map_err(|_| Garbage::MalformedStun)?;
    match text.split_once(':') {
        Some((ours, _)) if !ours.is_empty() => Ok(ours),
        _ => Err(Garbage::NoUsername),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A STUN message with one attribute.
    pub(in crate::forward) fn message(kind: [u8; 2], attribute: u16, value: &[u8]) -> Vec<u8> {
        let padded = value.len().next_multiple_of(4);
        let mut bytes = kind.to_vec();
        bytes.extend(u16::try_from(4 + padded).unwrap().to_be_bytes());
        bytes.extend(MAGIC_COOKIE);
        bytes.extend([7; 12]);
        bytes.extend(attribute.to_be_bytes());
        bytes.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        bytes.extend(value);
        bytes.resize(HEADER_BYTES + 4 + padded, 0);
        bytes
    }

    /// A binding request to `ufrag`.
    pub(in crate::forward) fn request(ufrag: &str) -> Vec<u8> {
        message(BINDING_REQUEST, USERNAME, format!("{ufrag}:theirs").as_bytes())
    }

    fn check(datagram: &[u8], expected: Result<Kind<'_>, Garbage>) {
        assert_eq!(classify(datagram), expected);
    }

    #[test]
    fn requests_are_addressed_by_the_part_before_the_colon() {
        check(&request("abcd"), Ok(Kind::Request { ufrag: "abcd" }));
        check(&message(BINDING_REQUEST, USERNAME, b"a:b:c"), Ok(Kind::Request { ufrag: "a" }));
    }

    #[test]
    fn everything_else_goes_by_its_first_byte() {
        check(&message([1, 1], USERNAME, b"a:b"), Ok(Kind::Stun));
        check(&[20], Ok(Kind::Dtls));
        check(&[63, 1, 2], Ok(Kind::Dtls));
        check(&[128], Ok(Kind::Media));
        check(&[191], Ok(Kind::Media));
        check(&[], Err(Garbage::Empty));
        for byte in [4, 16, 19, 64, 79, 127, 192, 255] {
            check(&[byte; 40], Err(Garbage::UnknownProtocol));
        }
    }

    #[test]
    fn handshakes_are_told_from_data() {
        for byte in [23, 25, 47] {
            assert!(is_application_data(&[byte, 254, 253]));
        }
        for byte in [0, 20, 21, 22, 26, 128] {
            assert!(!is_application_data(&[byte, 254, 253]));
        }
        assert!(!is_application_data(&[]));
    }

    #[test]
    fn hostile_stun_has_no_addressee() {
        check(&[0], Err(Garbage::MalformedStun));
        check(&request("abcd")[..24], Err(Garbage::MalformedStun));
        check(&message(BINDING_REQUEST, 0x8022, b"software"), Err(Garbage::NoUsername));
        check(&message(BINDING_REQUEST, USERNAME, b"nocolon"), Err(Garbage::NoUsername));
        check(&message(BINDING_REQUEST, USERNAME, b":theirs"), Err(Garbage::NoUsername));
        check(&message(BINDING_REQUEST, USERNAME, b"\xff\xfe:b"), Err(Garbage::MalformedStun));
        check(&message(BINDING_REQUEST, USERNAME, &[b'a'; 509]), Err(Garbage::MalformedStun));
        let mut overlong = request("abcd");
        overlong[23] = 0xff;
        check(&overlong, Err(Garbage::MalformedStun));
        let mut cookie = request("abcd");
        cookie[4] = 0;
        check(&cookie, Err(Garbage::MalformedStun));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..120), stun: bool) {
            if stun && bytes.len() >= HEADER_BYTES {
                let length = u16::try_from(bytes.len() - HEADER_BYTES).unwrap();
                bytes[..2].copy_from_slice(&BINDING_REQUEST);
                bytes[2..4].copy_from_slice(&length.to_be_bytes());
                bytes[4..8].copy_from_slice(&MAGIC_COOKIE);
            }
            let _ = classify(&bytes);
        }
    }
}
